"""The Anthropic SDK for Python, straight to a stub and through the proxy to every upstream kind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import attrs
import httpx2
import pytest
from anthropic import beta_async_tool

from ppap_core.testing import ReceivedRequest, cut_after, in_band_error, streamed, whole
from ppap_core.testing.strategies import PIXEL

from ..dialects import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, THOUGHT, Call, Turn, answer
from ..dialects.messages import SIGNATURE
from .roads import AT_ONCE, MODEL, PROXIED, ROADS, Road, road

pytestmark = pytest.mark.client
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
LOOK_UP: Any = {
    "name": "look_up",
    "description": "Looks up",
    "input_schema": {"type": "object", "properties": {"word": {"type": "string"}}},
}
CALLS = [Call("toolu_a", "look_up", {"word": "one"}), Call("toolu_b", "look_up", {"word": "two"})]


@pytest.fixture(params=ROADS)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    async with road(request.param, "messages", config=AT_ONCE) as found:
        yield found


@pytest.fixture(params=PROXIED)
async def proxied(request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    async with road(request.param, "messages", config=AT_ONCE) as found:
        yield found


def sdk(way: Road, *, key: str = "", max_retries: int = 0) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        base_url=way.base_url, api_key=key or way.key, max_retries=max_retries, timeout=20
    )


async def answered(client: anthropic.AsyncAnthropic, stream: bool, **more: Any) -> Any:
    """The message that comes in the end, streamed or not."""
    options: Any = {"model": MODEL, "max_tokens": 1000, "messages": HELLO, **more}
    if not stream:
        return await client.messages.create(**options)
    async with client.messages.stream(**options) as events:
        return await events.get_final_message()


@pytest.mark.parametrize("stream", [False, True])
async def test_text(way: Road, stream: bool) -> None:
    """An answer has its text, its stop reason and the tokens that the upstream counted (pain 30)."""
    way.says(Turn(text="Hello, world"))
    async with sdk(way) as client:
        reply = await answered(client, stream)
    assert [block.text for block in reply.content] == ["Hello, world"]
    assert (reply.role, reply.type, reply.stop_reason) == ("assistant", "message", "end_turn")
    assert reply.usage.input_tokens == INPUT_TOKENS - CACHED_TOKENS
    assert reply.usage.cache_read_input_tokens == CACHED_TOKENS
    assert reply.usage.output_tokens == OUTPUT_TOKENS
    if way.proxy:
        assert reply.model == MODEL
        assert way.asked()["model"] == "upstream-model"


async def test_events_keep_their_order(way: Road) -> None:
    """Blocks open and close in order, one at a time, between one start and one stop (pain 21)."""
    way.says(Turn(text="I will look.", calls=CALLS, thought=THOUGHT))
    async with sdk(way) as client:
        stream = await client.messages.create(model=MODEL, max_tokens=1000, messages=HELLO, stream=True)
        events = [event async for event in stream]
    kinds = [event.type for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("message_start") == kinds.count("message_stop") == 1
    opened: list[int] = []
    for event in events:
        if event.type == "content_block_start":
            opened.append(event.index)
        elif event.type in ("content_block_delta", "content_block_stop"):
            assert event.index == opened[-1]
    assert opened == list(range(len(opened)))
    assert len(opened) >= 4


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_round_trip(way: Road, stream: bool) -> None:
    """Parallel calls keep their own ids and inputs, and their results reach the model (pain 22)."""
    way.says(Turn(text="I will look.", calls=CALLS), Turn(text="Both found"))
    async with sdk(way) as client:
        reply = await answered(client, stream, tools=[LOOK_UP])
        calls = [block for block in reply.content if block.type == "tool_use"]
        assert [(call.id, call.name, call.input) for call in calls] == [
            (call.id, call.name, call.arguments) for call in CALLS
        ]
        assert reply.stop_reason == "tool_use"
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": f"found {call.id}"} for call in CALLS
        ]
        asked = {"role": "assistant", "content": reply.content}
        messages = [*HELLO, asked, {"role": "user", "content": results}]
        last = await answered(client, stream, tools=[LOOK_UP], messages=messages)
    assert last.content[0].text == "Both found"
    assert list(way.upstream.tools(way.asked())) == ["look_up"]
    brought = way.upstream.results(way.asked())
    assert [f"found {call.id}" in result for call, result in zip(CALLS, brought, strict=True)] == [True, True]


async def test_tool_runner(way: Road) -> None:
    """The SDK's own loop over tools runs to the last answer, and the model sees what it had asked for.

    It keeps the conversation with the upstream first; where it cannot be kept, all of it is sent again.
    """
    looked_up: list[str] = []

    @beta_async_tool
    async def look_up(word: str) -> str:
        """Looks a word up.

        Args:
            word: the word
        """
        looked_up.append(word)
        return f"found {word}"

    way.says(Turn(text="I will look.", calls=CALLS), Turn(text="Both found"))
    async with sdk(way) as client:
        runner = client.beta.messages.tool_runner(
            model=MODEL, max_tokens=1000, messages=HELLO, tools=[look_up]
        )
        last = await runner.until_done()
    assert last.content[0].type == "text"
    assert last.content[0].text == "Both found"
    assert looked_up == ["one", "two"]
    assert len(way.upstream.results(way.asked())) == 2
    if way.upstream.name != "messages":
        assert list(way.upstream.tools(way.asked())) == ["look_up"]


async def test_image(way: Road) -> None:
    """A picture in base64 reaches the model."""
    way.says(Turn(text="A pixel"))
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    picture: Any = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    async with sdk(way) as client:
        await answered(client, False, messages=[{"role": "user", "content": picture}])
    assert PIXEL in way.asked_text()
    assert "image/png" in way.asked_text()


@pytest.mark.parametrize("stream", [False, True])
async def test_thinking(way: Road, stream: bool) -> None:
    """A thinking block comes first; its signature is its issuer's own, to the byte (pain 23)."""
    way.says(Turn(text="Printing", calls=CALLS[:1], thought=THOUGHT), Turn(text="Done"))
    thinking = {"type": "enabled", "budget_tokens": 1024}
    async with sdk(way) as client:
        reply = await answered(client, stream, thinking=thinking, tools=[LOOK_UP], max_tokens=4000)
        # A block that only carries a signature may stand before what it signs.
        told = [block.type for block in reply.content if block.type != "thinking" or block.thinking]
        assert told == ["thinking", "text", "tool_use"]
        assert reply.content[0].thinking == THOUGHT
        asked = {"role": "assistant", "content": reply.content}
        result = {"type": "tool_result", "tool_use_id": CALLS[0].id, "content": "found"}
        messages = [*HELLO, asked, {"role": "user", "content": [result]}]
        await answered(client, stream, thinking=thinking, tools=[LOOK_UP], max_tokens=4000, messages=messages)
    if way.upstream.name == "messages":
        assert reply.content[0].signature == SIGNATURE
        assert {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE} in (
            way.asked()["messages"][1]["content"]
        )
    else:
        assert SIGNATURE not in way.asked_text()


