"""One contract for both transports, each case against a real socket."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from ppap_core.errors import ConnectFailed, MalformedReply, UpstreamBroken, UpstreamError, UpstreamTimeout
from ppap_core.upstream import Deadlines, Upstream

from .conftest import Transport
from .fault_server import FaultServer, Peer, Script, answering, chunked, ending, reply, stalling

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


@attrs.frozen
class Good:
    """``reused``: the connection carries the next request, too."""

    name: str
    script: Script
    body: bytes
    status: int = 200
    reused: bool = True


GOOD = (
    Good("content length", answering(reply(b"hello")), b"hello"),
    Good("head in pieces", answering(
        b"HTTP/1.", b"1 200 OK\r\ncontent-le", b"ngth: 2\r\n\r", b"\nhi"), b"hi"),
    Good("100 first", answering(b"HTTP/1.1 100 Continue\r\n\r\n", reply(b"hi")), b"hi"),
    Good("100 and 103 in the same write", answering(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n" + reply(b"hi")), b"hi"),
    Good("odd chunks", answering(
        CHUNKED + b"1\r", b"\na", b"\r\n00", b"2\r\nb", b"c\r\n0\r\n", b"\r\n"), b"abc"),
    Good("chunk extension", answering(CHUNKED + b"2;name=value\r\nhi\r\n0\r\n\r\n"), b"hi"),
    Good("trailers", answering(CHUNKED + b"2\r\nhi\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n"), b"hi"),
    Good("no chunk at all", answering(chunked()), b""),
    Good("empty", answering(reply(b"")), b""),
    Good("204", answering(b"HTTP/1.1 204 No Content\r\n\r\n"), b"", 204),
    Good("304 with a length", answering(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"), b"", 304),
    Good("closed at the end", ending(HEAD + b"\r\nto the", b" end"), b"to the end", reused=False),
    Good("closed, HTTP/1.0", ending(b"HTTP/1.0 200 OK\r\n\r\nold"), b"old", reused=False),
    Good("close announced", ending(reply(b"hi", b"connection: close")), b"hi", reused=False),
    Good("close announced, not done", answering(reply(b"hi", b"connection: close")), b"hi", reused=False),
    Good("error status", answering(reply(b"no", status=b"429 Too Many Requests")), b"no", 429),
    Good("no reason phrase", answering(b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nhi"), b"hi"),
    Good("redirect not followed", answering(reply(b"", b"location: /x", status=b"302 Found")), b"", 302),
    Good("large", answering(reply(b"0123456789" * 300_000)), b"0123456789" * 300_000),
)  # fmt: skip


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
async def test_body_is_whole_and_connection_kept_where_it_may_be(upstream: Upstream, case: Good) -> None:
    """Each framing gives its body, twice; the connection is used again exactly where HTTP allows it."""
    async with FaultServer(case.script) as server:
        for _ in range(2):
            answer = await upstream.post(server.url, b"{}", {})
            assert answer.status == case.status
            assert await answer.body() == case.body
            assert await answer.read() == b""
            await answer.close()
        assert server.connections == (1 if case.reused else 2)


@attrs.frozen
class Bad:
    name: str
    script: Script
    error: type[UpstreamError]
    body: bytes = b""
    """What is handed over before the error."""


async def _reset(peer: Peer) -> None:
    await peer.request()
    peer.writer.transport.abort()


BAD = (
    Bad("closes without a byte", ending(), UpstreamBroken),
    Bad("resets", _reset, UpstreamBroken),
    Bad("closes within the head", ending(b"HTTP/1.1 200 OK\r\ncontent-"), UpstreamBroken),
    Bad("closes after an interim answer", ending(b"HTTP/1.1 100 Continue\r\n\r\n"), UpstreamBroken),
    Bad(
        "fewer bytes than announced", ending(HEAD + b"content-length: 9\r\n\r\nhalf"), UpstreamBroken, b"half"
    ),
    Bad("closes between chunks", ending(CHUNKED + b"2\r\nhi\r\n"), UpstreamBroken, b"hi"),
    Bad("closes within a chunk", ending(CHUNKED + b"8\r\nhi"), UpstreamBroken, b"hi"),
    Bad("garbage", ending(b"SSH-2.0-OpenSSH\r\n\r\n"), MalformedReply),
    Bad("another version", ending(b"HTTP/2 200 OK\r\n\r\n"), MalformedReply),
    Bad("bad status", ending(b"HTTP/1.1 abc OK\r\n\r\n"), MalformedReply),
    Bad("bad header name", ending(HEAD + b"na me: 1\r\n\r\n"), MalformedReply),
    Bad("bad length", ending(HEAD + b"content-length: -4\r\n\r\n"), MalformedReply),
    Bad("two lengths", ending(HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi!"), MalformedReply),
    Bad("bad chunk size", ending(CHUNKED + b"zz\r\nhi\r\n"), MalformedReply),
    Bad("no line end after a chunk", ending(CHUNKED + b"2\r\nhi??\r\n"), MalformedReply, b"hi"),
    Bad("head too large", ending(HEAD + b"x-a: %b\r\n" % (b"y" * 9000) * 60), MalformedReply),
)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
async def test_fault_is_the_right_error(upstream: Upstream, case: Bad) -> None:
    """Pains 13 and 14: a cut or malformed answer is an error of its kind, never a clean end.

    It names host and port, and nothing of the URL's query nor of what the upstream sent.
    """
    got: list[bytes] = []

    async def call(url: str) -> None:
        answer = await upstream.post(url, b"{}", {})
        while data := await answer.read():
            got.append(data)

    async with FaultServer(case.script) as server:
        with pytest.raises(UpstreamError) as caught:
            await call(server.url)
        assert type(caught.value) is case.error
        assert b"".join(got) == case.body
        message = str(caught.value)
        assert message.startswith(f"localhost:{server.port}: ")
        assert not {"secret", "SSH", "abc", "zz"} & set(message.replace("=", " ").split())


async def test_error_is_repeated(upstream: Upstream) -> None:
    """Whoever reads on after an error gets an error again, not an end."""
    async with FaultServer(ending(CHUNKED + b"2\r\nhi\r\n")) as server:
        answer = await upstream.post(server.url, b"{}", {})
        for _ in range(2):
            with pytest.raises(UpstreamBroken):
                await answer.body()
        await answer.close()


async def test_closed_answer_has_no_clean_end(upstream: Upstream) -> None:
    """Reading an answer that was closed too early is an error."""
    async with FaultServer(stalling(CHUNKED + b"2\r\nhi\r\n")) as server:
        answer = await upstream.post(server.url, b"{}", {})
        assert await answer.read() == b"hi"
        await answer.close()
        await answer.close()
        with pytest.raises(UpstreamBroken):
            await answer.read()


async def test_silent_before_the_head(upstream: Upstream) -> None:
    """Pain 18: an upstream that accepts and says nothing is given up at the first-byte deadline."""
    async with FaultServer(stalling(b"HTTP/1.1 100 Continue\r\n\r\n")) as server:
        with pytest.raises(UpstreamTimeout, match=r"^localhost:\d+: no answer within 0\.05 s$"):
            await upstream.post(server.url, b"{}", {}, deadlines=Deadlines(first_byte=0.05))


async def test_trickling_head(upstream: Upstream) -> None:
    """Pain 18: bytes that trickle in do not put off the first-byte deadline."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD)
        while True:
            await peer.send(b"x-more: 1\r\n")
            await asyncio.sleep(0.01)

    async with FaultServer(script) as server:
        with pytest.raises(UpstreamTimeout):
            await upstream.post(server.url, b"{}", {}, deadlines=Deadlines(first_byte=0.1, between=5))


