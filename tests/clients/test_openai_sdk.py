"""The OpenAI SDK for Python, straight to a stub and through the proxy to every upstream kind."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import attrs
import openai
import pytest

from ppap_core.testing import ReceivedRequest, cut_after, in_band_error, streamed
from ppap_core.testing.strategies import PIXEL

from ..dialects import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, THOUGHT, Call, Turn, answer
from .roads import AT_ONCE, MODEL, PROXIED, ROADS, Road, road

pytestmark = pytest.mark.client
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
LOOK_UP: Any = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks up",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    },
}
CALLS = [Call("call_a", "look_up", {"word": "one"}), Call("call_b", "look_up", {"word": "two"})]


@pytest.fixture(params=ROADS)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    async with road(request.param, "chat", config=AT_ONCE) as found:
        yield found


@pytest.fixture(params=PROXIED)
async def proxied(request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    async with road(request.param, "chat", config=AT_ONCE) as found:
        yield found


def sdk(way: Road, *, key: str = "", max_retries: int = 0) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        base_url=f"{way.base_url}/v1", api_key=key or way.key, max_retries=max_retries, timeout=20
    )


async def chunks(client: openai.AsyncOpenAI, **more: Any) -> list[Any]:
    """All chunks of a streamed answer."""
    options: dict[str, Any] = {"messages": HELLO, "stream_options": {"include_usage": True}, **more}
    stream = await client.chat.completions.create(model=MODEL, stream=True, **options)
    return [chunk async for chunk in stream]


def streamed_text(parts: list[Any]) -> str:
    return "".join(choice.delta.content or "" for part in parts for choice in part.choices)


async def test_text(way: Road) -> None:
    """A whole answer has its text, its finish reason and the tokens that the upstream counted."""
    way.says(Turn(text="Hello, world"))
    async with sdk(way) as client:
        reply = await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert reply.choices[0].message.content == "Hello, world"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == INPUT_TOKENS
    assert reply.usage.completion_tokens == OUTPUT_TOKENS
    assert reply.usage.prompt_tokens_details is not None
    assert reply.usage.prompt_tokens_details.cached_tokens == CACHED_TOKENS
    if way.proxy:
        assert reply.model == MODEL
        assert way.asked()["model"] == "upstream-model"


async def test_stream(way: Road) -> None:
    """A streamed answer has the same text in pieces, one finish reason, and usage at its end."""
    way.says(Turn(text="Hello, world"))
    async with sdk(way) as client:
        parts = await chunks(client)
    assert streamed_text(parts) == "Hello, world"
    finishes = [choice.finish_reason for part in parts for choice in part.choices if choice.finish_reason]
    assert finishes == ["stop"]
    assert parts[-1].usage.prompt_tokens == INPUT_TOKENS
    assert parts[-1].usage.completion_tokens == OUTPUT_TOKENS


async def test_stream_without_usage(way: Road) -> None:
    """A client that did not ask for usage gets no chunk without a choice, though the proxy asks for one."""
    way.says(Turn(text="Hello, world"))
    async with sdk(way) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        parts = [part async for part in stream]
    assert streamed_text(parts) == "Hello, world"
    if way.proxy:
        assert all(part.choices for part in parts)


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_round_trip(way: Road, stream: bool) -> None:
    """Parallel calls keep their own ids and arguments, and their results reach the model (pain 22)."""
    way.says(Turn(text="I will look.", calls=CALLS), Turn(text="Both found"))
    async with sdk(way) as client:
        if stream:
            async with client.chat.completions.stream(model=MODEL, messages=HELLO, tools=[LOOK_UP]) as events:
                reply: Any = await events.get_final_completion()
        else:
            reply = await client.chat.completions.create(model=MODEL, messages=HELLO, tools=[LOOK_UP])
        message = reply.choices[0].message
        told = [
            (call.id, call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls
        ]
        assert told == [(call.id, call.name, call.arguments) for call in CALLS]
        assert reply.choices[0].finish_reason == "tool_calls"
        results: list[Any] = [
            {"role": "tool", "tool_call_id": call.id, "content": f"found {call.id}"} for call in CALLS
        ]
        asked: Any = {"role": "assistant", "content": message.content, "tool_calls": message.tool_calls}
        last = await client.chat.completions.create(
            model=MODEL, messages=[*HELLO, asked, *results], tools=[LOOK_UP]
        )
    assert last.choices[0].message.content == "Both found"
    assert list(way.upstream.tools(way.asked())) == ["look_up"]
    brought = way.upstream.results(way.asked())
    assert [f"found {call.id}" in result for call, result in zip(CALLS, brought, strict=True)] == [True, True]


async def test_image(way: Road) -> None:
    """A picture in a data URL reaches the model."""
    way.says(Turn(text="A pixel"))
    url = f"data:image/png;base64,{PIXEL}"
    picture: Any = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    async with sdk(way) as client:
        await client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": picture}])
    assert PIXEL in way.asked_text()
    assert "image/png" in way.asked_text()


@pytest.mark.parametrize("stream", [False, True])
async def test_thinking(way: Road, stream: bool) -> None:
    """What the model thought arrives as `reasoning_content`, apart from its words (pain 24)."""
    way.says(Turn(text="Done", thought=THOUGHT))
    async with sdk(way) as client:
        if stream:
            deltas = [choice.delta for part in await chunks(client) for choice in part.choices]
            thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
            text = "".join(delta.content or "" for delta in deltas)
        else:
            reply = await client.chat.completions.create(model=MODEL, messages=HELLO)
            thought = getattr(reply.choices[0].message, "reasoning_content", "")
            text = reply.choices[0].message.content or ""
    assert (thought, text) == (THOUGHT, "Done")


async def test_twenty_at_once(way: Road) -> None:
    """Twenty requests at the same time each get their own answer."""
    way.stub.otherwise(lambda request: answer(way.upstream, request, Turn(text=_last_words(request))))
    async with sdk(way) as client:

        async def ask(number: int) -> str:
            messages: list[Any] = [{"role": "user", "content": f"number {number}"}]
            return streamed_text(await chunks(client, messages=messages))

        answers = await asyncio.gather(*map(ask, range(20)))
    assert answers == [f"number {number}" for number in range(20)]


def _last_words(request: ReceivedRequest) -> str:
    """The last number that was asked about, in whatever format."""
    return re.findall(r"number \d+", request.body.decode())[-1]


# --- Responses ---------------------------------------------------------------------------------

RESPONSES_LOOK_UP: Any = {"type": "function", "strict": False, **LOOK_UP["function"]}


async def responded(client: openai.AsyncOpenAI, stream: bool, **body: Any) -> Any:
    """The response that comes in the end, streamed or not."""
    if not stream:
        return await client.responses.create(model=MODEL, **body)
    async with client.responses.stream(model=MODEL, **body) as events:
        return await events.get_final_response()


@pytest.mark.parametrize("stream", [False, True])
async def test_response(proxied: Road, stream: bool) -> None:
    """A response has its text, what the model thought, its status and the upstream's tokens (pain 30)."""
    proxied.says(Turn(text="Hello, world", thought=THOUGHT))
    async with sdk(proxied) as client:
        reply = await responded(client, stream, input="Hello")
    assert (reply.output_text, reply.status) == ("Hello, world", "completed")
    assert [part.text for part in reply.output[0].summary] == [THOUGHT]
    assert reply.usage.input_tokens == INPUT_TOKENS
    assert reply.usage.input_tokens_details.cached_tokens == CACHED_TOKENS
    assert reply.usage.output_tokens == OUTPUT_TOKENS
    assert reply.model == MODEL


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_round_trip_of_responses(proxied: Road, stream: bool) -> None:
    """Parallel calls keep their own ids and arguments, and their results reach the model (pain 22)."""
    proxied.says(Turn(text="I will look.", calls=CALLS), Turn(text="Both found"))
    async with sdk(proxied) as client:
        reply = await responded(client, stream, input=HELLO, tools=[RESPONSES_LOOK_UP])
        calls = [item for item in reply.output if item.type == "function_call"]
        assert [(call.call_id, call.name, json.loads(call.arguments)) for call in calls] == [
            (call.id, call.name, call.arguments) for call in CALLS
        ]
        results = [
            {"type": "function_call_output", "call_id": call.id, "output": f"found {call.id}"}
            for call in CALLS
        ]
        asked = [item.model_dump(exclude_none=True) for item in reply.output]
        last = await responded(client, stream, input=[*HELLO, *asked, *results], tools=[RESPONSES_LOOK_UP])
    assert last.output_text == "Both found"
    brought = proxied.upstream.results(proxied.asked())
    assert [f"found {call.id}" in result for call, result in zip(CALLS, brought, strict=True)] == [True, True]


