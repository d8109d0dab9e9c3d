"""The stub upstream does what it is told, seen from a raw socket and from an HTTP client."""

from __future__ import annotations

import asyncio
import ssl

import attrs
import httpx
import pytest
import trustme

from ppap_core.testing import (
    HEAD_FAULTS,
    STREAM_FAULTS,
    Answer,
    Framing,
    ReceivedRequest,
    StubUpstream,
    empty_stream,
    in_band_error,
    refusal,
    streamed,
    whole,
)

FRAMES = (b"data: one\n\n", b"data: two\n\n", b"data: three\n\n")
GET = b"GET /v1/things?a=1 HTTP/1.1\r\nHost: stub\r\n\r\n"


async def raw(stub: StubUpstream, request: bytes = GET) -> bytes:
    """All that a raw client reads until the connection ends. A reset raises `ConnectionError`."""
    host, _, port = stub.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_requests_are_remembered_as_they_came() -> None:
    """Method, target, headers in every form, and the body of a request can be looked at."""
    async with StubUpstream(whole(b"{}")) as stub, httpx.AsyncClient() as client:
        headers = [("X-Twice", "1"), ("X-Twice", "2")]
        await client.post(f"{stub.url}/v1/chat?beta=true", headers=headers, json={"a": 1})
        (request,) = stub.requests
        assert (request.method, request.path, request.target) == ("POST", "/v1/chat", "/v1/chat?beta=true")
        assert request.headers["x-twice"] == "1, 2"
        assert ("X-Twice", "2") in request.header_lines
        assert request.json() == {"a": 1}


async def test_answers_come_in_the_order_they_were_queued() -> None:
    """Each request takes the next answer; a queue that is empty gives what `otherwise` says."""
    async with StubUpstream(whole(b"1")) as stub, httpx.AsyncClient() as client:
        stub.answers(lambda request: whole(request.body * 2))
        told = [(await client.post(stub.url, content=b"x")).text for _ in range(2)]
        assert told == ["1", "xx"]
        unscripted = await client.get(stub.url + "/nowhere")
        assert unscripted.status_code == 500
        assert "GET /nowhere" in unscripted.text
        stub.otherwise(whole(b"ever"))
        assert (await client.get(stub.url)).text == "ever"
        assert {request.connection for request in stub.requests} == {0}


async def test_a_script_that_fails_fails_the_test() -> None:
    """An assertion inside a scripted function comes out where the stub is left."""

    def script(request: ReceivedRequest) -> Answer:
        raise LookupError("not the tool that was expected")

    async def use() -> int:
        async with StubUpstream(script) as stub, httpx.AsyncClient() as client:
            return (await client.get(stub.url)).status_code

    with pytest.raises(LookupError, match="expected"):
        await use()


async def test_each_frame_is_flushed_and_waits_can_stand_between() -> None:
    """What comes after an event is sent only when the event is set."""
    gate = asyncio.Event()
    async with (
        StubUpstream(streamed([FRAMES[0], gate, FRAMES[1]])) as stub,
        httpx.AsyncClient() as client,
        client.stream("GET", stub.url) as response,
    ):
        chunks = response.aiter_raw()
        assert await anext(chunks) == FRAMES[0]
        assert stub.requests[0].frames_sent == 1
        gate.set()
        assert await anext(chunks) == FRAMES[1]


