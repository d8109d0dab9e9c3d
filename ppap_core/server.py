"""Listening: uvicorn around the application, sockets, TLS, and the end of it all."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Final

import uvicorn

from .access import is_loopback
from .errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from .proxy import Proxy

log = logging.getLogger("ppap.server")

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 2048
_HEAD_LIMIT: Final = 1024 * 1024
_GC_THRESHOLD: Final = 50_000
"""Allocations between collections: the request path makes no cycles, so scanning often is waste."""


def serve(proxy: Proxy, on_ready: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM; then streams may finish for ``shutdown-grace-seconds``."""
    server = _Server(_uvicorn_config(proxy), on_ready)
    sock = bind(safe_host(proxy), proxy.config.core.port)
    server.url = url_of(sock, tls=proxy.config.core.tls.enable)
    server.run(sockets=[sock])


@contextlib.asynccontextmanager
async def listening(proxy: Proxy, host: str = LOOPBACK, port: int = 0) -> AsyncIterator[str]:
    """Serves in the running loop while the block runs; gives the base URL. For tests and embedding."""
    started = asyncio.Event()
    server = _EmbeddedServer(_uvicorn_config(proxy), lambda _: started.set())
    sock = bind(host, port)
    server.url = url_of(sock, tls=proxy.config.core.tls.enable)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    waiter = asyncio.create_task(started.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    try:
        yield server.url
    finally:
        server.stop()
        await task
        sock.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it is ready."""

    url = ""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            gc.collect()
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD, 20, 50)
            self._on_ready(self.url)


class _EmbeddedServer(_Server):
    """The same inside somebody else's program, whose signals are not ours.

    It ends at once where nobody is served: uvicorn only looks every tenth of a second, which adds up
    over a thousand tests.
    """

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None]) -> None:
        super().__init__(config, on_ready)
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        ticking = asyncio.create_task(super().main_loop())
        await self._stopped.wait()
        ticking.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # idle connections are closed by now
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
        else:
            await self.lifespan.shutdown()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _uvicorn_config(proxy: Proxy) -> uvicorn.Config:
    core = proxy.config.core
    config = uvicorn.Config(
        proxy.app,
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, int(core.shutdown_grace_seconds)),
        ssl_certfile=core.tls.cert or None if core.tls.enable else None,
        ssl_keyfile=core.tls.key or None if core.tls.enable else None,
        h11_max_incomplete_event_size=_HEAD_LIMIT,
    )
    if core.tls.enable:
        _check_tls(proxy)
    return config


def _check_tls(proxy: Proxy) -> None:
    tls = proxy.config.core.tls
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        problem = f"failed to start HTTPS server: tls.cert and tls.key: {error}"
        raise ConfigError([ConfigProblem(str(proxy.path), 0, 0, problem)]) from None


def safe_host(proxy: Proxy) -> str:
    """The configured host, unless anybody could use the proxy from there."""
    core = proxy.config.core
    if core.api_keys or core.access.allow_anonymous_remote or is_local_name(core.host):
        return core.host
    log.warning(
        "%s has no `api-keys`: everybody who reaches the port could use your accounts. "
        "Listening on %s only; add a key and restart to listen on %s.",
        proxy.path,
        LOOPBACK,
        core.host or "all interfaces",
    )
    return LOOPBACK


def is_local_name(host: str) -> bool:
    return host == "localhost" or (bool(host) and is_loopback(host))


def bind(host: str, port: int) -> socket.socket:
    """A bound socket; an empty host means every interface, IPv4 and IPv6. Raises `OSError`."""
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def url_of(sock: socket.socket, *, tls: bool) -> str:
    """The base URL under which this machine reaches the socket."""
    host, port = sock.getsockname()[:2]
    if host in ("::", "0.0.0.0", "::ffff:0.0.0.0"):
        host = LOOPBACK
    shown = f"[{host}]" if ":" in host else host
    return f"http{'s' if tls else ''}://{shown}:{port}"