# --- errors ------------------------------------------------------------------------------------

STATUS_ERRORS = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
    529: openai.InternalServerError,
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", STATUS_ERRORS)
async def test_errors_have_their_own_class_and_words(way: Road, status: int, stream: bool) -> None:
    """An upstream's refusal raises the SDK's own exception for it, with the upstream's words."""
    way.stub.otherwise(way.refuses(status, "Not on a Sunday"))
    async with sdk(way) as client:
        with pytest.raises(STATUS_ERRORS[way.told(status)], match="Not on a Sunday") as caught:
            await client.chat.completions.create(model=MODEL, messages=HELLO, stream=stream)
    assert isinstance(caught.value, openai.APIStatusError)
    assert caught.value.status_code == way.told(status)


async def test_a_rate_limit_is_waited_out(way: Road) -> None:
    """A client that may retry is answered in the end, whoever of them waits as the upstream asked."""
    way.stub.answers(way.refuses(429, "Slowly", {"Retry-After": "1"}))
    way.says(Turn(text="Now"))
    async with sdk(way, max_retries=2) as client:
        reply = await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert reply.choices[0].message.content == "Now"


async def test_an_error_in_band_before_the_first_word(proxied: Road) -> None:
    """A refusal on a 200 is told as a status, because nothing was sent yet (pain 12)."""
    healthy = streamed(proxied.upstream.frames(Turn(text="Hello")))
    broken = in_band_error(proxied.upstream.in_band_error("Overloaded today"))(healthy)
    proxied.stub.otherwise(broken)
    async with sdk(proxied) as client:
        with pytest.raises(openai.APIStatusError, match="Overloaded today"):
            await chunks(client)