async def test_twenty_at_once(way: Road) -> None:
    """Twenty requests at the same time each get their own answer."""
    way.stub.otherwise(lambda request: answer(way.upstream, request, Turn(text=_last_words(request))))
    async with sdk(way) as client:

        async def ask(number: int) -> str:
            reply = await answered(client, True, messages=[{"role": "user", "content": f"number {number}"}])
            return str(reply.content[0].text)

        answers = await asyncio.gather(*map(ask, range(20)))
    assert answers == [f"number {number}" for number in range(20)]


def _last_words(request: ReceivedRequest) -> str:
    """The last number that was asked about, in whatever format."""
    return re.findall(r"number \d+", request.body.decode())[-1]


# --- errors ------------------------------------------------------------------------------------

STATUS_ERRORS = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    503: anthropic.InternalServerError,
    529: anthropic.InternalServerError,
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", STATUS_ERRORS)
async def test_errors_have_their_own_class_and_words(way: Road, status: int, stream: bool) -> None:
    """An upstream's refusal raises the SDK's own exception for it, with the upstream's words."""
    way.stub.otherwise(way.refuses(status, "Not on a Sunday"))
    async with sdk(way) as client:
        with pytest.raises(STATUS_ERRORS[way.told(status)], match="Not on a Sunday") as caught:
            await answered(client, stream)
    assert isinstance(caught.value, anthropic.APIStatusError)
    assert caught.value.status_code == way.told(status)
    assert isinstance(caught.value.body, dict)
    if way.proxy:
        assert caught.value.body["type"] == "error"


async def test_a_rate_limit_is_waited_out(way: Road) -> None:
    """A client that may retry is answered in the end, whoever of them waits as the upstream asked."""
    way.stub.answers(way.refuses(429, "Slowly", {"Retry-After": "1"}))
    way.says(Turn(text="Now"))
    async with sdk(way, max_retries=2) as client:
        reply = await answered(client, False)
    assert reply.content[0].text == "Now"


async def test_an_error_in_band_before_the_first_word(proxied: Road) -> None:
    """A refusal on a 200 is told as a status, because nothing was sent yet (pain 12)."""
    healthy = streamed(proxied.upstream.frames(Turn(text="Hello")))
    proxied.stub.otherwise(in_band_error(proxied.upstream.in_band_error("Overloaded today"))(healthy))
    async with sdk(proxied) as client:
        with pytest.raises(anthropic.InternalServerError, match="Overloaded today"):
            await answered(client, True)


