"""The OpenAI SDK's Responses client, through the proxy to upstreams of other formats."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import attrs
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from ppap_openai import testing as chat
from pydantic import BaseModel, TypeAdapter

from ppap_core.testing import Answer, ReceivedRequest, StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running

messages = pytest.importorskip("ppap_claude.testing", reason="needs the plugin for Messages upstreams")
pytestmark = pytest.mark.client

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
MODEL = "some-model"
LOOK_UP: Any = {
    "type": "function",
    "name": "look_up",
    "description": "Looks up",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    "strict": False,
}
PATCH: Any = {"type": "custom", "name": "edit", "description": "Edits files"}


@attrs.frozen(kw_only=True)
class Turn:
    """What the model answers; ``calls`` are pairs of name and arguments."""

    text: str = ""
    thought: str = ""
    calls: Sequence[tuple[str, dict[str, Any]]] = ()


@attrs.frozen
class Upstream:
    """A kind of upstream: its config, and how it says a turn."""

    config: str
    say: Callable[[Turn, bool], Answer]


def _chat(turn: Turn, stream: bool) -> Answer:
    calls = [
        chat.Call(f"call_{number}", name, json.dumps(arguments))
        for number, (name, arguments) in enumerate(turn.calls, 1)
    ]
    if stream:
        return streamed(chat.stream(turn.text, reasoning=turn.thought, tool_calls=calls))
    return whole(chat.reply(turn.text, reasoning=turn.thought, tool_calls=calls))


def _messages(turn: Turn, stream: bool) -> Answer:
    if stream:
        return streamed(messages.stream(turn.text, thinking=turn.thought, tool_calls=turn.calls))
    return whole(messages.reply(turn.text, thinking=turn.thought, tool_calls=turn.calls))


UPSTREAMS = {
    "chat": Upstream(
        "openai-compatibility: [{{name: stub, base-url: '{url}/v1', api-key-entries: [{{api-key: sk-one}}],"
        " models: [{{name: upstream-model, alias: some-model}}]}}]",
        _chat,
    ),
    "messages": Upstream(
        "claude-api-key: [{{api-key: sk-one, base-url: '{url}',"
        " models: [{{name: claude-sonnet-4-5, alias: some-model}}]}}]",
        _messages,
    ),
}


@attrs.frozen
class Road:
    """The way from the SDK to a stub, through a proxy."""

    stub: StubUpstream
    upstream: Upstream
    proxy: RunningProxy

    @property
    def sdk(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=f"{self.proxy.base_url}/v1", api_key=self.proxy.client_key, max_retries=0, timeout=20
        )

    def says(self, *turns: Turn) -> None:
        def answer(turn: Turn) -> Callable[[ReceivedRequest], Answer]:
            return lambda request: self.upstream.say(turn, bool(request.json().get("stream")))

        self.stub.answers(*map(answer, turns))

    def asked(self, number: int = -1) -> Any:
        return self.stub.requests[number].json()


@pytest.fixture(params=UPSTREAMS)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    upstream = UPSTREAMS[request.param]
    async with StubUpstream() as stub:
        config = f"request-retry: 0\n{upstream.config.format(url=stub.url)}"
        async with running(config) as proxy:
            yield Road(stub, upstream, proxy)


async def answered(way: Road, stream: bool, **asked: Any) -> Any:
    """The whole response, by the stream helper or in one piece."""
    async with way.sdk as client:
        if not stream:
            return await client.responses.create(model=MODEL, **asked)
        async with client.responses.stream(model=MODEL, **asked) as events:
            return await events.get_final_response()


@pytest.mark.parametrize("stream", [False, True])
async def test_text(way: Road, stream: bool) -> None:
    """An answer has its text, the model's client name, its usage and the status completed."""
    way.says(Turn(text="Hello, world"))
    response = await answered(way, stream, input="Hello")
    assert response.output_text == "Hello, world"
    assert (response.status, response.model) == ("completed", MODEL)
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0


async def test_every_event_has_the_vendors_own_types(way: Road) -> None:
    """The SDK's types, read strictly, accept each event and the response at the end."""
    way.says(Turn(text="Hello", thought="Hm", calls=[("look_up", {"word": "one"}), ("edit", {"input": "x"})]))
    async with (
        way.sdk as client,
        client.responses.with_streaming_response.create(
            model=MODEL, input="Hello", stream=True, tools=[LOOK_UP, PATCH]
        ) as response,
    ):
        lines = [line async for line in response.iter_lines()]
    told = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    for event in told:
        EVENTS.validate_python(event, strict=True)
    Response.model_validate(told[-1]["response"], strict=True)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))


