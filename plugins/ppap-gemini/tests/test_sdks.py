"""Vendors' own SDKs, over a running proxy: Google's against every upstream, the others against this one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anthropic
import attrs
import openai
import ppap_claude.testing as messages
import ppap_gemini.testing as gemini
import ppap_openai.testing as chat
import pytest
from google import genai
from google.genai import errors, types

from ppap_core.testing import StubUpstream, cut_after, streamed, whole
from ppap_core.testing.running import RunningProxy, running

pytestmark = pytest.mark.client
MODEL = "client-model"
WEATHER = {"city": "Oslo", "days": 2}
MODELS = "models: [{{name: upstream-model, alias: client-model}}]"
ENTRY = f"[{{{{api-key: sk-upstream-01, base-url: '{{url}}', {MODELS}}}}}]"


@attrs.frozen
class Dialect:
    """How an upstream is configured, and how it answers in text, thought and one call."""

    config: str
    reply: Callable[..., bytes]
    stream: Callable[..., list[bytes]]
    call: Any
    error: Callable[[int, str], bytes]


DIALECTS: Mapping[str, Dialect] = {
    "gemini": Dialect(
        f"gemini-api-key: {ENTRY}", gemini.reply, gemini.stream, ("get_weather", WEATHER), gemini.error
    ),
    "messages": Dialect(
        f"claude-api-key: {ENTRY}", messages.reply, messages.stream, ("get_weather", WEATHER), messages.error
    ),
    "chat": Dialect(
        "openai-compatibility: [{{name: stub, base-url: '{url}', "
        f"api-key-entries: [{{{{api-key: sk-upstream-01}}}}], {MODELS}}}}}]",
        lambda text="", thinking="", tool_calls=(): chat.reply(
            text, reasoning=thinking, tool_calls=tool_calls
        ),
        lambda text="", thinking="", tool_calls=(): chat.stream(
            text, reasoning=thinking, tool_calls=tool_calls
        ),
        chat.Call("call_1", "get_weather", json.dumps(WEATHER)),
        chat.error,
    ),
}


@attrs.frozen
class Road:
    stub: StubUpstream
    proxy: RunningProxy
    dialect: Dialect

    def says(self, text: str = "", *, thinking: str = "", calls: bool = False) -> None:
        """What the model answers next, streamed or not, as it is asked."""
        said = {"thinking": thinking, "tool_calls": [self.dialect.call] if calls else ()}

        def answer(request: Any) -> Any:
            streams = "alt=sse" in request.target or request.json().get("stream") is True
            if streams:
                return streamed(self.dialect.stream(text, **said))
            return whole(self.dialect.reply(text, **said))

        self.stub.answers(answer)

    @property
    def google(self) -> Any:
        options = types.HttpOptions(
            base_url=self.proxy.base_url, retry_options=types.HttpRetryOptions(attempts=1)
        )
        return genai.Client(api_key=self.proxy.client_key, http_options=options).aio


@contextlib.asynccontextmanager
async def road(name: str, more: str = "") -> AsyncIterator[Road]:
    dialect = DIALECTS[name]
    async with StubUpstream() as stub:
        config = "request-retry: 0\n" + more + dialect.config.format(url=stub.url) + "\n"
        async with running(config) as proxy:
            yield Road(stub, proxy, dialect)


@pytest.fixture(params=DIALECTS)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    async with road(request.param) as found:
        yield found


async def answered(way: Road, streams: bool, **options: Any) -> list[Any]:
    """The answer as one object, or as its chunks."""
    async with way.google as client:
        if not streams:
            return [await client.models.generate_content(model=MODEL, **options)]
        stream = await client.models.generate_content_stream(model=MODEL, **options)
        return [chunk async for chunk in stream]


def parts_of(chunks: list[Any]) -> list[Any]:
    return [part for chunk in chunks for part in (chunk.candidates[0].content.parts or [])]


@pytest.mark.parametrize("streams", [False, True])
async def test_text_and_thoughts(way: Road, streams: bool) -> None:
    """Google's SDK gets thoughts, text, reason and tokens from every upstream (pain 30)."""
    way.says("Hello, world", thinking="Hm, well")
    chunks = await answered(way, streams, contents="Hi")
    said = parts_of(chunks)
    assert "".join(part.text or "" for part in said if part.thought) == "Hm, well"
    assert "".join(part.text or "" for part in said if not part.thought) == "Hello, world"
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    usage = chunks[-1].usage_metadata
    assert usage.prompt_token_count
    assert usage.total_token_count
    assert all(chunk.model_version for chunk in chunks)
    assert len({chunk.response_id for chunk in chunks}) == 1