async def test_silent_within_the_body(upstream: Upstream) -> None:
    """Pain 18: a stream that goes silent ends with an error at the between-bytes deadline."""
    async with FaultServer(stalling(CHUNKED + b"2\r\nhi\r\n")) as server:
        answer = await upstream.post(server.url, b"{}", {}, deadlines=Deadlines(between=0.05))
        assert await answer.read() == b"hi"
        with pytest.raises(UpstreamTimeout):
            await answer.read()


async def test_long_stream_outlives_its_deadlines(upstream: Upstream) -> None:
    """Pain 17: a deadline between bytes starts anew with each byte; a long answer is not cut."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)
        for _ in range(12):
            await asyncio.sleep(0.05)
            await peer.send(b"1\r\nx\r\n")
        await peer.send(b"0\r\n\r\n")

    async with FaultServer(script) as server:
        limits = Deadlines(first_byte=0.5, between=0.5)
        answer = await upstream.post(server.url, b"{}", {}, deadlines=limits)
        assert await answer.body() == b"x" * 12


async def test_nobody_listens(upstream: Upstream, unused_tcp_port: int) -> None:
    """A refused connection is named as such."""
    with pytest.raises(ConnectFailed, match=rf"^127\.0\.0\.1:{unused_tcp_port}: cannot connect: "):
        await upstream.post(f"http://127.0.0.1:{unused_tcp_port}/", b"", {})


async def test_unknown_host(upstream: Upstream) -> None:
    """A host that DNS does not know is named as such."""
    with pytest.raises(ConnectFailed, match=r"^nowhere\.invalid:80: the host name cannot be resolved"):
        await upstream.post("http://nowhere.invalid/", b"", {})


@pytest.mark.parametrize("url", ["ftp://host/", "host/path", "http://", "http://ho st/", "https://u:p@host/"])
async def test_unusable_url(upstream: Upstream, url: str) -> None:
    """A URL that is none is refused without being shown."""
    with pytest.raises(ConnectFailed, match="URL"):
        await upstream.get(url, {})


async def test_cancel_before_the_head_closes_the_socket(upstream: Upstream) -> None:
    """Pain 16: a client that goes away before the answer ends the upstream call."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        call = asyncio.ensure_future(upstream.post(server.url, b"{}", {}))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), 5)


