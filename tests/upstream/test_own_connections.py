"""What only our own transport promises: memory, early answers, reuse, limits."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from ppap_core.errors import ConnectFailed, ConnectTimeout, UpstreamBroken
from ppap_core.upstream import Deadlines, Upstream

from .conftest import NewUpstream
from .fault_server import FaultServer, Peer, answering, chunked, reply

MEGABYTE = 1024 * 1024
BODY_SIZE = 26 * MEGABYTE


async def test_unread_answer_blocks_the_server(own: Upstream) -> None:
    """Back-pressure: of an answer that nobody reads, no more is taken than buffers hold."""
    blocked = asyncio.Event()
    taken = 0

    async def script(peer: Peer) -> None:
        nonlocal taken
        await peer.request()
        peer.writer.transport.set_write_buffer_limits(high=0)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (64 * MEGABYTE))
        while taken < 64:
            peer.writer.write(bytes(MEGABYTE))
            try:
                await asyncio.wait_for(peer.writer.drain(), 0.7)
            except TimeoutError:
                blocked.set()
                await peer.writer.drain()
            taken += 1

    async with FaultServer(script) as server:
        answer = await own.post(server.url, b"{}", {}, deadlines=Deadlines(between=0.5))
        await blocked.wait()
        assert taken < 32
        size = largest = 0
        while data := await answer.read():
            size += len(data)
            largest = max(largest, len(data))
        assert size == 64 * MEGABYTE
        assert largest < MEGABYTE


async def test_large_body_is_not_copied(own: Upstream) -> None:
    """Sending 26 MB takes less than a fifth of that in further memory."""

    async def script(peer: Peer) -> None:
        head = await peer.head()
        await peer.skip(int(head.headers["content-length"]))
        await peer.send(reply())

    body = bytes(BODY_SIZE)
    async with FaultServer(script) as server:
        await (await own.post(server.url, b"warm-up", {})).body()
        tracemalloc.start()
        try:
            answer = await own.post(server.url, body, {})
            assert await answer.body() == b"ok"
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 0.2 * BODY_SIZE


async def test_refusal_before_a_large_body_was_read(own: Upstream) -> None:
    """A refusal arrives though the server reads nothing of the body; the connection is given up."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(reply(b"too large", status=b"413 Content Too Large"))
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        answer = await own.post(server.url, bytes(BODY_SIZE), {})
        assert answer.status == 413
        assert await answer.body() == b"too large"
        await asyncio.wait_for(gone.wait(), 5)


async def test_answer_that_streams_while_the_body_is_read(own: Upstream) -> None:
    """A server may answer as it reads: the body is sent on, and the connection is kept."""

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.head()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
            await peer.skip(int(head.headers["content-length"]))
            await peer.send(b"cd")

    async with FaultServer(script) as server:
        for _ in range(2):
            answer = await own.post(server.url, bytes(8 * MEGABYTE), {})
            assert await answer.body() == b"abcd"
        assert server.connections == 1


async def test_post_on_a_dying_connection_is_repeated_once(own: Upstream) -> None:
    """Pain 11: a kept connection that closes without a byte costs a new connection, not the request."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        await peer.send(reply(request.body))
        await peer.request()  # and closes without a word

    async with FaultServer(script) as server:
        for body in (b"one", b"two"):
            answer = await own.post(server.url, body, {})
            assert await answer.body() == body
        assert server.connections == 2


async def test_post_on_a_new_connection_is_not_repeated(own: Upstream) -> None:
    """A new connection that closes without a byte is an error: the server may have begun to work."""

    async def script(peer: Peer) -> None:
        await peer.request()

    async with FaultServer(script) as server:
        with pytest.raises(UpstreamBroken, match="without an answer"):
            await own.post(server.url, b"{}", {})
        assert server.connections == 1


async def test_post_is_not_repeated_after_a_byte(own: Upstream) -> None:
    """Once the server began to answer, even on a kept connection, the request is not sent again."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(reply())
        await peer.request()
        await peer.send(b"H")

    async with FaultServer(script) as server:
        await (await own.post(server.url, b"{}", {})).body()
        with pytest.raises(UpstreamBroken, match="within the head"):
            await own.post(server.url, b"{}", {})
        assert server.connections == 1


