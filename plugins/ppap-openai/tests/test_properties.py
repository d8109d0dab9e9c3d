"""Laws of the codec that hold for any input."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_openai import CHAT, COMPLETIONS
from ppap_openai.testing import TRAFFIC, Call, stream

from ppap_core.conversation import (
    Audio,
    Conversation,
    Delta,
    File,
    Image,
    Item,
    ItemStart,
    Message,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    ThinkingIntent,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from ppap_core.errors import InvalidRequest
from ppap_core.testing.strategies import cut_up, json_values, tool_arguments, tool_names, words
from ppap_core.wire import NO_NAMES, ClientWire, JsonBody, Target

modest = settings(max_examples=100, deadline=None)

# --- what Chat can express ----------------------------------------------------------------------

images = st.builds(
    Image, url=st.just("https://x.example/a.png"), detail=st.sampled_from([None, "low", "high"])
)
files = st.builds(
    File, data=st.just("aGk="), media_type=st.just("application/pdf"), filename=st.just("a.pdf")
)
user_parts: st.SearchStrategy[Part] = st.one_of(
    words.map(Text), images, files, st.just(Audio("wav", "aGk=")), st.just(File(file_id="file-1"))
)


@st.composite
def rounds(draw: st.DrawFn, number: int) -> list[Item]:
    """A question and an answer, perhaps by way of some tools."""
    items: list[Item] = [
        Message(role="user", parts=tuple(draw(st.lists(user_parts, min_size=1, max_size=3))))
    ]
    if draw(st.booleans()):
        items.append(Reasoning(segments=(draw(words),)))
    said: list[Part] = [Text(draw(words))] if draw(st.booleans()) else [Refusal(draw(words))]
    items.append(Message(role="assistant", parts=tuple(said)))
    calls = [
        ToolCall(call_id=f"call_{number}_{n}", name=draw(tool_names), arguments=draw(tool_arguments))
        for n in range(draw(st.integers(0, 3)))
    ]
    return [*items, *calls, *(ToolResult(call_id=call.call_id, content=draw(words)) for call in calls)]


@st.composite
def chat_conversations(draw: st.DrawFn) -> Conversation:
    """Anything that a client of Chat can say in the canonical form."""
    items: list[Item] = [
        Message(role=role, parts=(Text(draw(words)),))
        for role in draw(st.lists(st.sampled_from(["system", "developer"]), max_size=2))
    ]
    for number in range(draw(st.integers(1, 3))):
        items += draw(rounds(number))
    stream = draw(st.booleans())
    choices = [ToolChoice(), ToolChoice(mode="auto"), ToolChoice(mode="named", name="look_up")]
    return Conversation(
        model="m",
        format="openai-chat",
        items=tuple(items),
        stream=stream,
        include_usage=stream,
        tools=(Tool(name="look_up", description="D", schema={"type": "object", "properties": {}}),),
        tool_choice=draw(st.sampled_from(choices)),
        parallel_tool_calls=draw(st.none() | st.booleans()),
        sampling=Sampling(
            temperature=draw(st.none() | st.floats(0, 2)), seed=draw(st.none() | st.integers(0, 9))
        ),
        max_output_tokens=draw(st.none() | st.integers(1, 9999)),
        stop=tuple(draw(st.lists(words, max_size=3))),
        output=draw(st.sampled_from([None, OutputFormat(kind="json_object"), OutputFormat(verbosity="low")])),
        thinking=draw(
            st.sampled_from(
                [
                    ThinkingIntent(),
                    ThinkingIntent(mode="none"),
                    ThinkingIntent(mode="level", level="high", summary="auto"),
                ]
            )
        ),
        store=draw(st.none() | st.booleans()),
        extras=draw(st.sampled_from([{}, {"openai-chat": {"prediction": {"a": [1, None]}}}])),
    )


@modest
@given(chat_conversations())
def test_what_chat_can_express_comes_back_the_same(conversation: Conversation) -> None:
    """Written as a request and read again, a conversation is what it was."""
    encoded = CHAT.encode_request(conversation, Target(model=conversation.model))
    assert CHAT.decode_request(JsonBody(encoded.body)) == conversation


# --- hostile input ------------------------------------------------------------------------------

FIELDS: Any = {
    CHAT: [
        "messages",
        "tools",
        "tool_choice",
        "stop",
        "stream_options",
        "response_format",
        "input",
        "n",
        "text",
    ],
    COMPLETIONS: ["prompt", "stop", "stream_options", "logprobs", "echo", "suffix", "max_tokens"],
}
message_like = st.dictionaries(
    st.sampled_from(
        ["role", "content", "tool_calls", "tool_call_id", "function_call", "name", "refusal", "type"]
    ),
    json_values | st.sampled_from(["user", "assistant", "tool", "system", "function"]),
    max_size=5,
)


def refusal_of(wire: ClientWire, body: bytes) -> str | None:
    """What a client is told about its body; ``None`` if it is understood."""
    try:
        wire.decode_request(JsonBody(body))
    except InvalidRequest as refusal:
        return refusal.detail.message
    return None


@pytest.mark.parametrize("wire", FIELDS, ids=lambda wire: wire.name)
def test_no_body_breaks_the_reading_of_a_request(wire: ClientWire) -> None:
    """Whatever is posted is understood, or refused with a reason."""
    values = json_values | st.lists(message_like, max_size=3)

    @modest
    @given(st.dictionaries(st.sampled_from(FIELDS[wire]), values, max_size=4))
    def law(body: dict[str, Any]) -> None:
        refusal = refusal_of(wire, msgspec.json.encode(body))
        assert refusal is None or refusal.startswith("Invalid request: ")

    law()


@pytest.mark.parametrize("field", ["content", "reasoning_content", "tool_calls", "unknown"])
@pytest.mark.parametrize("depth", [500, 900, 2000])
def test_deep_nesting_is_refused_or_read(field: str, depth: int) -> None:
    """A body that is nested without end does not exhaust the stack."""
    nested = b"[" * depth + b"]" * depth
    body = b'{"messages":[{"role":"assistant","%b":%b}],"x":%b}' % (field.encode(), nested, nested)
    assert refusal_of(CHAT, body) != ""


# --- streams ------------------------------------------------------------------------------------


@modest
@given(st.data())
def test_interleaved_calls_never_mix(data: st.DataObject) -> None:
    """However the pieces of parallel calls are shuffled, each call gets its own (pain 22)."""
    texts = data.draw(st.lists(tool_arguments, min_size=1, max_size=4))
    queues = [[text[place : place + 3] for place in range(0, len(text), 3)] for text in texts]
    pieces: list[dict[str, Any]] = [
        {"index": index, "id": f"c{index}", "function": {"name": f"f{index}", "arguments": ""}}
        for index in range(len(texts))
    ]
    while any(queues):
        index = data.draw(st.sampled_from([n for n, queue in enumerate(queues) if queue]))
        pieces.append({"index": index, "function": {"arguments": queues[index].pop(0)}})
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces]
    body = b"".join(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks)
    decoder = CHAT.stream_decoder(NO_NAMES)
    events = decoder.feed(body + b"data: [DONE]\n\n")
    starts = [event for event in events if isinstance(event, ItemStart)]
    heard = {
        start.name: "".join(e.text for e in events if isinstance(e, Delta) and e.key == start.key)
        for start in starts
    }
    assert heard == {f"f{index}": text for index, text in enumerate(texts)}


@modest
@given(st.data())
def test_any_cut_of_a_renamed_stream_relays_the_same_bytes(data: st.DataObject) -> None:
    """The client's model name stands in every chunk, however the upstream's bytes arrive."""
    whole = b"".join(stream(["Hel", "lo"], reasoning="hm", tool_calls=(Call("a", "f", '{"model":"x"}'),)))
    whole = data.draw(
        st.sampled_from([whole, whole.replace(b"\n", b"\r\n"), whole.replace(b'"model":', b'"model": ')])
    )
    request = JsonBody(TRAFFIC.requests["streamed"])
    path = CHAT.stream_relay(request, "client-model", Target(model="upstream"))
    relayed = b"".join([*map(path.feed, data.draw(cut_up(whole))), path.close()])
    assert relayed == whole.replace(b'"upstream-model"', b'"client-model"')
    assert path.complete
    assert path.usage is not None


@modest
@given(st.data())
def test_any_cut_of_a_kept_stream_relays_every_byte(data: st.DataObject) -> None:
    """With equal names and usage asked for, what goes in comes out (translation spec, 0.4)."""
    whole = TRAFFIC.streams[data.draw(st.sampled_from(sorted(TRAFFIC.streams)))]
    request = JsonBody(TRAFFIC.requests["streamed"])
    path = CHAT.stream_relay(request, "same", Target(model="same"))
    assert b"".join([*map(path.feed, data.draw(cut_up(whole))), path.close()]) == whole


def test_a_block_that_needs_no_change_is_the_same_object() -> None:
    """A relay copies nothing where nothing changes."""
    first, second, third, *_ = stream(["a", "b", "c"])
    path = CHAT.stream_relay(JsonBody(TRAFFIC.requests["streamed"]), "same", Target(model="same"))
    path.feed(first + second)
    assert path.committed
    assert path.feed(third) is third


def test_evolving_a_conversation_does_not_change_the_request_it_came_from() -> None:
    """Decoding keeps no reference through which a later edit could reach the client's body."""
    body = JsonBody(TRAFFIC.requests["tools"])
    conversation = CHAT.decode_request(body)
    edited = attrs.evolve(conversation, items=conversation.items[:1])
    assert len(CHAT.decode_request(body).items) == len(conversation.items) > len(edited.items)