async def test_an_error_in_band_after_the_first_word(way: Road) -> None:
    """A failure in the middle raises where the stream is read, with the upstream's words."""
    frames = way.upstream.frames(Turn(text="Hello, world"))
    healthy = streamed(way.upstream.frames(Turn(text="Hello, world")))
    broken = in_band_error(way.upstream.in_band_error("Overloaded today"), after=_said(frames, "Hello,"))
    way.stub.otherwise(broken(healthy))
    async with sdk(way) as client:
        with pytest.raises(openai.APIError, match="Overloaded today"):
            await chunks(client)


async def test_a_stream_that_is_cut(way: Road) -> None:
    """Half an answer is never passed off as a whole one (pain 13)."""
    frames = way.upstream.frames(Turn(text="Hello, world"))
    healthy = streamed(way.upstream.frames(Turn(text="Hello, world")))
    way.stub.otherwise(cut_after(_said(frames, "Hello,"))(healthy))
    async with sdk(way) as client:
        with pytest.raises(openai.APIError):
            await chunks(client)


def _said(frames: list[bytes], word: str) -> int:
    """How many frames it takes until a word is out."""
    return next(number for number, frame in enumerate(frames, 1) if word.encode() in frame)


# --- what only the proxy has -------------------------------------------------------------------


async def test_models(proxied: Road) -> None:
    """Models are listed and found by the name that clients use."""
    async with sdk(proxied) as client:
        listed = [model.id async for model in client.models.list()]
        found = await client.models.retrieve(MODEL)
    assert MODEL in listed
    assert "upstream-model" not in listed
    assert (found.id, found.object) == (MODEL, "model")


async def test_a_wrong_key(proxied: Road) -> None:
    """A key that is not configured is refused in the SDK's own words, and nobody is called."""
    async with sdk(proxied, key="sk-wrong") as client:
        with pytest.raises(openai.AuthenticationError, match="Invalid API key"):
            await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert proxied.stub.requests == []


async def test_an_unknown_model(proxied: Road) -> None:
    """A model that nobody serves is named in a 404, and nobody is called."""
    async with sdk(proxied) as client:
        with pytest.raises(openai.NotFoundError, match="nobodys-model"):
            await client.chat.completions.create(model="nobodys-model", messages=HELLO)
    assert proxied.stub.requests == []


async def test_a_client_that_hangs_up(proxied: Road) -> None:
    """Leaving a stream cancels the upstream call; it is recorded, and nobody's failure (pain 16)."""
    assert proxied.proxy is not None
    frames = proxied.upstream.frames(Turn(text="Hello, world"))
    healthy = streamed(proxied.upstream.frames(Turn()))
    said = frames[: _said(frames, "Hello,")]
    proxied.stub.answers(attrs.evolve(healthy, frames=(*said, asyncio.Event())))
    async with sdk(proxied) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                break
        await stream.close()
        await asyncio.wait_for(proxied.stub.requests[0].disconnected.wait(), 5)
        record = (await proxied.proxy.finished())[-1]
        assert (record.status, record.outcome) == (499, "cancelled")
        proxied.says(Turn(text="Still here"))
        reply = await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert reply.choices[0].message.content == "Still here"