async def test_bytes_nobody_asked_for(own: Upstream) -> None:
    """What follows an answer is never taken for the next one."""
    async with FaultServer(answering(reply(b"mine") + reply(b"not yours"))) as server:
        for _ in range(2):
            assert await (await own.post(server.url, b"{}", {})).body() == b"mine"
        assert server.connections == 2


async def test_late_bytes_nobody_asked_for(own: Upstream) -> None:
    """The same when they come while the connection is idle."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(reply(b"mine"))
        if peer.number == 1:
            await asyncio.sleep(0.01)
            await peer.send(reply(b"not yours"))
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        assert await (await own.post(server.url, b"{}", {})).body() == b"mine"
        await asyncio.wait_for(gone.wait(), 5)
        assert await (await own.post(server.url, b"{}", {})).body() == b"mine"
        assert server.connections == 2


async def test_reads_are_batched(own: Upstream) -> None:
    """All chunks that have arrived come out of one read, in one object."""
    async with FaultServer(answering(chunked(*[b"event"] * 300))) as server:
        answer = await own.post(server.url, b"{}", {})
        assert await answer.read() == b"event" * 300


async def test_calls_beyond_the_limit_wait_in_line(new_upstream: NewUpstream) -> None:
    """With one connection per host, calls are answered one after the other, first come first served."""
    upstream = new_upstream(max_connections_per_host=1)
    order: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            order.append(request.body)
            await asyncio.sleep(0)
            await peer.send(reply(request.body, *([b"connection: close"] if request.body == b"3" else [])))

    async def call(number: int) -> bytes:
        return await (await upstream.post(server.url, b"%d" % number, {})).body()

    async with FaultServer(script) as server:
        bodies = await asyncio.gather(*(call(number) for number in range(8)))
        assert bodies == order == [b"%d" % number for number in range(8)]
        assert server.connections == 2


async def test_waiting_in_line_has_the_connect_deadline(new_upstream: NewUpstream) -> None:
    """A call that gets no connection in time says why; the next one is not held up by it."""
    upstream = new_upstream(max_connections_per_host=1)
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await go_on.wait()
            await peer.send(reply())

    async with FaultServer(script) as server:
        first = asyncio.ensure_future(upstream.post(server.url, b"{}", {}))
        await asyncio.sleep(0)
        with pytest.raises(ConnectTimeout, match=r"all 1 of upstream\.max-connections-per-host are busy"):
            await upstream.post(server.url, b"{}", {}, deadlines=Deadlines(connect=0.05))
        third = asyncio.ensure_future(upstream.post(server.url, b"{}", {}))
        go_on.set()
        assert await (await first).body() == b"ok"
        assert await (await third).body() == b"ok"
        assert server.connections == 1


async def test_one_who_waits_may_give_up(new_upstream: NewUpstream) -> None:
    """A waiting call that is cancelled leaves its place to the next."""
    upstream = new_upstream(max_connections_per_host=1)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            asked.set()
            await go_on.wait()
            await peer.send(reply(b"", b"connection: close"))
            return

    async with FaultServer(script) as server:
        calls = [asyncio.ensure_future(upstream.post(server.url, b"{}", {})) for _ in range(4)]
        await asked.wait()
        calls[1].cancel()
        go_on.set()
        calls[2].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert [call.cancelled() for call in calls] == [False, True, True, False]
        assert server.connections == 2


async def test_close_breaks_what_is_under_way(own: Upstream) -> None:
    """After closing, an open answer is an error to its reader, and nothing new is sent."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab")
        await go_on.wait()

    async with FaultServer(script) as server:
        answer = await own.post(server.url, b"{}", {})
        assert await answer.read() == b"ab"
        await own.close()
        with pytest.raises(UpstreamBroken):
            await answer.read()
        with pytest.raises(ConnectFailed, match="shutting down"):
            await own.post(server.url, b"{}", {})
