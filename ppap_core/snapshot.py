"""The state that files describe, computed anew on each reload and never changed in place."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import attrs

from .config import Config
from .credentials import Credential, CredentialFile, with_unique_ids
from .errors import CredentialFileError
from .exchange.shaping import RequestShaper
from .models import Corrections, Model, ModelIndex, build_index
from .plugins import PluginHost
from .upstream import Deadlines

log = logging.getLogger("ppap.snapshot")

_STARTED: Final = int(time.time())

OWN_HEADERS: Final = frozenset(
    {
        # about the connection to the upstream, or about how the body was packed on it
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "content-encoding",
        "content-type",
        # about another site
        "set-cookie",
        "date",
        "server",
        "alt-svc",
        "strict-transport-security",
        "cache-control",
        # ours
        "x-ppap-request-id",
    }
)


@attrs.frozen(kw_only=True)
class Snapshot:
    """Config, credentials and model index of one moment. A request keeps the one it started with.

    Timeouts in seconds, ``None`` for none; ``max_body`` in bytes.
    """

    config: Config
    files: Sequence[CredentialFile]
    credentials: Mapping[str, Credential]
    index: ModelIndex
    deadlines: Deadlines
    stream_deadlines: Deadlines
    first_event_timeout: float | None
    max_body: int
    shapers: tuple[RequestShaper, ...] = ()
    """In the order in which they edit; empty: requests go out as their codecs wrote them."""

    def passed_through(self, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The upstream headers that reach the client: none, unless ``passthrough-headers`` is on."""
        if not self.config.core.passthrough_headers:
            return ()
        named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
        return tuple(
            (name, value)
            for name, value in headers.items()
            if name not in OWN_HEADERS and name not in named and not name.startswith("access-control-")
        )


def take_snapshot(
    config: Config, files: Sequence[CredentialFile], plugins: PluginHost, providers: Collection[str]
) -> Snapshot:
    """The snapshot that the files describe. Credentials of providers nobody brings are left out."""
    credentials = _credentials(config, files, plugins, providers)
    core = config.core
    upstream = core.upstream
    first_event = upstream.first_event_timeout or None
    deadlines = Deadlines(
        connect=upstream.connect_timeout or None,
        first_byte=upstream.first_byte_timeout or None,
        between=upstream.between_bytes_timeout or None,
    )
    return Snapshot(
        config=config,
        files=files,
        credentials={credential.id: credential for credential in credentials},
        index=build_index(
            _served(config, credentials, plugins),
            force_prefix=core.force_model_prefix,
            aliases=core.oauth_model_alias,
            excluded=core.oauth_excluded_models,
        ),
        deadlines=deadlines,
        stream_deadlines=attrs.evolve(deadlines, first_byte=first_event or deadlines.first_byte),
        first_event_timeout=first_event,
        max_body=core.limits.max_body_mb * 2**20,
        shapers=tuple(
            shaper
            for _, shapers in plugins.gathered("ppap_request_shapers", config=config)
            for shaper in shapers
        ),
    )


def _credentials(
    config: Config, files: Sequence[CredentialFile], plugins: PluginHost, providers: Collection[str]
) -> list[Credential]:
    found: list[Credential] = []
    described = plugins.gathered("ppap_credentials", config=config)
    for plugin, credentials in (*described, *(each for file in files for each in _in_file(file, plugins))):
        for credential in credentials:
            if credential.provider in providers:
                found.append(credential)
            else:
                log.error("plugin %s: nobody brings the provider %s", plugin, credential.provider)
    return with_unique_ids(found)


def _in_file(file: CredentialFile, plugins: PluginHost) -> Iterable[tuple[str, Sequence[Credential]]]:
    """What plugins find in a file, as its operator wants it used."""
    gathered = list(plugins.gathered("ppap_credential_file", file=file))
    if not gathered:
        log.warning("%s is not used: no plugin took an account of type %s from it", file.name, file.type)
    for plugin, credentials in gathered:
        try:
            yield plugin, [file.governed(credential) for credential in credentials]
        except CredentialFileError as error:
            log.error("plugin %s: %s", plugin, error)


def _served(
    config: Config, credentials: Sequence[Credential], plugins: PluginHost
) -> list[tuple[Credential, list[Model]]]:
    """Each credential with its models, as the operator corrected them."""
    corrections = Corrections(config.core.model_catalogue)
    served = [
        (each, corrections.applied(each, _models(each, plugins))) for each in credentials if not each.disabled
    ]
    for place in corrections.unused:
        entry = corrections.known[place]
        whose = f" of provider {entry.provider}" if entry.provider else ""
        advice = "" if entry.provider else "; to add a model to a provider's own, name the provider"
        message = f"no account{whose} serves a model {entry.id!r}{advice}"
        log.warning("%s", config.problem(("model-catalogue", place), message))
    return served


def _models(credential: Credential, plugins: PluginHost) -> list[Model]:
    """What an operator listed is as old as this process, if nobody knows better (client API spec, 9.5)."""
    return [
        attrs.evolve(model, created=_STARTED) if model.configured and model.created is None else model
        for _, models in plugins.gathered("ppap_models", credential=credential)
        for model in models
    ]
