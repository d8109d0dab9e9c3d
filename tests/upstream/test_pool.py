"""Which connections are kept, how many, and for how long."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

import attrs
import pytest

from ppap_core.upstream.address import Origin
from ppap_core.upstream.http1 import Http1Connection, Phase
from ppap_core.upstream.pool import ConnectionPool
from ppap_core.upstream.reply import Deadlines

from .fault_server import FaultServer, Peer, reply


@attrs.define
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


async def serve(peer: Peer) -> None:
    """Answers when told to, so that several connections can be busy at once."""
    while True:
        await peer.request()
        await peer.send(reply())


def pool_of(
    clock: Callable[[], float], *, max_per_host: int = 10, idle_seconds: float = 60.0, max_idle: int = 10
) -> ConnectionPool:
    return ConnectionPool(
        context=ssl.create_default_context,
        max_per_host=max_per_host,
        idle_seconds=idle_seconds,
        max_idle=max_idle,
        clock=clock,
    )


async def used(pool: ConnectionPool, origin: Origin, count: int) -> list[Http1Connection]:
    """So many connections, opened one beside the other, that have each carried one request."""
    connections = [await pool.open(origin, 5) for _ in range(count)]
    for connection in connections:
        head = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
        answer = await connection.send("GET", head, b"", Deadlines())
        while await answer.read():
            pass
    return connections


async def test_the_connection_used_last_is_used_first() -> None:
    """Last in, first out: surplus connections stay unused and expire."""
    clock = Clock()
    async with FaultServer(serve) as server:
        origin = Origin("http", "localhost", server.port)
        pool = pool_of(clock)
        first, second = await used(pool, origin, 2)
        assert pool.take(origin) is second
        assert pool.take(origin) is first
        assert pool.take(origin) is None
        pool.close()


async def test_idle_connection_expires() -> None:
    """After the idle time a connection is closed, whether somebody asks for one or not."""
    clock = Clock()
    async with FaultServer(serve) as server:
        origin = Origin("http", "localhost", server.port)
        pool = pool_of(clock, idle_seconds=60)
        old, older = await used(pool, origin, 2)
        clock.now += 59
        pool.expire()
        assert (old.phase, older.phase) == (Phase.IDLE, Phase.IDLE)
        clock.now += 1
        assert pool.take(origin) is None
        (young,) = await used(pool, origin, 1)
        clock.now += 61
        pool.expire()
        assert [c.phase for c in (old, older, young)] == [Phase.CLOSED] * 3
        pool.close()


async def test_expiry_needs_no_request() -> None:
    """A timer closes old connections although no request comes."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(reply())
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        loop = asyncio.get_running_loop()
        pool = pool_of(loop.time, idle_seconds=0.05)
        await used(pool, Origin("http", "localhost", server.port), 1)
        await asyncio.wait_for(gone.wait(), 5)
        pool.close()


async def test_no_more_idle_connections_than_allowed() -> None:
    """Beyond the bound over all hosts, the one that has been idle longest is closed."""
    async with FaultServer(serve) as one, FaultServer(serve) as other:
        pool = pool_of(Clock(), max_idle=2)
        oldest, kept = await used(pool, Origin("http", "localhost", one.port), 2)
        (newest,) = await used(pool, Origin("http", "localhost", other.port), 1)
        assert [c.phase for c in (oldest, kept, newest)] == [Phase.CLOSED, Phase.IDLE, Phase.IDLE]
        pool.close()


async def test_hosts_do_not_share_connections() -> None:
    """A connection belongs to scheme, host and port together."""
    async with FaultServer(serve) as server:
        origin = Origin("http", "localhost", server.port)
        pool = pool_of(Clock())
        await used(pool, origin, 1)
        assert pool.take(origin._replace(host="127.0.0.1")) is None
        assert pool.take(origin._replace(scheme="https")) is None
        assert pool.take(origin) is not None
        pool.close()


async def test_failed_connects_free_their_place(unused_tcp_port: int) -> None:
    """A host that refused connections is not out of places once it is back."""
    origin = Origin("http", "127.0.0.1", unused_tcp_port)
    pool = pool_of(Clock(), max_per_host=1)
    for _ in range(3):
        with pytest.raises(Exception, match="cannot connect"):
            await pool.open(origin, 5)
    pool.close()


async def test_retired_pool_closes_what_comes_back() -> None:
    """After a reload, a connection carries its answer to the end and is closed then."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await go_on.wait()
        await peer.send(reply())

    async with FaultServer(script) as server:
        origin = Origin("http", "localhost", server.port)
        pool = pool_of(Clock())
        connection = await pool.open(origin, 5)
        head = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
        call = asyncio.ensure_future(connection.send("GET", head, b"", Deadlines()))
        await asyncio.sleep(0)
        pool.retire()
        go_on.set()
        assert await (await call).read() == b"ok"
        assert connection.phase is Phase.CLOSED