@pytest.mark.parametrize("stream", [False, True])
async def test_tool_round_trip(way: Road, stream: bool) -> None:
    """Parallel calls keep ids and arguments, and all of it reaches the model on the next turn (pain 22)."""
    calls = [("look_up", {"word": "one"}), ("look_up", {"word": "two"})]
    way.says(Turn(text="I will look.", calls=calls), Turn(text="Both found"))
    first = await answered(way, stream, input="Hello", tools=[LOOK_UP])
    told = [item for item in first.output if item.type == "function_call"]
    assert [(item.name, json.loads(item.arguments)) for item in told] == calls
    assert len({item.call_id for item in told}) == 2
    results: list[Any] = [
        {"type": "function_call_output", "call_id": item.call_id, "output": f"found {item.call_id}"}
        for item in told
    ]
    history = [
        {"role": "user", "content": "Hello"},
        *(item.model_dump(exclude_none=True) for item in first.output),
        *results,
    ]
    second = await answered(way, stream, input=history, tools=[LOOK_UP])
    assert second.output_text == "Both found"
    sent = json.dumps(way.asked()["messages"])
    assert all(f"found {item.call_id}" in sent for item in told)
    assert "I will look." in sent


@pytest.mark.parametrize("stream", [False, True])
async def test_free_text_tools(way: Road, stream: bool) -> None:
    """A custom tool is called with plain text, and its history goes up again (C.16)."""
    way.says(Turn(calls=[("edit", {"input": "*** Begin Patch"})]), Turn(text="Done"))
    first = await answered(way, stream, input="Patch it", tools=[PATCH])
    (call,) = first.output
    assert (call.type, call.name, call.input) == ("custom_tool_call", "edit", "*** Begin Patch")
    result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "patched"}
    history = [{"role": "user", "content": "Patch it"}, call.model_dump(exclude_none=True), result]
    second = await answered(way, stream, input=history, tools=[PATCH])
    assert second.output_text == "Done"
    sent = json.dumps(way.asked()["messages"])
    assert "*** Begin Patch" in sent
    assert "patched" in sent


@pytest.mark.parametrize("stream", [False, True])
async def test_thoughts_survive_the_round_trip(way: Road, stream: bool) -> None:
    """They are shown as a summary, and go back to the model that had them (pains 23 and 24)."""
    way.says(Turn(text="42", thought="Let me think"), Turn(text="Yes"))
    first = await answered(way, stream, input="What is it?", reasoning={"effort": "high", "summary": "auto"})
    assert [item.type for item in first.output] == ["reasoning", "message"]
    assert first.output[0].summary[0].text == "Let me think"
    history = [
        {"role": "user", "content": "What is it?"},
        *(item.model_dump(exclude_none=True) for item in first.output),
        {"role": "user", "content": "Sure?"},
    ]
    await answered(way, stream, input=history, reasoning={"effort": "high"})
    assistant = way.asked()["messages"][1]
    if way.upstream is UPSTREAMS["chat"]:
        assert assistant["reasoning_content"] == "Let me think"
    else:
        thinking = {"type": "thinking", "thinking": "Let me think", "signature": messages.SIGNATURE}
        assert assistant["content"][0] == thinking


class Weather(BaseModel):
    """An answer in a form of its own."""

    degrees: int


async def test_structured_output(way: Road) -> None:
    """The schema reaches the upstream, and the answer is parsed by it."""
    way.says(Turn(text='{"degrees": 18}'))
    async with way.sdk as client:
        response = await client.responses.parse(model=MODEL, input="How warm?", text_format=Weather)
    assert response.output_parsed == Weather(degrees=18)
    assert "degrees" in json.dumps(way.asked())


async def test_a_refused_request_raises_what_it_means(way: Road) -> None:
    """An upstream's refusal has its status and its words in the SDK's own error."""
    kind = messages if way.upstream is UPSTREAMS["messages"] else chat
    way.stub.otherwise(whole(kind.error(400, "Too warm"), status=400))
    async with way.sdk as client:
        with pytest.raises(openai.BadRequestError, match="Too warm"):
            await client.responses.create(model=MODEL, input="Hello", temperature=2)


async def test_a_cut_stream_ends_with_an_error_event(way: Road) -> None:
    """The iterator sees the error instead of a clean end (pain 13)."""
    whole_stream = way.upstream.say(Turn(text="Hello, world"), True)
    way.stub.otherwise(attrs.evolve(whole_stream, frames=whole_stream.frames[:-3]))
    async with way.sdk as client:
        events = await client.responses.create(model=MODEL, input="Hello", stream=True)
        told = [event async for event in events]
    assert told[-1].type == "error"