async def test_an_error_in_band_after_the_first_word(way: Road) -> None:
    """A failure in the middle raises where the stream is read, with the upstream's words."""
    frames = way.upstream.frames(Turn(text="Hello, world"))
    healthy = streamed(way.upstream.frames(Turn(text="Hello, world")))
    broken = in_band_error(way.upstream.in_band_error("Overloaded today"), after=_said(frames, "Hello,"))
    way.stub.otherwise(broken(healthy))
    async with sdk(way) as client:
        with pytest.raises(anthropic.APIStatusError, match="Overloaded today"):
            await answered(client, True)


async def test_a_stream_that_is_cut(way: Road) -> None:
    """Half an answer is never passed off as a whole one (pain 13)."""
    frames = way.upstream.frames(Turn(text="Hello, world"))
    healthy = streamed(way.upstream.frames(Turn(text="Hello, world")))
    way.stub.otherwise(cut_after(_said(frames, "Hello,"))(healthy))
    expected = anthropic.APIStatusError if way.proxy else httpx2.RemoteProtocolError
    async with sdk(way) as client:
        with pytest.raises(expected):
            await answered(client, True)


def _said(frames: list[bytes], word: str) -> int:
    """How many frames it takes until a word is out."""
    return next(number for number, frame in enumerate(frames, 1) if word.encode() in frame)


# --- what only the proxy has -------------------------------------------------------------------


async def test_models(proxied: Road) -> None:
    """Models are listed in this SDK's own shape, and found by the name that clients use."""
    async with sdk(proxied) as client:
        page = await client.models.list()
        found = await client.models.retrieve(MODEL)
    assert (MODEL, "model") in [(model.id, model.type) for model in page.data]
    assert (page.first_id, page.last_id) == (page.data[0].id, page.data[-1].id)
    assert page.has_more is False
    assert (found.id, found.type) == (MODEL, "model")


COUNTED = {
    "messages": (b'{"input_tokens": 4711}', "/v1/messages/count_tokens"),
    "gemini": (b'{"totalTokens": 4711}', "/v1beta/models/upstream-model:countTokens"),
}
"""Upstreams that count → how they tell it, and where they are asked."""


async def test_count_tokens(proxied: Road) -> None:
    """Tokens are counted before asking: by the upstream where it can."""
    told, path = COUNTED.get(proxied.upstream.name, (b"", ""))
    proxied.stub.otherwise(whole(told))
    async with sdk(proxied) as client:
        count = await client.messages.count_tokens(model=MODEL, messages=HELLO)
    if told:
        assert count.input_tokens == 4711
        assert [request.path for request in proxied.stub.requests] == [path]
    else:
        assert 1 <= count.input_tokens < 100
        assert proxied.stub.requests == []


@pytest.mark.parametrize("where", ["api_key", "auth_token"])
async def test_a_wrong_key(proxied: Road, where: str) -> None:
    """A key that is not configured is refused in the SDK's own words, and nobody is called."""
    keys: dict[str, Any] = {"api_key": None, "auth_token": None, where: "sk-wrong"}
    client = anthropic.AsyncAnthropic(base_url=proxied.base_url, max_retries=0, **keys)
    async with client:
        with pytest.raises(anthropic.AuthenticationError, match="Invalid API key") as caught:
            await answered(client, False)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["error"]["type"] == "authentication_error"
    assert proxied.stub.requests == []


async def test_an_auth_token(proxied: Road) -> None:
    """A client key may also come as a bearer token."""
    proxied.says(Turn(text="Hello"))
    client = anthropic.AsyncAnthropic(base_url=proxied.base_url, api_key=None, auth_token=proxied.key)
    async with client:
        assert (await answered(client, False)).content[0].text == "Hello"


async def test_an_unknown_model(proxied: Road) -> None:
    """A model that nobody serves is named in a 404, and nobody is called."""
    async with sdk(proxied) as client:
        with pytest.raises(anthropic.NotFoundError, match="nobodys-model"):
            await answered(client, False, model="nobodys-model")
    assert proxied.stub.requests == []


async def test_a_client_that_hangs_up(proxied: Road) -> None:
    """Leaving a stream cancels the upstream call; it is recorded, and nobody's failure (pain 16)."""
    assert proxied.proxy is not None
    frames = proxied.upstream.frames(Turn(text="Hello, world"))
    healthy = streamed(proxied.upstream.frames(Turn()))
    said = frames[: _said(frames, "Hello,")]
    proxied.stub.answers(attrs.evolve(healthy, frames=(*said, asyncio.Event())))
    async with sdk(proxied) as client:
        stream = await client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, stream=True)
        async for event in stream:
            if event.type == "content_block_delta":
                break
        await stream.close()
        await asyncio.wait_for(proxied.stub.requests[0].disconnected.wait(), 5)
        record = (await proxied.proxy.finished())[-1]
        assert (record.status, record.outcome) == (499, "cancelled")
        proxied.says(Turn(text="Still here"))
        reply = await answered(client, False)
    assert reply.content[0].text == "Still here"
