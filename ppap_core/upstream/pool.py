"""Connections kept open between requests, per origin.

Idle connections are used last in, first out, so that surplus ones grow old and expire. Requests
that wait for a connection are served in the order they came.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable

from ..errors import ConnectFailed, ConnectTimeout
from .address import Origin
from .connection import open_connection
from .http1 import Http1Connection, Phase


class _Host:
    """``count``: slots in use, by connections that are open or being opened."""

    __slots__ = ("count", "idle", "waiters")

    def __init__(self) -> None:
        self.count = 0
        self.idle: list[Http1Connection] = []
        self.waiters: deque[asyncio.Future[Http1Connection | None]] = deque()


class ConnectionPool:
    """``idle_seconds``: how long an unused connection is kept; ``max_idle``: how many, in total.

    ``None`` for ``max_per_host`` or ``idle_seconds``: no limit.

    ``context`` is called when the first TLS connection is opened. ``clock`` gives seconds, for ages.
    """

    def __init__(
        self,
        *,
        context: Callable[[], ssl.SSLContext],
        max_per_host: int | None,
        idle_seconds: float | None,
        max_idle: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._context = context
        self._max_per_host = sys.maxsize if max_per_host is None else max_per_host
        self._idle_seconds = math.inf if idle_seconds is None else idle_seconds
        self._max_idle = max_idle
        self._clock = clock
        self._hosts: dict[Origin, _Host] = {}
        self._open: set[Http1Connection] = set()
        self._idle: dict[Http1Connection, None] = {}  # oldest first
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._retired = False
        self._closed = False

    def take(self, origin: Origin) -> Http1Connection | None:
        """The idle connection that was used last; ``None`` if there is none young enough."""
        host = self._hosts.get(origin)
        while host is not None and host.idle:
            connection = host.idle.pop()
            del self._idle[connection]
            if self._clock() - connection.idle_since < self._idle_seconds:
                return connection
            connection.abort()
        return None

    async def open(self, origin: Origin, seconds: float | None) -> Http1Connection:
        """A new connection; when the host has all it may have, the next that becomes free.

        ``seconds`` covers waiting and connecting. Raises `ConnectFailed` and `ConnectTimeout`.
        """
        if self._closed:
            raise ConnectFailed(f"{origin}: not sent: the proxy is shutting down")
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        host = self._hosts.setdefault(origin, _Host())
        waiting = False
        try:
            async with asyncio.timeout(seconds):
                if host.count < self._max_per_host:
                    host.count += 1
                elif host.idle:  # a retry that must not take an old one: the oldest makes room
                    host.count += 1
                    host.idle[0].abort()
                else:
                    waiting = True
                    freed = await self._next_free(host, origin, self._loop)
                    if freed is not None:
                        return freed
                    waiting = False
                return await self._connect(origin, host, self._loop)
        except TimeoutError:
            limit = f"; all {self._max_per_host} of upstream.max-connections-per-host are busy" * waiting
            raise ConnectTimeout(f"{origin}: no connection within {seconds:g} s{limit}") from None

    def take_back(self, connection: Http1Connection) -> None:
        """An exchange ended well; the first who waits gets the connection."""
        if self._retired:
            connection.abort()
            return
        host = self._hosts[connection.origin]
        while host.waiters:
            waiter = host.waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        connection.idle_since = self._clock()
        host.idle.append(connection)
        self._idle[connection] = None
        if len(self._idle) > self._max_idle:
            next(iter(self._idle)).abort()
        if self._sweep is None:
            self._sweep_in(self._idle_seconds)

    def forget(self, connection: Http1Connection) -> None:
        """A connection is closed, by whomever."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        host = self._hosts[connection.origin]
        if connection in self._idle:
            del self._idle[connection]
            host.idle.remove(connection)
        self._free_slot(connection.origin, host)

    @property
    def unused(self) -> bool:
        """No connection is open or being opened."""
        return not self._hosts

    def expire(self) -> None:
        """Closes what has been idle for too long."""
        oldest_kept = self._clock() - self._idle_seconds
        for connection in list(self._idle):
            if connection.idle_since > oldest_kept:
                break
            connection.abort()

    def retire(self) -> None:
        """Idle connections are closed now, the others after the answer they carry."""
        self._retired = True
        for connection in list(self._idle):
            connection.abort()
        self._stop_sweeping()

    def close(self) -> None:
        """Closes everything now; answers that are under way break."""
        self._closed = True
        self.retire()
        for host in self._hosts.values():
            for waiter in host.waiters:
                if not waiter.done():
                    waiter.set_exception(ConnectFailed("not sent: the proxy is shutting down"))
            host.waiters.clear()
        for connection in list(self._open):
            connection.abort()

    async def _connect(self, origin: Origin, host: _Host, loop: asyncio.AbstractEventLoop) -> Http1Connection:
        """Opens a connection into a slot that is already counted."""
        try:
            context = self._context() if origin.scheme == "https" else None
            connection = await open_connection(origin, context, loop, self)
            if connection.phase is Phase.CLOSED:
                raise ConnectFailed(f"{origin}: accepted the connection and closed it at once")
            if self._closed:
                connection.abort()
                raise ConnectFailed(f"{origin}: not sent: the proxy is shutting down")
        except BaseException:
            self._free_slot(origin, host)
            raise
        self._open.add(connection)
        return connection

    async def _next_free(
        self, host: _Host, origin: Origin, loop: asyncio.AbstractEventLoop
    ) -> Http1Connection | None:
        """Waits in line; ``None``: not a connection, but the slot of one that was closed."""
        waiter: asyncio.Future[Http1Connection | None] = loop.create_future()
        host.waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in host.waiters:
                host.waiters.remove(waiter)
            if waiter.done() and not waiter.cancelled():  # served in the very moment of giving up
                self._hand_on(waiter.result(), origin, host)
            raise

    def _hand_on(self, freed: Http1Connection | None, origin: Origin, host: _Host) -> None:
        if freed is None:
            self._free_slot(origin, host)
        elif freed.phase is Phase.IDLE:
            self.take_back(freed)

    def _free_slot(self, origin: Origin, host: _Host) -> None:
        while host.waiters:
            waiter = host.waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)  # the slot stays counted: it is the waiter's now
                return
        host.count -= 1
        if not host.count:
            del self._hosts[origin]

    def _swept(self) -> None:
        self._sweep = None
        self.expire()
        if self._idle:
            oldest = next(iter(self._idle))
            age = self._clock() - oldest.idle_since
            self._sweep_in(max(self._idle_seconds - age, 0.05))

    def _sweep_in(self, seconds: float) -> None:
        if self._loop is not None and seconds < math.inf:
            self._sweep = self._loop.call_later(seconds, self._swept)

    def _stop_sweeping(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
