"""Laws of the Responses codec that hold for any input."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_openai.responses import RESPONSES, ResponsesGuard
from ppap_openai.responses.finish import ENDINGS, Told, reason_of
from ppap_openai.responses.heard import MEDIA_OF_FORMAT
from ppap_openai.responses.output_items import CALL_FIELDS, CALL_TYPES, FORMAT_OF_MEDIA, ID_PREFIXES
from ppap_openai.responses.signatures import Opaque, is_own, read_opaque, write_opaque
from ppap_openai.responses.testing import ENCRYPTED, TRAFFIC, called, message, stream, stream_of, thought
from ppap_openai.testing import Call

from ppap_core.conversation import (
    FINISH_REASONS,
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
    Reply,
    Sampling,
    Text,
    ThinkingIntent,
    ToolCall,
    ToolResult,
    Usage,
)
from ppap_core.errors import InvalidRequest
from ppap_core.testing.strategies import (
    batches,
    cut_up,
    event_sequences,
    json_values,
    tool_arguments,
    tool_names,
    words,
)
from ppap_core.wire import NO_NAMES, JsonBody, Target

modest = settings(max_examples=100, deadline=None)

# --- what Responses can express -----------------------------------------------------------------

user_parts: st.SearchStrategy[Part] = st.one_of(
    words.map(Text),
    st.builds(
        Image, url=st.just("https://x.example/a.png"), detail=st.sampled_from([None, "low", "original"])
    ),
    st.just(Image(data="aGk=", media_type="image/png")),
    st.just(File(data="aGk=", media_type="application/pdf", filename="a.pdf")),
    st.sampled_from([File(file_id="file-1"), File(url="https://x.example/a.pdf"), Audio("wav", "aGk=")]),
)


@st.composite
def rounds(draw: st.DrawFn, number: int) -> list[Item]:
    """A question and an answer, perhaps by way of some tools."""
    items: list[Item] = [
        Message(role="user", parts=tuple(draw(st.lists(user_parts, min_size=1, max_size=3))))
    ]
    if draw(st.booleans()):
        items.append(Reasoning(segments=(draw(words),), signature=ENCRYPTED, origin="openai-responses"))
    said: list[Part] = [Text(draw(words))] if draw(st.booleans()) else [Refusal(draw(words))]
    items.append(Message(role="assistant", id=draw(st.sampled_from([None, "msg_1"])), parts=tuple(said)))
    for place in range(draw(st.integers(0, 3))):
        call_id, kind = f"call_{number}_{place}", draw(st.sampled_from(sorted(CALL_FIELDS)))
        given_text = draw(tool_arguments if kind == "function" else words)
        items.append(ToolCall(call_id=call_id, name=draw(tool_names), arguments=given_text, kind=kind))
        items.append(ToolResult(call_id=call_id, content=draw(words), kind=kind))
    return items


@st.composite
def own_conversations(draw: st.DrawFn) -> Conversation:
    """Anything that a client of Responses can say in the canonical form."""
    items: list[Item] = [
        Message(role=role, parts=(Text(draw(words)),))
        for role in draw(st.lists(st.sampled_from(["system", "developer"]), max_size=2))
    ]
    for number in range(draw(st.integers(1, 3))):
        items += draw(rounds(number))
    levels = [ThinkingIntent(), ThinkingIntent(mode="none"), ThinkingIntent(mode="level", level="low")]
    summaries = [
        ThinkingIntent(mode="level", level="high", summary="auto"),
        ThinkingIntent(summary="concise"),
    ]
    return Conversation(
        model="m",
        format="openai-responses",
        items=tuple(items),
        stream=draw(st.booleans()),
        include_usage=True,
        sampling=Sampling(
            temperature=draw(st.none() | st.floats(0, 2)), top_p=draw(st.none() | st.floats(0, 1))
        ),
        max_output_tokens=draw(st.none() | st.integers(1, 9999)),
        output=draw(st.sampled_from([None, OutputFormat(kind="json_object"), OutputFormat(verbosity="low")])),
        thinking=draw(st.sampled_from(levels + summaries)),
        store=draw(st.none() | st.booleans()),
        service_tier=draw(st.sampled_from([None, "flex"])),
    )


@modest
@given(own_conversations())
def test_what_was_written_is_read_back(conversation: Conversation) -> None:
    """Encoding and decoding a request is the identity on what the format can express."""
    body = JsonBody(RESPONSES.encode_request(conversation, Target(model="m")).body)
    again = RESPONSES.decode_request(body)
    assert again.items == conversation.items
    for field in ("stream", "sampling", "max_output_tokens", "output", "thinking", "store", "service_tier"):
        assert getattr(again, field) == getattr(conversation, field)


# --- requests -----------------------------------------------------------------------------------

FIELDS = sorted({key for body in TRAFFIC.requests.values() for key in msgspec.json.decode(body)})
item_like = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            [
                "message",
                "reasoning",
                "function_call",
                "function_call_output",
                "custom_tool_call",
                "x",
                None,
                5,
            ]
        ),
        "role": st.sampled_from(["user", "assistant", "tool", None, 1]),
        "content": json_values,
        "call_id": json_values,
        "name": json_values,
        "arguments": json_values,
        "output": json_values,
        "summary": json_values,
        "encrypted_content": json_values,
        "tools": json_values,
    },
)


def refusal_of(body: bytes) -> str | None:
    """Why a request is refused; ``None`` if it is understood."""
    try:
        RESPONSES.peek(JsonBody(body))
        RESPONSES.decode_request(JsonBody(body))
    except InvalidRequest as refusal:
        return str(refusal)
    return None


@modest
@given(st.dictionaries(st.sampled_from(FIELDS), json_values | st.lists(item_like, max_size=3), max_size=4))
def test_any_request_is_understood_or_refused(body: dict[str, Any]) -> None:
    """Whatever is posted is understood, or refused with a reason."""
    refusal = refusal_of(msgspec.json.encode(body))
    assert refusal is None or refusal.startswith("Invalid request: ")


@pytest.mark.parametrize("field", ["content", "output", "tools", "encrypted_content", "unknown"])
@pytest.mark.parametrize("depth", [500, 900, 2000])
def test_deep_nesting_is_refused_or_read(field: str, depth: int) -> None:
    """A body that is nested without end does not exhaust the stack."""
    nested = b"[" * depth + b"]" * depth
    item = b'{"type":"function_call_output","call_id":"c","role":"user","%b":%b}' % (field.encode(), nested)
    refusal = refusal_of(b'{"input":[%b],"x":%b}' % (item, nested))
    assert refusal is None or refusal.startswith("Invalid request: ")


# --- streams ------------------------------------------------------------------------------------


@modest
@given(st.data())
def test_interleaved_calls_never_mix(data: st.DataObject) -> None:
    """However the pieces of parallel calls are shuffled, each call gets its own (pain 22)."""
    texts = data.draw(st.lists(tool_arguments, min_size=1, max_size=4))
    told: list[dict[str, Any]] = [
        {
            "type": "response.output_item.added",
            "output_index": n,
            "item": {**called(Call(f"c{n}", f"f{n}")), "arguments": ""},
        }
        for n in range(len(texts))
    ]
    queues = [[text[place : place + 3] for place in range(0, len(text), 3)] for text in texts]
    while any(queues):
        n = data.draw(st.sampled_from([n for n, queue in enumerate(queues) if queue]))
        piece = {
            "type": "response.function_call_arguments.delta",
            "output_index": n,
            "delta": queues[n].pop(0),
        }
        told.append(piece)
    told.append({"type": "response.completed", "response": {"id": "r", "output": []}})
    decoder = RESPONSES.stream_decoder(NO_NAMES)
    events = decoder.feed(b"".join(b"data: %b\n\n" % msgspec.json.encode(each) for each in told))
    heard = {
        event.name: "".join(e.text for e in events if isinstance(e, Delta) and e.key == event.key)
        for event in events
        if isinstance(event, ItemStart)
    }
    assert heard == {f"f{n}": text for n, text in enumerate(texts)}


@modest
@given(st.data())
def test_deltas_and_whole_items_tell_the_same(data: st.DataObject) -> None:
    """Whether an upstream leaves out the deltas or their repetitions, the words stay (pain 22)."""
    items = data.draw(
        st.lists(
            st.sampled_from([thought("Hm"), message("Hello"), called(Call("c", "f", '{"a": 1}'))]),
            min_size=1,
            max_size=3,
            unique_by=lambda item: item["type"],
        )
    )
    frames = stream_of(items)
    repeats = (b".delta", b".done\n", b"content_part", b"summary_part")
    dropped = data.draw(st.sampled_from(repeats))
    kept = [frame for frame in frames if dropped not in frame or b"output_item" in frame]
    assert _words(kept) == _words(frames)


def _words(frames: list[bytes]) -> list[str]:
    """The text of each item, in order."""
    events = RESPONSES.stream_decoder(NO_NAMES).feed(b"".join(frames))
    keys = [event.key for event in events if isinstance(event, ItemStart)]
    return ["".join(e.text for e in events if isinstance(e, Delta) and e.key == key) for key in keys]


@modest
@given(st.data())
def test_a_stream_and_a_reply_end_alike(data: st.DataObject) -> None:
    """The last event of a stream holds what the same answer would be in one piece."""
    events = data.draw(event_sequences())
    asked = Conversation(model="m", format="openai-responses")
    encoder = RESPONSES.stream_encoder(asked)
    written = b"".join(map(encoder.feed, data.draw(batches(events))))
    last = msgspec.json.decode(written.rpartition(b"data: ")[2]) if written else {}
    if last.get("type") in ("response.completed", "response.incomplete"):
        assert last["response"] == encoder.response()
        again = RESPONSES.decode_reply(msgspec.json.encode(last["response"]), NO_NAMES)
        assert isinstance(again, Reply)


@modest
@given(st.data())
def test_any_cut_of_a_renamed_stream_relays_the_same_bytes(data: st.DataObject) -> None:
    """The client's model name stands in every response, however the upstream's bytes arrive."""
    whole = b"".join(stream(["Hel", "lo"], reasoning="hm", tool_calls=(Call("a", "f", '{"model":"x"}'),)))
    whole = data.draw(st.sampled_from([whole, whole.replace(b"\n", b"\r\n")]))
    path = RESPONSES.stream_relay(JsonBody(b"{}"), "client-model", Target(model="upstream-model"))
    relayed = b"".join([*map(path.feed, data.draw(cut_up(whole))), path.close()])
    assert relayed == whole.replace(b'"upstream-model"', b'"client-model"')
    assert path.complete
    guard = ResponsesGuard()
    assert guard.feed(relayed) + guard.close() == []


def test_a_block_that_needs_no_change_is_the_same_object() -> None:
    """A relay copies nothing where nothing changes."""
    frames = stream(["a", "b", "c"])
    path = RESPONSES.stream_relay(JsonBody(b"{}"), "same", Target(model="same"))
    block = frames[4] + frames[5]
    path.feed(b"".join(frames[:4]))
    assert path.feed(block) is block


# --- tables -------------------------------------------------------------------------------------


def test_every_finish_reason_has_an_ending() -> None:
    """Each canonical reason can be told to a client of Responses."""
    assert set(ENDINGS) == set(FINISH_REASONS)
    for reason, ending in ENDINGS.items():
        told = Told(status=ending.status, reason=ending.reason)
        assert ENDINGS[reason_of(told, refused=False, last_call=None)] == ENDINGS[reason]


def test_every_kind_of_tool_has_its_words() -> None:
    """A call of each kind has a type, a field and an id's beginning."""
    assert set(CALL_TYPES) == set(CALL_FIELDS) == set(ID_PREFIXES) == {"function", "custom"}


