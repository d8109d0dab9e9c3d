"""The proxy: the one object a plugin is handed, and the one an embedding program starts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .access import ConfiguredKeys, Identity, KeyControls
from .access_log import AccessLog
from .built_in import register_built_in
from .config import Config, FolderWatch, Reloader, load
from .credentials import CredentialFiles, Pool, Route, Strategy
from .errors import ConfigError, RequestError
from .exchange.arrival import Arrival
from .exchange.carrier import Carrier, EventCarrier, WireCarrier
from .exchange.exchange import ANONYMOUS, Exchange
from .exchange.outgoing import StreamViolations
from .exchange.provider import EventProvider
from .exchange.record import ExchangeRecord
from .models import ListedModel
from .plugins import PluginHost
from .snapshot import Snapshot, take_snapshot
from .upstream import Upstream, UpstreamSettings

if TYPE_CHECKING:
    from .wire import ClientWire, UpstreamWire

log = logging.getLogger("ppap")


class Proxy:
    """A proxy over one config.yaml.

    ``async with proxy.running():`` follows the file and owns the upstream connections;
    ``proxy.app`` is the ASGI application, which does the same in its lifespan. `plugins` are
    registered besides the installed ones. Raises `ConfigError`.
    """

    loop: asyncio.AbstractEventLoop
    """The loop it runs in; kept because asking for it costs a system call on Python 3.11."""

    def __init__(self, config_path: str | Path, *, plugins: Sequence[object] = ()) -> None:
        self.path = Path(config_path)
        self.plugins = PluginHost(load(self.path, {}).core.plugins.disabled)
        register_built_in(self.plugins)
        self.plugins.register(ConfiguredKeys(self), "api-keys")
        self.plugins.register(KeyControls(self), "api-key-controls")
        self.plugins.register(AccessLog(), "access-log")
        for plugin in plugins:
            self.plugins.register(plugin, getattr(plugin, "__name__", type(plugin).__name__))
        self.plugins.discover()
        self._sections = self.plugins.sections()
        self.pool = Pool()
        self.violations = StreamViolations()
        self.config: Config = load(self.path, self._sections)
        set_log_level(self.config)
        for warning in self.config.warnings:
            log.warning("%s", warning)
        for note in self.config.notes:
            log.info("%s", note)
        self.upstream = Upstream(upstream_settings(self.config))
        self.wires: dict[str, ClientWire | UpstreamWire] = self.plugins.named("ppap_wire_formats")
        providers = self.plugins.named("ppap_providers", proxy=self)
        self.carriers: dict[str, Carrier] = {
            name: EventCarrier(provider) if isinstance(provider, EventProvider) else WireCarrier(provider)
            for name, provider in providers.items()
        }
        self.pool.strategy = self._strategy_of(self.config)
        self._files = CredentialFiles()
        self.snapshot: Snapshot = self._snapshot_of(self.config)
        self._authenticators = self.plugins.functions("ppap_authenticate")
        self._admitters = self.plugins.functions("ppap_admit")
        self._model_filters = self.plugins.functions("ppap_model_filter")
        self._listeners = self.plugins.functions("ppap_exchange_finished")

    @cached_property
    def app(self) -> Any:
        """The ASGI application."""
        from .app import build_app  # the web framework takes a quarter of a second to import

        return build_app(self)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Follows config.yaml and ``auth-dir`` until the block is left; then closes every upstream
        connection."""
        self.loop = asyncio.get_running_loop()
        reloader = Reloader(self.path, self._sections, self.config)
        files = asyncio.create_task(self._follow_files(), name="credential files")
        try:
            async with reloader.following(self.apply):
                yield self
        finally:
            files.cancel()
            await asyncio.wait([files])
            await self.upstream.close()
            for _ in self.plugins.gathered("ppap_shutdown", proxy=self):
                pass

    def apply(self, config: Config) -> None:
        """Makes `config` the state of new requests; those under way keep theirs.

        Raises `ConfigError`, and then changes nothing.
        """
        old = self.snapshot
        strategy = self._strategy_of(config)
        snapshot = self._snapshot_of(config)
        self.config, self.snapshot = config, snapshot
        self.pool.strategy = strategy
        self.upstream.reconfigure(upstream_settings(config))
        set_log_level(config)
        changed = [
            credential_id
            for credential_id, credential in old.credentials.items()
            if snapshot.credentials.get(credential_id) != credential
        ]
        self.pool.cooldowns.forget(changed)

    def authenticate(self, arrival: Arrival) -> Identity:
        """Who the client is. Raises the first refusal if nobody vouches for it."""
        refusal: RequestError | None = None
        for authenticator in self._authenticators:
            try:
                identity: Identity | None = authenticator(arrival)
            except RequestError as error:
                refusal = refusal or error
                continue
            if identity is not None:
                return identity
        if refusal is not None:
            raise refusal
        return ANONYMOUS

    def admit(self, exchange: Exchange) -> None:
        """Raises the first objection to a request whose model is known."""
        for admitter in self._admitters:
            admitter(exchange)

    def visible_models(self, identity: Identity) -> list[ListedModel]:
        """What a client's lists show: the models it may use, without those that nobody can serve for a
        reason other than quota (client API spec, 9.0)."""
        filters = [found for each in self._model_filters if (found := each(identity)) is not None]
        index = self.snapshot.index
        return [
            model
            for model in index.listed
            if self.pool.visible(index.route_of(model)) and all(shown(model) for shown in filters)
        ]

    def available(self, route: Route) -> bool:
        """Whether somebody could serve the route right now."""
        return self.pool.recovery(route.candidates) is None

    def finished(self, record: ExchangeRecord) -> None:
        """Tells every listener; one that raises is logged and disturbs nobody."""
        for listener in self._listeners:
            try:
                listener(record)
            except Exception:
                log.exception("a listener failed on the record of request %s", record.id)

    async def _follow_files(self) -> None:
        """Takes a new snapshot whenever a credential file comes, changes or goes."""
        async with FolderWatch(lambda: self.config.core.auth_directory) as watch:
            while True:
                await watch.changed()
                old = self.snapshot.files
                if (new := self._files.read(self.config.core.auth_directory)) == old:
                    continue
                names = sorted({file.name for file in (*old, *new) if (file in old) != (file in new)})
                try:
                    self.apply(self.config)
                except Exception:
                    log.exception("credential files not applied: %s", ", ".join(names))
                else:
                    log.info("credential files changed: %s", ", ".join(names))

    def _snapshot_of(self, config: Config) -> Snapshot:
        files = self._files.read(config.core.auth_directory)
        return take_snapshot(config, files, self.plugins, self.carriers)

    def _strategy_of(self, config: Config) -> Strategy:
        known: dict[str, Strategy] = {}
        for _, strategies in self.plugins.gathered("ppap_strategies"):
            known.update(strategies)
        wanted = config.core.routing.strategy
        if wanted not in known:
            expected = ", ".join(sorted(known))
            message = f"expected one of {expected}; found {wanted!r}"
            raise ConfigError([config.problem(("routing", "strategy"), message)])
        return known[wanted]


def set_log_level(config: Config) -> None:
    """``debug`` of the config, for everything this package logs."""
    log.setLevel(logging.DEBUG if config.core.debug else logging.INFO)


def upstream_settings(config: Config) -> UpstreamSettings:
    """What the config says about upstream connections."""
    core = config.core
    return UpstreamSettings(
        transport=core.upstream.transport,
        connect_timeout=core.upstream.connect_timeout or None,
        first_byte_timeout=core.upstream.first_byte_timeout or None,
        between_bytes_timeout=core.upstream.between_bytes_timeout or None,
        max_connections_per_host=core.upstream.max_connections_per_host,
        idle_seconds=core.upstream.idle_seconds,
        ca_file=core.upstream.ca_file,
        proxy_url=core.proxy_url,
    )
