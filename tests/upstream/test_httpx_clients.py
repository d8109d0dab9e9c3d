"""httpx clients on our connections, and the errors on that border."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from ppap_core import errors
from ppap_core.errors import MalformedReply, UpstreamBroken, UpstreamError
from ppap_core.upstream import Upstream
from ppap_core.upstream.httpx_errors import HTTPX_ERRORS, OUR_ERRORS, ours

from .fault_server import FaultServer, Peer, Script, answering, chunked, ending, reply, stalling


def test_no_error_of_httpx_is_missing() -> None:
    """Each exception that httpx exports has a meaning here."""
    exported = [getattr(httpx, name) for name in httpx.__all__]
    raised = {kind for kind in exported if isinstance(kind, type) and issubclass(kind, Exception)}
    assert raised == OUR_ERRORS.keys()


def test_no_error_of_ours_is_missing() -> None:
    """Each `UpstreamError` that a transport raises has its counterpart in httpx."""
    kinds = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UpstreamError)
    }
    assert kinds - {UpstreamError, errors.MalformedStream} == HTTPX_ERRORS.keys()


def test_an_early_end_is_not_malformed() -> None:
    """httpx has one exception for what breaks off and for what is not HTTP; we tell them apart."""
    cut = httpx.RemoteProtocolError("peer closed connection without sending complete message body")
    junk = httpx.RemoteProtocolError("illegal status line: secret")
    assert type(ours(cut, "host:1")) is UpstreamBroken
    assert type(ours(junk, "host:1")) is MalformedReply
    assert "secret" not in str(ours(junk, "host:1"))


async def test_client(upstream: Upstream) -> None:
    """A client posts forms, decodes JSON, and shares the connections of the data path."""
    received = []

    async def script(peer: Peer) -> None:
        while True:
            received.append(await peer.request())
            await peer.send(reply(b'{"a": 1}', b"content-type: application/json"))

    async with FaultServer(script) as server:
        await (await upstream.post(server.url, b"{}", {})).body()
        async with upstream.client() as client:
            response = await client.post(server.url, data={"grant": "x y"})
            assert response.json() == {"a": 1}
        await (await upstream.post(server.url, b"{}", {})).body()
        assert server.connections == 1
    assert received[1].body == b"grant=x+y"
    assert received[1].headers["user-agent"].startswith("ppap/")
    assert "gzip" in received[1].headers["accept-encoding"]


async def test_client_sends_a_stream(upstream: Upstream) -> None:
    """A body of unknown length arrives whole."""

    async def script(peer: Peer) -> None:
        text = await peer.head()
        if "content-length" in text.headers:
            body = await peer.exactly(int(text.headers["content-length"]))
        else:
            body = await peer.exactly(len(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"))
            body = body.replace(b"3\r\n", b"").replace(b"\r\n", b"").rstrip(b"0")
        await peer.send(reply(body))

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    async with FaultServer(script) as server, upstream.client() as client:
        assert (await client.post(server.url, content=parts())).content == b"onetwo"


async def test_client_head_request(upstream: Upstream) -> None:
    """An answer to HEAD has the length of a body it does not bring."""
    async with FaultServer(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")) as server:
        async with upstream.client() as client:
            for _ in range(2):
                response = await client.head(server.url)
                assert response.headers["content-length"] == "99"
                assert response.content == b""
        assert server.connections == 1


async def test_body_of_an_answer_to_head(own: Upstream) -> None:
    """A body that must not be there is dropped with its connection."""
    async with FaultServer(answering(reply(b"wrong"))) as server, own.client() as client:
        for _ in range(2):
            assert (await client.head(server.url)).content == b""
        assert server.connections == 2


async def test_client_streams(upstream: Upstream) -> None:
    """An answer can be read while it comes, and left in the middle."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(chunked(b"one").removesuffix(b"0\r\n\r\n"))
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server, upstream.client() as client:
        async with client.stream("POST", server.url, content=b"{}") as response:
            async for data in response.aiter_raw():
                assert data == b"one"
                break
        await asyncio.wait_for(gone.wait(), 5)


async def test_client_keeps_nothing_for_others(upstream: Upstream) -> None:
    """Cookies stay with the client that got them; redirects are not followed."""
    received = []

    async def script(peer: Peer) -> None:
        while True:
            received.append(await peer.request())
            await peer.send(reply(b"", b"set-cookie: a=1", b"location: /x", status=b"302 Found"))

    async with FaultServer(script) as server:
        for _ in range(2):
            assert (await upstream.client().get(server.url)).status_code == 302
            await (await upstream.get(server.url, {})).body()
    assert not any("cookie" in request.headers for request in received)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (ending(), httpx.RemoteProtocolError),
        (ending(b"garbage\r\n"), httpx.RemoteProtocolError),
        (ending(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), httpx.RemoteProtocolError),
        (stalling(), httpx.ReadTimeout),
        (stalling(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), httpx.ReadTimeout),
    ],
)
async def test_client_sees_errors_of_httpx(
    upstream: Upstream, script: Script, error: type[Exception]
) -> None:
    """Who uses httpx catches httpx's exceptions, whichever transport is below."""
    async with FaultServer(script) as server, upstream.client() as client:
        with pytest.raises(error):
            await client.post(server.url, content=b"{}", timeout=0.1)


async def test_client_cannot_connect(upstream: Upstream, unused_tcp_port: int) -> None:
    """So it is with connections that fail, and with proxies that are none."""
    async with upstream.client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{unused_tcp_port}/")
    async with upstream.client(proxy_url="nonsense") as client:
        with pytest.raises(httpx.ConnectError, match="is not a proxy's URL"):
            await client.get("http://127.0.0.1/")