@pytest.mark.parametrize("streams", [False, True])
async def test_a_round_of_tools(way: Road, streams: bool) -> None:
    """A call with its arguments comes back, and its result reaches the upstream under the same id."""
    declared = types.FunctionDeclaration(
        name="get_weather",
        description="Weather",
        parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type="STRING")}),
    )
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    way.says("Let me look.", thinking="Two.", calls=True)
    asked = types.Content(role="user", parts=[types.Part(text="Weather?")])
    said = parts_of(await answered(way, streams, contents=[asked], config=config))
    (call,) = [part.function_call for part in said if part.function_call]
    assert (call.name, call.args) == ("get_weather", WEATHER)
    assert call.id
    way.says("Rain.")
    result = types.Part(
        function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "rain"})
    )
    turns = [asked, types.Content(role="model", parts=said), types.Content(role="user", parts=[result])]
    await answered(way, streams, contents=turns, config=config)
    sent = json.dumps(way.stub.requests[-1].json())
    assert sent.count(call.id) == 2
    assert "rain" in sent
    assert '"type": "object"' in sent or '"type": "OBJECT"' in sent


async def test_parameters_reach_every_upstream(way: Road) -> None:
    """System text, limits and sampling are said in the upstream's own words."""
    way.says("Hi")
    config = types.GenerateContentConfig(
        system_instruction="Be terse.", temperature=0.5, max_output_tokens=99, stop_sequences=["END"]
    )
    await answered(way, False, contents="Hi", config=config)
    sent = json.dumps(way.stub.requests[0].json())
    assert all(each in sent for each in ("Be terse.", "0.5", "99", "END"))


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_a_refusal_is_the_sdks_own_error(way: Road, status: int) -> None:
    """Google's SDK reads code and message of every upstream's refusal."""
    way.stub.answers(whole(way.dialect.error(status, "Not today"), status=status))
    with pytest.raises(errors.APIError, match="Not today") as failure:
        await answered(way, False, contents="Hi")
    assert failure.value.code == status


