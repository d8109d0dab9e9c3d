"""New settings while calls are under way."""

from __future__ import annotations

import asyncio

from ppap_core.upstream import UpstreamSettings

from .conftest import NewUpstream, Transport
from .fault_server import FaultServer, Peer, reply


async def test_new_settings_leave_open_answers_alone(new_upstream: NewUpstream, transport: Transport) -> None:
    """An answer under way is read to its end; its connection is closed then, and new calls open another."""
    upstream = new_upstream(transport=transport)
    go_on, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 2:
            await peer.send(reply(b"new"))
            return
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
        await go_on.wait()
        await peer.send(b"cd")
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        answer = await upstream.post(server.url, b"{}", {})
        upstream.reconfigure(UpstreamSettings(transport=transport, idle_seconds=1))
        assert await (await upstream.post(server.url, b"{}", {})).body() == b"new"
        go_on.set()
        assert await answer.body() == b"abcd"
        await answer.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_same_settings_change_nothing(new_upstream: NewUpstream, transport: Transport) -> None:
    """A reload that leaves the settings as they are keeps the connections."""
    upstream = new_upstream(transport=transport)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(reply())

    async with FaultServer(script) as server:
        for _ in range(2):
            await (await upstream.post(server.url, b"{}", {})).body()
            upstream.reconfigure(UpstreamSettings(transport=transport))
        assert server.connections == 1


async def test_client_survives_a_reload(new_upstream: NewUpstream, transport: Transport) -> None:
    """An httpx client that a plugin keeps goes by the new settings with its next request."""
    upstream = new_upstream(transport=transport)
    client = upstream.client()

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(reply())

    async with FaultServer(script) as server:
        for idle_seconds in (1, 2):
            upstream.reconfigure(UpstreamSettings(transport=transport, idle_seconds=idle_seconds))
            response = await client.post(server.url, content=b"{}")
            assert response.text == "ok"
        assert server.connections == 2