async def test_cancel_within_the_body_closes_the_socket(upstream: Upstream) -> None:
    """Pain 16: a client that goes away within the answer ends the upstream call."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        answer = await upstream.post(server.url, b"{}", {})
        assert await answer.read() == b"hi"
        read = asyncio.ensure_future(answer.read())
        await asyncio.sleep(0)
        read.cancel()
        with pytest.raises(asyncio.CancelledError):
            await read
        await answer.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_close_within_the_body_closes_the_socket(upstream: Upstream) -> None:
    """An answer that is no longer wanted is not read to its end."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED + b"2\r\nhi\r\n")
        await peer.gone()
        gone.set()

    async with FaultServer(script) as server:
        answer = await upstream.post(server.url, b"{}", {})
        await answer.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_refusal_before_the_body_was_read(upstream: Upstream) -> None:
    """An answer that comes, with a close, before the request's body was read is delivered."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(reply(b"too large", b"connection: close", status=b"413 Content Too Large"))
        await peer.gone()

    async with FaultServer(script) as server:
        answer = await upstream.post(server.url, b"x" * 100_000, {})
        assert answer.status == 413
        assert await answer.body() == b"too large"


async def test_server_closed_the_idle_connection(upstream: Upstream) -> None:
    """A kept connection that the server has closed meanwhile costs the next request nothing."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(reply())

    async with FaultServer(script) as server:
        for _ in range(3):
            answer = await upstream.post(server.url, b"{}", {})
            assert await answer.body() == b"ok"
            await asyncio.sleep(0.01)  # until the close has arrived
        assert server.connections == 3


async def test_many_at_once(upstream: Upstream, transport: Transport) -> None:
    """Two hundred requests at once each get their own answer; with httpx, which is slow at it, fifty."""
    count = {"own": 200, "httpx": 50}[transport]

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            await peer.send(chunked(request.body, b"!"))

    async def call(number: int) -> bytes:
        answer = await upstream.post(server.url, b"%d" % number, {})
        return await answer.body()

    async with FaultServer(script) as server:
        bodies = await asyncio.gather(*(call(number) for number in range(count)))
    assert bodies == [b"%d!" % number for number in range(count)]


async def test_what_is_sent(upstream: Upstream) -> None:
    """The caller's headers arrive as spelt, ours are added, and those of the connection are ours."""
    received = []

    async def script(peer: Peer) -> None:
        while True:
            received.append(await peer.request())
            await peer.send(reply())

    headers = {"X-Api-Key": "k", "Content-Length": "999", "Transfer-Encoding": "chunked", "Host": "elsewhere"}
    async with FaultServer(script) as server:
        await (await upstream.post(server.url, b"{}", headers)).body()
        await (await upstream.get(server.url, {"User-Agent": "mine", "accept-encoding": "br"})).body()
    post, get = received
    assert post.line == "POST /v1?key=secret HTTP/1.1"
    assert post.headers["host"] == f"localhost:{server.port}"
    assert post.headers["content-length"] == "2"
    assert post.headers["accept-encoding"] == "identity"
    assert post.headers["user-agent"].startswith("ppap/")
    assert post.body == b"{}"
    assert "X-Api-Key" in post.names
    assert "transfer-encoding" not in post.headers
    assert get.line == "GET /v1?key=secret HTTP/1.1"
    assert get.headers["user-agent"] == "mine"
    assert get.headers["accept-encoding"] == "br"
    assert "content-length" not in get.headers


@pytest.mark.parametrize("value", ["a\r\nx: 1", "a\nb", "a\rb", "a\0b", "a\u20ac"])
async def test_header_value_that_cannot_be_sent(upstream: Upstream, value: str) -> None:
    """A line break in a key cannot smuggle a header in; the error names the header, not its value."""
    with pytest.raises(ConnectFailed, match="the value of header `x-api-key`") as caught:
        await upstream.post("http://localhost:1/", b"", {"x-api-key": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä"])
async def test_header_name_that_cannot_be_sent(upstream: Upstream, name: str) -> None:
    """A header's name is a token or the request is not sent."""
    with pytest.raises(ConnectFailed, match="a header's name"):
        await upstream.post("http://localhost:1/", b"", {name: "1"})


async def test_answer_headers(upstream: Upstream) -> None:
    """Names are in lower case, repeated ones are joined, bytes beyond ASCII survive as Latin-1."""
    fields = (b"X-One: 1", b"x-one: 2", b"Retry-After: 7", b"x-name: caf\xe9")
    async with FaultServer(answering(reply(b"", *fields))) as server:
        answer = await upstream.post(server.url, b"{}", {})
        assert answer.headers["x-one"] == "1, 2"
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-name"] == "caf\xe9"
        await answer.close()