async def test_a_broken_stream_is_the_sdks_own_error(way: Road) -> None:
    """A stream that ends too early raises in the SDK, and not as if the proxy spoke gibberish (pain 13)."""
    frames = way.dialect.stream("Hello, long world")
    way.stub.answers(cut_after(len(frames) // 2)(streamed(frames)))
    with pytest.raises(errors.APIError) as failure:
        await answered(way, True, contents="Hi")
    assert failure.value.code == 502


async def test_keep_alives_are_ignored_by_the_sdk() -> None:
    """Blank lines between chunks say nothing to Google's SDK (pain 17)."""
    async with road("gemini") as way:
        frames = [b"\n\n", *gemini.stream("Hello"), b"\n\n"]
        way.stub.answers(streamed(frames))
        said = parts_of(await answered(way, True, contents="Hi"))
        assert "".join(part.text for part in said) == "Hello"


async def test_models_and_tokens() -> None:
    """Google's SDK lists models, looks one up, and counts tokens."""
    async with road("gemini") as way, way.google as client:
        names = [model.name async for model in await client.models.list()]
        assert f"models/{MODEL}" in names
        assert (await client.models.get(model=MODEL)).name == f"models/{MODEL}"
        way.stub.answers(whole(b'{"totalTokens":17}'))
        counted = await client.models.count_tokens(model=MODEL, contents="Hello")
        assert counted.total_tokens == 17
        way.stub.answers(whole(b'{"embeddings":[{"values":[0.5]}]}'))
        embedded = await client.models.embed_content(model=MODEL, contents="Hello")
        assert embedded.embeddings[0].values == [0.5]


# --- other clients, this upstream ---------------------------------------------------------------

TOOL: Any = {
    "name": "get_weather",
    "description": "Weather",
    "input_schema": {"type": "object", "properties": {}},
}
FUNCTION: Any = {"type": "function", "function": {"name": "get_weather", "parameters": TOOL["input_schema"]}}


@pytest.mark.parametrize("streams", [False, True])
async def test_anthropics_sdk_on_gemini(streams: bool) -> None:
    """Thinking, text and call come as blocks, and the call's signature goes back with it (pain 23)."""
    async with road("gemini") as way:
        client = anthropic.AsyncAnthropic(
            base_url=way.proxy.base_url, api_key=way.proxy.client_key, max_retries=0
        )
        hello: Any = [{"role": "user", "content": "Hi"}]
        options: Any = {"model": MODEL, "max_tokens": 500, "tools": [TOOL]}

        async def asked(turns: Any) -> Any:
            if not streams:
                return await client.messages.create(messages=turns, **options)
            async with client.messages.stream(messages=turns, **options) as events:
                return await events.get_final_message()

        way.says("Let me look.", thinking="Hm", calls=True)
        first = await asked(hello)
        assert [block.type for block in first.content] == ["thinking", "text", "thinking", "tool_use"]
        assert first.content[-1].input == WEATHER
        assert first.stop_reason == "tool_use"
        assert (first.usage.input_tokens, first.usage.cache_read_input_tokens) == (6, 5)
        assert first.usage.output_tokens == 7
        way.says("Rain.")
        content = [block.model_dump(exclude_none=True) for block in first.content]
        result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "rain"}
        await asked(
            [*hello, {"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
        )
        await client.close()
        _, model, answer = way.stub.requests[1].json()["contents"]
        assert model["parts"][-1]["thoughtSignature"] == gemini.SIGNATURE
        assert answer["parts"] == [
            {"functionResponse": {"name": "get_weather", "response": {"result": "rain"}, "id": "fc_1"}}
        ]


@pytest.mark.parametrize("streams", [False, True])
async def test_openais_sdk_on_gemini(streams: bool) -> None:
    """A call comes with its index, id and arguments, and goes back with the stand-in for its signature."""
    async with road("gemini") as way:
        client = openai.AsyncOpenAI(
            base_url=f"{way.proxy.base_url}/v1", api_key=way.proxy.client_key, max_retries=0
        )
        hello: Any = [{"role": "user", "content": "Hi"}]
        way.says("Let me look.", thinking="Hm", calls=True)
        options: Any = {"model": MODEL, "messages": hello, "tools": [FUNCTION]}
        if streams:
            wanted = {"stream_options": {"include_usage": True}}
            chunks = [
                each async for each in await client.chat.completions.create(stream=True, **wanted, **options)
            ]
            choices = [choice for chunk in chunks for choice in chunk.choices]
            text = "".join(choice.delta.content or "" for choice in choices)
            (call,) = [call for choice in choices for call in choice.delta.tool_calls or [] if call.id]
            usage, reason = chunks[-1].usage, choices[-1].finish_reason
            arguments = "".join(
                call.function.arguments or "" for choice in choices for call in choice.delta.tool_calls or []
            )
        else:
            answer = await client.chat.completions.create(**options)
            (choice,) = answer.choices
            text, usage, reason = choice.message.content, answer.usage, choice.finish_reason
            (call,) = choice.message.tool_calls
            arguments = call.function.arguments
        assert (text, reason) == ("Let me look.", "tool_calls")
        assert json.loads(arguments) == WEATHER
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (11, 7, 18)
        assert usage.completion_tokens_details.reasoning_tokens == 3
        way.says("Rain.")
        said = {
            "id": call.id,
            "type": "function",
            "function": {"name": "get_weather", "arguments": arguments},
        }
        turns = [
            *hello,
            {"role": "assistant", "content": None, "tool_calls": [said]},
            {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "rain"}'},
        ]
        await client.chat.completions.create(**{**options, "messages": turns})
        await client.close()
        _, model, answer = way.stub.requests[1].json()["contents"]
        assert model["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"
        assert answer["parts"][0]["functionResponse"]["response"] == {"result": {"sky": "rain"}}