def test_pictures_have_one_word_each_way() -> None:
    """Each format that can be written is read back as the same media type."""
    assert all(MEDIA_OF_FORMAT[word] == media_type for media_type, word in FORMAT_OF_MEDIA.items())


@pytest.mark.parametrize(
    ("content", "own"),
    [
        (ENCRYPTED, True),
        (f" {ENCRYPTED}== ", True),
        (ENCRYPTED[:-4], False),
        ("gAAAAA", False),
        ("Eo8Canthropic-state", False),
        ("", False),
        (None, False),
    ],
)
def test_own_signatures_are_known_by_their_envelope(content: str | None, own: bool) -> None:
    """Prefix, first byte and length tell, as a foreign one makes the whole request fail (C.6; pain 23)."""
    assert is_own(content) is own


@modest
@given(st.sampled_from(["anthropic-messages", "x1"]), st.text(max_size=20))
def test_redacted_thinking_finds_its_way_back(origin: str, data: str) -> None:
    """Its origin travels with it through clients that know nothing of it (C.6)."""
    opaque = Opaque(redacted_data=data, origin=origin)
    assert read_opaque(write_opaque(opaque)) == opaque


@modest
@given(
    st.builds(
        Usage,
        input_total=st.integers(100, 999),
        cache_read=st.integers(0, 50),
        cache_write=st.integers(0, 50),
        output_total=st.integers(50, 99),
        reasoning=st.integers(0, 50),
    )
)
def test_usage_is_one_normal_form(usage: Usage) -> None:
    """Uncached, cache-read and cache-write tokens are disjoint, and totals add up (pain 30)."""
    asked = Conversation(model="m", format="openai-responses")
    written = RESPONSES.encode_reply(
        Reply(usage=usage, items=[Message(role="assistant", parts=(Text("x"),))]), asked
    )
    again = RESPONSES.decode_reply(written, NO_NAMES).usage
    assert again is not None
    assert again.uncached_input == usage.uncached_input
    assert (again.cache_read, again.cache_write, again.reasoning) == (
        usage.cache_read,
        usage.cache_write,
        usage.reasoning,
    )
    assert again.total == (usage.input_total or 0) + (usage.output_total or 0)
