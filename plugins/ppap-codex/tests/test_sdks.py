"""The vendors' SDKs against a Codex upstream: Responses, Chat Completions, Messages and Gemini."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import attrs
import openai
import pytest
from google import genai
from ppap_openai.responses.testing import ENCRYPTED, failed_event, message, stream_of, thought
from ppap_openai.responses.testing import stream as frames
from ppap_openai.testing import Call

from ppap_core.testing import StubUpstream, streamed
from ppap_core.testing.running import RunningProxy, running

MODEL = "some-model"
CONFIG = """
request-retry: 0
codex-api-key:
  - {{api-key: sk-one, base-url: '{url}', models: [{{name: gpt-5.5, alias: some-model}}]}}
"""
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"word": {"type": "string"}}}
CALLED = [Call("call_1", "look_up", '{"word":"one"}'), Call("call_2", "look_up", '{"word":"two"}')]
WORDS = [{"word": "one"}, {"word": "two"}]


@attrs.frozen
class Road:
    """The way from an SDK to a stub, through a proxy."""

    stub: StubUpstream
    proxy: RunningProxy

    @property
    def openai(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=f"{self.proxy.base_url}/v1", api_key=self.proxy.client_key, max_retries=0, timeout=20
        )

    @property
    def anthropic(self) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(
            base_url=self.proxy.base_url, api_key=self.proxy.client_key, max_retries=0, timeout=20
        )

    def says(self, *answers: list[bytes]) -> None:
        self.stub.answers(*map(streamed, answers))

    @property
    def asked(self) -> Any:
        """The last request that the upstream got."""
        return self.stub.requests[-1].json()


@pytest.fixture
async def way() -> AsyncIterator[Road]:
    async with StubUpstream() as stub, running(CONFIG.format(url=stub.url)) as proxy:
        yield Road(stub, proxy)


streamed_or_not = pytest.mark.parametrize("stream", [False, True])


async def response(way: Road, stream: bool, **asked: Any) -> Any:
    async with way.openai as client:
        if not stream:
            return await client.responses.create(model=MODEL, **asked)
        async with client.responses.stream(model=MODEL, **asked) as events:
            return await events.get_final_response()


@streamed_or_not
async def test_responses(way: Road, stream: bool) -> None:
    """Thought, text and parallel calls arrive whole, and go back up on the next turn."""
    items = [thought("Hm"), message("Looking")]
    way.says(stream_of(items, output=False), frames("Found"))
    first = await response(way, stream, input="Hello", temperature=1, max_output_tokens=99)
    assert (first.output_text, first.model, first.status) == ("Looking", MODEL, "completed")
    assert first.output[0].encrypted_content == ENCRYPTED
    history = [item.model_dump(exclude_none=True) for item in first.output]
    second = await response(way, stream, input=[{"role": "user", "content": "Hello"}, *history])
    assert second.output_text == "Found"
    assert way.asked["input"][1]["encrypted_content"] == ENCRYPTED
    assert "temperature" not in json.dumps(way.stub.requests[0].json())


@streamed_or_not
async def test_chat_completions(way: Road, stream: bool) -> None:
    """Parallel calls keep ids and arguments."""
    way.says(frames("Looking", tool_calls=CALLED))
    tools: Any = [{"type": "function", "function": {"name": "look_up", "parameters": SCHEMA}}]
    asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "tools": tools}
    async with way.openai as client:
        if stream:
            async with client.chat.completions.stream(**asked) as events:
                completion = await events.get_final_completion()
        else:
            completion = await client.chat.completions.create(**asked)
    told = completion.choices[0].message
    assert (told.content, completion.choices[0].finish_reason) == ("Looking", "tool_calls")
    assert [call.id for call in told.tool_calls or ()] == ["call_1", "call_2"]
    assert [json.loads(call.function.arguments) for call in told.tool_calls or ()] == WORDS  # type: ignore[union-attr]


@streamed_or_not
async def test_messages(way: Road, stream: bool) -> None:
    """Thoughts are shown, and come back to the model that had them (pain 23)."""
    way.says(frames("Looking", reasoning="Hm", tool_calls=CALLED), frames("Found"))
    tools: Any = [{"name": "look_up", "input_schema": SCHEMA}]
    turns: list[Any] = [{"role": "user", "content": "Hello"}]
    asked: Any = {"model": MODEL, "max_tokens": 99, "tools": tools}
    async with way.anthropic as client:
        if stream:
            async with client.messages.stream(messages=turns, **asked) as events:
                first = await events.get_final_message()
        else:
            first = await client.messages.create(messages=turns, **asked)
        assert [block.type for block in first.content] == ["thinking", "text", "tool_use", "tool_use"]
        calls: list[Any] = [block for block in first.content if block.type == "tool_use"]
        assert [call.input for call in calls] == WORDS
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "x"} for call in calls]
        turns += [
            {
                "role": "assistant",
                "content": [block.model_dump(exclude_none=True) for block in first.content],
            },
            {"role": "user", "content": results},
        ]
        await client.messages.create(messages=turns, **asked)
    kinds = [item["type"] for item in way.asked["input"]]
    assert kinds == ["message", "reasoning", "message", *["function_call"] * 2, *["function_call_output"] * 2]
    assert way.asked["input"][1]["encrypted_content"] == ENCRYPTED


@streamed_or_not
async def test_a_search_for_messages(way: Road, stream: bool) -> None:
    """A search is shown as one of the client's format; its history is not sent back as calls (C.16)."""
    action = {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a.example"}]}
    item = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": action}
    way.says(stream_of([item, message("Found")]), frames("Yes"))
    turns: list[Any] = [{"role": "user", "content": "Hello"}]
    asked: Any = {"model": MODEL, "max_tokens": 99}
    async with way.anthropic as client:
        if stream:
            async with client.messages.stream(messages=turns, **asked) as events:
                told = await events.get_final_message()
        else:
            told = await client.messages.create(messages=turns, **asked)
        for block in told.content:
            type(block).model_validate(block.model_dump())
        use, result, text = (block.model_dump(exclude_none=True) for block in told.content)
        turns += [{"role": "assistant", "content": [use, result, text]}, {"role": "user", "content": "Sure?"}]
        await client.messages.create(messages=turns, **asked)
    assert use == {"type": "server_tool_use", "id": "ws_1", "name": "web_search", "input": {"query": "q"}}
    assert (result["tool_use_id"], [page["url"] for page in result["content"]]) == (
        "ws_1",
        ["https://a.example"],
    )
    assert (text["text"], told.stop_reason) == ("Found", "end_turn")
    assert [item["type"] for item in way.asked["input"]] == ["message"] * 3


@streamed_or_not
async def test_gemini(way: Road, stream: bool) -> None:
    """Google's SDK reaches it too."""
    way.says(frames(["Hel", "lo"]))
    options = genai.types.HttpOptions(base_url=way.proxy.base_url)
    client = genai.Client(api_key=way.proxy.client_key, http_options=options)
    if stream:
        chunks = await client.aio.models.generate_content_stream(model=MODEL, contents="Hello")
        assert "".join([chunk.text or "" async for chunk in chunks]) == "Hello"
    else:
        assert (await client.aio.models.generate_content(model=MODEL, contents="Hello")).text == "Hello"
    await client.aio.aclose()


async def test_a_failure_raises_what_it_means(way: Road) -> None:
    """What the upstream says inside of its stream is the status of a whole answer (pain 12)."""
    way.says([*frames("")[:2], failed_event("Too long", "context_length_exceeded", 2)])
    async with way.openai as client:
        with pytest.raises(openai.BadRequestError, match="Too long") as refusal:
            await client.responses.create(model=MODEL, input="Hello")
    assert refusal.value.code == "context_too_large"
