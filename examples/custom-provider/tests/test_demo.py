"""The demo provider keeps the contract, and every client format gets an answer from it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from anthropic import AsyncAnthropic
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from ppap_demo import NAME, Demo, DemoSettings, example_of

from ppap_core.conversation import Conversation, Message, Text, ThinkingIntent, Tool, ToolChoice, ToolResult
from ppap_core.credentials import Credential
from ppap_core.testing.event_provider import EventProviderCase, event_provider_checks
from ppap_core.testing.provider import AsyncCheck
from ppap_core.testing.running import RunningProxy, running

USER = Message(role="user", parts=(Text("Say this"),))
TOOL = Tool(
    name="get_weather",
    schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
CONVERSATIONS = {
    "text": Conversation(model=NAME, format="x", items=(USER,)),
    "nothing": Conversation(model=NAME, format="x"),
    "thinking": Conversation(model=NAME, format="x", items=(USER,), thinking=ThinkingIntent(mode="auto")),
    "tool": Conversation(
        model=NAME, format="x", items=(USER,), tools=(TOOL,), tool_choice=ToolChoice(mode="required")
    ),
    "tool, nothing said": Conversation(model=NAME, format="x", tools=(TOOL,)),
    "result": Conversation(
        model=NAME, format="x", items=(USER, ToolResult(call_id="c", content="18 degrees")), tools=(TOOL,)
    ),
}


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Demo]:
    yield Demo()


CASE = EventProviderCase(
    opened=opened,
    credential=Credential(id=NAME, provider=NAME, label=NAME, settings=DemoSettings()),
    conversations=CONVERSATIONS,
)


@pytest.mark.parametrize("check", event_provider_checks(CASE), ids=str)
async def test_the_provider_keeps_the_contract(check: AsyncCheck) -> None:
    await check()


@pytest.fixture
async def proxy() -> AsyncIterator[RunningProxy]:
    async with running("demo: {enabled: true}\n") as ready:
        yield ready


@pytest.fixture
async def openai(proxy: RunningProxy) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{proxy.base_url}/v1", api_key=proxy.client_key) as client:
        yield client


@pytest.fixture
async def anthropic(proxy: RunningProxy) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=proxy.base_url, api_key=proxy.client_key) as client:
        yield client


async def test_the_openai_sdk_gets_text_thinking_and_calls(openai: AsyncOpenAI) -> None:
    asked = {"model": NAME, "messages": [{"role": "user", "content": "Say this"}], "reasoning_effort": "low"}
    answer = await openai.chat.completions.create(**asked)
    assert answer.choices[0].message.content == "You said: Say this"
    assert "repeat" in (answer.choices[0].message.model_extra or {})["reasoning_content"]
    chunks = [chunk async for chunk in await openai.chat.completions.create(**asked, stream=True)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: Say this"

    function = {"name": TOOL.name, "parameters": dict(TOOL.schema or {})}
    called = await openai.chat.completions.create(
        model=NAME,
        messages=[{"role": "user", "content": "get_weather"}],
        tools=[{"type": "function", "function": function}],
    )
    (call,) = called.choices[0].message.tool_calls or ()
    assert json.loads(call.function.arguments) == {"city": "demo"}
    assert called.choices[0].finish_reason == "tool_calls"


async def test_the_anthropic_sdk_gets_text_thinking_and_calls(anthropic: AsyncAnthropic) -> None:
    asked = {
        "model": NAME,
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": "Say this"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    answer = await anthropic.messages.create(**asked)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    async with anthropic.messages.stream(**asked) as stream:
        assert await stream.get_final_text() == "You said: Say this"
        final = await stream.get_final_message()
    assert final.stop_reason == "end_turn"

    called = await anthropic.messages.create(
        model=NAME,
        max_tokens=100,
        messages=[{"role": "user", "content": "hello"}],
        tools=[{"name": TOOL.name, "input_schema": dict(TOOL.schema or {})}],
        tool_choice={"type": "any"},
    )
    assert called.stop_reason == "tool_use"
    assert called.content[0].input == {"city": "demo"}
    counted = await anthropic.messages.count_tokens(
        model=NAME, messages=[{"role": "user", "content": "three words here"}]
    )
    assert counted.input_tokens == 3


async def test_switched_off_it_is_not_served(proxy: RunningProxy) -> None:
    await proxy.rewrite("demo: {enabled: false}\n")
    assert proxy.proxy.snapshot.index.listed == ()


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "integer"},
            {"type": "boolean"},
            {"enum": ["a", 1]},
            {"type": ["null"]},
            {},
        ]
    ),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
        lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)}
    ),
    max_leaves=6,
)


@given(SCHEMAS)
def test_an_example_has_every_required_property(schema: dict[str, object]) -> None:
    value = example_of(schema)
    if schema.get("type") == "object":
        assert sorted(value) == schema["required"]
    json.dumps(value)