async def test_the_head_can_wait() -> None:
    """`before_head` holds back the whole answer."""
    gate = asyncio.Event()
    async with StubUpstream(attrs.evolve(whole(b"late"), before_head=gate)) as stub:
        reading = asyncio.create_task(raw(stub, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")))
        await stub.received()
        assert not reading.done()
        gate.set()
        assert (await reading).endswith(b"late")


@pytest.mark.parametrize("framing", Framing)
async def test_every_framing_gives_the_whole_body(framing: Framing) -> None:
    """However the body is framed, a client reads all of it."""
    async with StubUpstream(Answer(frames=FRAMES, framing=framing)) as stub, httpx.AsyncClient() as client:
        assert (await client.get(stub.url)).content == b"".join(FRAMES)


async def test_a_client_that_leaves_is_noticed() -> None:
    """`disconnected` is set as soon as the client is gone, in the middle of an answer (pain 16)."""
    async with StubUpstream(streamed([FRAMES[0], asyncio.Event()])) as stub:
        reading = asyncio.create_task(raw(stub))
        request = (await stub.received())[0]
        assert not request.disconnected.is_set()
        reading.cancel()
        await request.disconnected.wait()


async def test_a_slow_client_is_not_overrun() -> None:
    """Frames wait when the client does not read, so that a test can see backpressure."""
    async with StubUpstream(streamed([b"x" * 1_000_000] * 50)) as stub:
        host, _, port = stub.url.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(GET)
        request = (await stub.received())[0]
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not request.answered.is_set()
        writer.transport.abort()
        await request.disconnected.wait()


async def test_tls() -> None:
    """With a context, the stub speaks https."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with (
        StubUpstream(whole(b"safe"), tls=server) as stub,
        httpx.AsyncClient(verify=trusting) as client,
    ):
        assert stub.url.startswith("https://")
        assert (await client.get(stub.url)).text == "safe"


async def test_once_closed_it_refuses() -> None:
    """After `close` nobody listens any more."""
    async with StubUpstream() as stub, httpx.AsyncClient() as client:
        await stub.close()
        with pytest.raises(httpx.ConnectError):
            await client.get(stub.url)


async def test_a_head_request_gets_no_body() -> None:
    """A HEAD is answered by a head alone, and the connection stays usable."""
    async with StubUpstream(whole(b"body"), whole(b"body")) as stub, httpx.AsyncClient() as client:
        assert (await client.head(stub.url)).content == b""
        assert (await client.get(stub.url)).text == "body"


async def test_a_wish_to_speak_otherwise_is_answered_like_any_request() -> None:
    """A client that wants a websocket gets the answer of the script."""
    wish = {"connection": "Upgrade", "upgrade": "websocket"}
    async with StubUpstream(whole(b"", status=426)) as stub, httpx.AsyncClient() as client:
        assert (await client.get(stub.url, headers=wish)).status_code == 426
        assert stub.requests[0].headers["upgrade"] == "websocket"


# --- faults before the head ---------------------------------------------------------------------

HEADS_SEEN = {
    "garbage": httpx.RemoteProtocolError,
    "close_before_reply": httpx.RemoteProtocolError,
    "reset_before_reply": httpx.ReadError,
    "slow_headers": httpx.ReadTimeout,
    "half_head": httpx.ReadTimeout,
}
"""Fault → what a client with a short patience sees."""


def test_every_head_fault_is_tried() -> None:
    """The table above is complete."""
    assert set(HEADS_SEEN) == set(HEAD_FAULTS)


@pytest.mark.parametrize("name", HEAD_FAULTS)
async def test_head_fault(name: str) -> None:
    """Each fault before the head shows itself as the failure that its name promises."""
    answer = HEAD_FAULTS[name](whole(b"healthy"))
    async with StubUpstream(answer) as stub, httpx.AsyncClient(timeout=0.3) as client:
        with pytest.raises(HEADS_SEEN[name]):
            await client.get(stub.url)


async def test_half_a_head() -> None:
    """A head that never ends has begun: the status line is there, the blank line is not."""
    async with StubUpstream(HEAD_FAULTS["half_head"](whole(b"healthy"))) as stub:
        host, _, port = stub.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(GET)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await stub.requests[0].answered.wait()
        assert b"\r\n\r\n" not in await reader.read(1000)
        writer.close()


# --- faults in the body -------------------------------------------------------------------------

BODIES_SEEN = {
    "cut": httpx.RemoteProtocolError,
    "reset": httpx.ReadError,
    "stall": httpx.ReadTimeout,
    "malformed_chunk": httpx.RemoteProtocolError,
    "clean_end": None,
    "garbage": None,
}
"""Fault → what a client sees after the frames that were promised; ``None``: a clean end of HTTP."""


def test_every_stream_fault_is_tried() -> None:
    """The table above is complete."""
    assert set(BODIES_SEEN) == set(STREAM_FAULTS)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("name", STREAM_FAULTS)
async def test_stream_fault(name: str, after: int) -> None:
    """Each fault in a body comes after exactly so many frames, and is what its name promises."""
    answer = STREAM_FAULTS[name](after)(streamed(FRAMES))
    received = b""
    async with StubUpstream(answer) as stub, httpx.AsyncClient(timeout=0.3) as client:
        try:
            async with client.stream("GET", stub.url) as response:
                async for part in response.aiter_raw():
                    received += part
            seen = None
        except httpx.TransportError as error:
            seen = type(error)
    assert seen is BODIES_SEEN[name]
    # A reset may destroy what the client's kernel had not handed over yet.
    assert received.startswith(b"".join(FRAMES[:after])) or name == "reset"
    assert FRAMES[after] not in received


async def test_in_band_error() -> None:
    """An in-band error takes the place of the rest of a 200 (pain 12)."""
    answer = in_band_error(b"data: oops\n\n", after=1)(streamed(FRAMES))
    async with StubUpstream(answer) as stub, httpx.AsyncClient() as client:
        response = await client.get(stub.url)
        assert response.status_code == 200
        assert response.content == FRAMES[0] + b"data: oops\n\n"


async def test_a_refusal_with_its_hint() -> None:
    """A refusal replaces the answer; its hint is a header, in seconds."""
    answer = refusal(429, b'{"error": {}}', retry_after=1.5)(streamed(FRAMES))
    async with StubUpstream(answer) as stub, httpx.AsyncClient() as client:
        response = await client.get(stub.url)
        assert (response.status_code, response.headers["retry-after"]) == (429, "1.5")


async def test_an_empty_stream() -> None:
    """A 200 that ends at once, well-formed."""
    async with StubUpstream(empty_stream(streamed(FRAMES))) as stub, httpx.AsyncClient() as client:
        response = await client.get(stub.url)
        assert (response.status_code, response.content) == (200, b"")


async def test_a_fault_keeps_the_waits_before_it() -> None:
    """A stream that is to be cut later still waits where it was told to wait."""
    gate = asyncio.Event()
    healthy = streamed([FRAMES[0], gate, FRAMES[1], FRAMES[2]])
    assert STREAM_FAULTS["cut"](2)(healthy).frames == (FRAMES[0], gate, FRAMES[1])
