"""Hypothesis strategies for the canonical model, and for traffic gone wrong.

@given(event_sequences())
def test_every_legal_sequence_is_written(events): ...
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import strategies as st

from ..conversation import (
    FINISH_REASONS,
    Conversation,
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    FinishReason,
    Image,
    Item,
    ItemEnd,
    ItemKind,
    ItemMeta,
    ItemStart,
    Message,
    Ping,
    Reasoning,
    Reply,
    Role,
    Start,
    StreamError,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    UsageUpdate,
)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A PNG of one pixel, in base64."""

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12
).filter(lambda text: text.strip() != "")
tool_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,20}", fullmatch=True)
tool_arguments = st.dictionaries(
    st.text("abcxyz_", min_size=1, max_size=6), st.integers(0, 99) | st.text(max_size=6), max_size=3
).map(json.dumps)
json_values = st.recursive(
    st.sampled_from([None, True, False, 0, -1, 2**53, 0.5, "", "auto"]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


# --- events -------------------------------------------------------------------------------------

_Lane = list[Event]
_SAID_KINDS: tuple[ItemKind, ...] = ("text", "text", "reasoning", "refusal")


@st.composite
def _said(draw: st.DrawFn, key: str, choice: int) -> _Lane:
    """One item that is no tool call."""
    kind: ItemKind = draw(st.sampled_from(_SAID_KINDS))
    lane: _Lane = [ItemStart(key, kind, choice=choice)]
    lane += [Delta(key, kind, text) for text in draw(st.lists(words, min_size=1, max_size=3))]
    if kind == "reasoning" and draw(st.booleans()):
        lane.append(ItemMeta(key, signature="c2lnbmVk", origin="elsewhere"))
    return [*lane, ItemEnd(key)]


@st.composite
def _called(draw: st.DrawFn, key: str, choice: int) -> _Lane:
    """One tool call, its arguments cut into pieces."""
    arguments = draw(tool_arguments)
    cut = draw(st.integers(0, len(arguments)))
    start = ItemStart(key, "tool_call", call_id=f"call_{key}", name=draw(tool_names), choice=choice)
    pieces = [piece for piece in (arguments[:cut], arguments[cut:]) if piece]
    return [start, *(Delta(key, "tool_call", piece) for piece in pieces), ItemEnd(key)]


@st.composite
def _interleaved(draw: st.DrawFn, lanes: Sequence[_Lane]) -> _Lane:
    """All lanes merged; each keeps its own order."""
    left = [list(lane) for lane in lanes if lane]
    merged: _Lane = []
    while left:
        lane = left[draw(st.integers(0, len(left) - 1))]
        merged.append(lane.pop(0))
        left = [lane for lane in left if lane]
    return merged


@st.composite
def _choice(draw: st.DrawFn, number: int) -> _Lane:
    """One choice: texts one after the other, calls in parallel to them and to each other."""
    said = [draw(_said(f"s{number}{n}", number)) for n in range(draw(st.integers(0, 3)))]
    called = [draw(_called(f"c{number}{n}", number)) for n in range(draw(st.integers(0, 3)))]
    return draw(_interleaved([[event for lane in said for event in lane], *called]))


usages: st.SearchStrategy[Usage] = st.builds(
    Usage,
    input_total=st.none() | st.integers(100, 10_000),
    cache_read=st.none() | st.integers(0, 50),
    cache_write=st.none() | st.integers(0, 50),
    output_total=st.none() | st.integers(50, 10_000),
    reasoning=st.none() | st.integers(0, 50),
)
finish_reasons: st.SearchStrategy[FinishReason] = st.sampled_from(FINISH_REASONS)
errors: st.SearchStrategy[ErrorDetail] = st.builds(
    ErrorDetail,
    message=words,
    status=st.sampled_from([400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 529]),
    type=st.none() | st.just("overloaded"),
    code=st.none() | st.just("server_busy"),
)


_OPENINGS: Sequence[_Lane] = ([], [Ping()], [Start()], [Start("r1", "some-model", 1_700_000_000)])


@st.composite
def event_sequences(draw: st.DrawFn, *, choices: int = 1) -> list[Event]:
    """A legal stream: complete, cut short, or ended by an error at any place.

    ``choices`` is how many answers run side by side.
    """
    opening = draw(st.sampled_from(_OPENINGS))
    body = draw(_interleaved([draw(_choice(number)) for number in range(choices)]))
    end = draw(st.sampled_from(["finished", "finished", "cut", "error"]))
    if end == "error":
        kept = body[: draw(st.integers(0, len(body)))]
        return [*opening, *kept, StreamError(draw(errors)), End()]
    if end == "cut":
        return [*opening, *body, End()]
    finishes: _Lane = [Finish(draw(finish_reasons), choice=number) for number in range(choices)]
    usage: _Lane = [UsageUpdate(usage) for usage in draw(st.lists(usages, max_size=2))]
    pinged: _Lane = [Ping()] if draw(st.booleans()) else []
    return [*opening, *pinged, *body, *usage[1:], *finishes, *usage[:1], End()]


@st.composite
def batches(draw: st.DrawFn, events: Sequence[Event]) -> list[list[Event]]:
    """The same events in consecutive lists."""
    borders = sorted(draw(st.sets(st.integers(0, len(events)), max_size=6)) | {0, len(events)})
    return [list(events[start:end]) for start, end in pairwise(borders)]


# --- whole conversations and replies -----------------------------------------------------------


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """A whole answer: reasoning, text and tool calls, each of them or none."""
    items: list[Item] = []
    if draw(st.booleans()):
        items.append(Reasoning(segments=(draw(words),), signature="c2lnbmVk", origin="elsewhere"))
    if text := draw(st.none() | words):
        items.append(Message(role="assistant", parts=(Text(text),)))
    for number in range(draw(st.integers(0, 2))):
        call = ToolCall(call_id=f"call_{number}", name=draw(tool_names), arguments=draw(tool_arguments))
        items.append(call)
    return Reply(
        id=draw(st.none() | st.just("r1")),
        model=draw(st.none() | st.just("some-model")),
        created=draw(st.none() | st.just(1_700_000_000)),
        items=items,
        finish=draw(finish_reasons),
        usage=draw(st.none() | usages),
    )


@st.composite
def _turn(draw: st.DrawFn, number: int) -> list[Item]:
    """A question, and an answer that may think, call a tool and get its result."""
    parts: list[Text | Image] = [Text(draw(words))]
    if draw(st.booleans()):
        parts.append(Image(data=PIXEL, media_type="image/png"))
    turn: list[Item] = [Message(role="user", parts=parts)]
    if draw(st.booleans()):
        turn.append(Reasoning(segments=(draw(words),), signature="c2lnbmVk", origin="elsewhere"))
    turn.append(Message(role="assistant", parts=(Text(draw(words)),)))
    if draw(st.booleans()):
        call_id = f"call_{number}"
        turn.append(ToolCall(call_id=call_id, name="look_up", arguments=draw(tool_arguments)))
        turn.append(ToolResult(call_id=call_id, content=draw(words)))
    return turn


_LEADING_ROLES: tuple[Role, ...] = ("system", "developer")


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """A request from some other format, ending with the user's words."""
    items: list[Item] = []
    if draw(st.booleans()):
        role: Role = draw(st.sampled_from(_LEADING_ROLES))
        items.append(Message(role=role, parts=(Text(draw(words)),)))
    for number in range(draw(st.integers(0, 3))):
        items += draw(_turn(number))
    items.append(Message(role="user", parts=(Text(draw(words)),)))
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    return Conversation(
        model="some-model",
        format="elsewhere",
        items=items,
        stream=draw(st.booleans()),
        tools=(Tool(name="look_up", description="Looks up", schema=schema),),
        max_output_tokens=draw(st.none() | st.integers(1, 100_000)),
        stop=draw(st.lists(words, max_size=2)),
    )


# --- bytes --------------------------------------------------------------------------------------


@st.composite
def cut_up(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes in consecutive reads."""
    borders = sorted(draw(st.sets(st.integers(0, len(data)), max_size=12)) | {0, len(data)})
    return [data[start:end] for start, end in pairwise(borders)]


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The same bytes with a piece of them replaced, doubled or left out."""
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 40)))
    instead = draw(st.just(b"") | st.binary(max_size=8) | st.just(data[start:end] * 2))
    return data[:start] + instead + data[end:]


@st.composite
def altered_json(draw: st.DrawFn, data: bytes) -> bytes:
    """A JSON text in which some value, anywhere, is replaced by any other, or a key is left out."""
    root = [orjson.loads(data)]
    places = list(_places(root))
    holder, key = places[draw(st.integers(0, len(places) - 1))]
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(json_values)
    return orjson.dumps(root[0], option=orjson.OPT_NON_STR_KEYS)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with every key of it, from the outside in."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = [(value, key) for key in keys]
    return found + [place for key in keys for place in _places(value[key])]
