"""The whole plugin contract.

A plugin is a module, or an object, registered under the entry-point group ``ppap``, whose functions
carry ``@hookimpl`` and the names below. All hooks are optional. *Contributing* hooks return lists
or mappings; they run at start and again on every reload, except where it says "at start only". If
one raises, the plugin is named in the log and in ``ppap plugins``, and left out; all others work.
If a hook on the *request path* raises, that request fails with a clear error, and no other does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from .access import Identity
    from .config import Config
    from .credentials import Credential, CredentialFile, Strategy
    from .exchange import AnyProvider, ExchangeRecord
    from .exchange.arrival import Arrival
    from .exchange.exchange import Exchange
    from .exchange.shaping import RequestShaper
    from .models import ListedModel, Model, ModelList
    from .proxy import Proxy
    from .wire import ClientWire, UpstreamWire

hookspec = pluggy.HookspecMarker("ppap")
hookimpl = pluggy.HookimplMarker("ppap")

# --- config -----------------------------------------------------------------------------------


@hookspec
def ppap_config_sections() -> Mapping[str, Any]:
    """Top-level keys of config.yaml → attrs class, or ``list[…]`` of one.

    `ppap_core.config.TopLevel` of a class makes its fields top-level keys; its own key is a name only.
    Fields are declared with `ppap_core.config.setting`: meaning, default, validator. The YAML key
    is the field's name with dashes. At start only.
    """
    raise NotImplementedError


# --- life -------------------------------------------------------------------------------------


@hookspec
def ppap_shutdown(proxy: Proxy) -> None:
    """The proxy has served its last request: write out what is buffered, close what is open."""
    raise NotImplementedError


@hookspec
def ppap_commands() -> Sequence[click.Command]:
    """Commands of ``ppap``; also flags of ``cli-proxy-api``. When one is looked for, without a proxy."""
    raise NotImplementedError


# --- wire formats -----------------------------------------------------------------------------


@hookspec
def ppap_wire_formats() -> Sequence[ClientWire | UpstreamWire]:
    """Codecs. A name taken twice is an error that names both plugins. At start only."""
    raise NotImplementedError


@hookspec
def ppap_routes(proxy: Proxy) -> Sequence[Any]:
    """Litestar route handlers; for a generating route, use `ppap_core.exchange.endpoint`. At start only."""
    raise NotImplementedError


@hookspec
def ppap_model_lists() -> Sequence[ModelList]:
    """How models are listed on a path, for which clients. At start only."""
    raise NotImplementedError


# --- upstreams --------------------------------------------------------------------------------


@hookspec
def ppap_providers(proxy: Proxy) -> Sequence[AnyProvider]:
    """Providers: how to call an upstream, and what its failures mean. At start only."""
    raise NotImplementedError


@hookspec
def ppap_credentials(config: Config) -> Sequence[Credential]:
    """The upstream accounts and keys that the config describes."""
    raise NotImplementedError


@hookspec
def ppap_credential_file(file: CredentialFile) -> Sequence[Credential] | None:
    """The accounts in a file of ``auth-dir``; ``None`` for types of other plugins.

    The core adds what operators may write in any file: prefix, proxy, priority, exclusions. Raises
    `CredentialFileError` for one that cannot be used. Runs again when a file changes.
    """
    raise NotImplementedError


@hookspec
def ppap_models(credential: Credential) -> Sequence[Model] | None:
    """The models a credential serves; ``None`` for credentials of other plugins."""
    raise NotImplementedError


@hookspec
def ppap_strategies() -> Mapping[str, Strategy]:
    """Names for ``routing.strategy`` → functions that choose among ready credentials."""
    raise NotImplementedError


# --- request path -----------------------------------------------------------------------------


@hookspec
def ppap_authenticate(arrival: Arrival) -> Identity | None:
    """Who the client is; ``None``: not for me. Raises `Unauthorized` to refuse.

    Runs for every request, before its body is read. The first identity wins, also over another
    plugin's refusal. If nobody is responsible, access is open.
    """
    raise NotImplementedError


@hookspec
def ppap_request_shapers(config: Config) -> Sequence[RequestShaper]:
    """Functions that see every request as it goes upstream, and may edit it; none while this is off.

    Asked on each reload. Each shaper runs once per attempt, on the encoded body, and must not block.
    They edit one after the other; payload rules, which are the operator's last word, come last.
    """
    raise NotImplementedError


@hookspec
def ppap_admit(exchange: Exchange) -> None:
    """Whether a client may have what it asks for. Raises a `RequestError` to refuse.

    Runs for every request that names a model, once it is clear which: see ``exchange.identity`` and
    ``exchange.model_names``. The first refusal counts. Must not block: the event loop waits for it.
    """
    raise NotImplementedError


@hookspec
def ppap_model_filter(identity: Identity) -> Callable[[ListedModel], bool] | None:
    """Which models a client's lists show; ``None``: all. What any plugin hides is hidden."""
    raise NotImplementedError


@hookspec
def ppap_exchange_finished(record: ExchangeRecord) -> None:
    """A request came to its end, whichever. Must not block: the event loop waits for it."""
    raise NotImplementedError
