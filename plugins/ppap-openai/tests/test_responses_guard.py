"""The strict reading of outgoing streams: everything the encoder writes passes it, damage does not."""

from __future__ import annotations

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_openai.responses import RESPONSES, ResponsesGuard
from ppap_openai.responses.testing import TRAFFIC, error_event, stream

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    Event,
    Finish,
    Image,
    ItemEnd,
    ItemMeta,
    ItemStart,
    StreamError,
    Tool,
    WebSearch,
)
from ppap_core.testing.strategies import batches, event_sequences

modest = settings(max_examples=150, deadline=None)
ASKED = Conversation(model="m", format="openai-responses", stream=True)


def violations(stream: bytes, *, whole: bool = True) -> list[str]:
    guard = ResponsesGuard()
    return guard.feed(stream) + (guard.close() if whole else [])


def ends_well(events: list[Event]) -> bool:
    return any(isinstance(event, Finish | StreamError) for event in events)


@modest
@given(st.data(), st.integers(1, 2))
def test_every_legal_sequence_is_written_by_the_rules(data: st.DataObject, choices: int) -> None:
    """Whatever a decoder yields, in whatever batches, becomes a stream without a violation (pain 21)."""
    events = data.draw(event_sequences(choices=choices))
    feeds = data.draw(batches(events))
    encoder = RESPONSES.stream_encoder(ASKED)
    written = b"".join(map(encoder.feed, feeds))
    assert violations(written, whole=ends_well(events)) == []


@modest
@given(st.data())
def test_free_text_pictures_and_citations_are_written_by_the_rules(data: st.DataObject) -> None:
    """The rarer events keep the rules as well, wherever they stand."""
    lanes: dict[str, list[Event]] = {
        "text": [
            ItemStart("t", "text"),
            Delta("t", "text", "See here"),
            ItemMeta("t", annotation={"type": "url_citation", "url": "https://x.example", "title": "X"}),
            Delta("t", "text", "."),
            ItemEnd("t"),
        ],
        "patch": [
            ItemStart("p", "tool_call", "call_p", "apply_patch"),
            Delta("p", "tool_call", '{"input": "*** Begin'),
            Delta("p", "tool_call", ' Patch"}'),
            ItemEnd("p"),
        ],
        "free": [
            ItemStart("f", "tool_call", "call_f", "apply_patch", "custom"),
            Delta("f", "tool_call", "*** Begin"),
            ItemEnd("f"),
        ],
        "picture": [
            ItemStart("i", "server_tool"),
            ItemMeta("i", image=Image(data="aGk=", media_type="image/png")),
            ItemEnd("i"),
        ],
        "search": [
            ItemStart("w", "server_tool"),
            ItemMeta("w", native={"type": "x"}, origin="elsewhere", search=WebSearch(query="q")),
            ItemEnd("w"),
        ],
        "foreign": [
            ItemStart("s", "server_tool"),
            ItemMeta("s", native={"type": "web"}, origin="elsewhere"),
            ItemEnd("s"),
        ],
        "thought": [
            ItemStart("r", "reasoning"),
            Delta("r", "reasoning", "One"),
            ItemMeta("r", segment=True),
            Delta("r", "reasoning", "Two"),
            ItemMeta("r", redacted_data="xyz", origin="elsewhere"),
            ItemEnd("r"),
        ],
    }
    merged: list[Event] = []
    left = [lane for name, lane in lanes.items() if data.draw(st.booleans(), label=name)]
    while left:
        lane = data.draw(st.sampled_from(left))
        merged.append(lane.pop(0))
        left = [each for each in left if each]
    asked = attrs.evolve(ASKED, tools=(Tool(kind="custom", name="apply_patch"),))
    encoder = RESPONSES.stream_encoder(asked)
    reason = data.draw(st.sampled_from(["stop", "length", "content_filter"]))

    written = encoder.feed([*merged, Finish(reason), End()])
    assert violations(written) == []


@pytest.mark.parametrize("name", sorted(set(TRAFFIC.streams) - {"without output"}))
def test_healthy_traffic_passes(name: str) -> None:
    """What OpenAI sends has no violation, however it is cut."""
    whole = TRAFFIC.streams[name]
    guard = ResponsesGuard()
    assert [wrong for place in range(len(whole)) for wrong in guard.feed(whole[place : place + 1])] == []
    assert guard.close() == []


FRAMES = stream("Hello", reasoning="Hm")


@pytest.mark.parametrize("missing", range(len(FRAMES)))
def test_no_event_can_be_left_out(missing: int) -> None:
    """Each event of a stream is missed, not only by its number."""
    frames = [frame for number, frame in enumerate(FRAMES) if number != missing]
    renumbered = [
        msgspec.json.encode({**msgspec.json.decode(frame.partition(b"data: ")[2]), "sequence_number": number})
        for number, frame in enumerate(frames)
    ]
    rebuilt = [
        frame.partition(b"data: ")[0] + b"data: " + data + b"\n\n"
        for frame, data in zip(frames, renumbered, strict=True)
    ]
    assert violations(b"".join(rebuilt)) != []


@pytest.mark.parametrize(
    ("damage", "instead", "told"),
    [
        (b'"sequence_number":3}', b'"sequence_number":7}', "sequence_number"),
        (b'"delta":"Hello"', b'"delta":"Hallo"', "another text than its deltas"),
        (b'"delta":"Hello"', b'"delta":""', "without text"),
        (b'"output_index":1', b'"output_index":5', "where no item is"),
        (b"event: response.completed", b"event: response.complete", "not the event's name"),
        (
            b'"id":"msg_canned","type":"message","status":"completed"',
            b'"id":"x","type":"message"',
            "another item",
        ),
        (b'"input_tokens":11', b'"input_token":11', "without usage"),
        (b"data: {", b"data: [", "no JSON object"),
    ],
)
def test_damage_is_noticed(damage: bytes, instead: bytes, told: str) -> None:
    """A violation says what is wrong, and never repeats the stream."""
    broken = b"".join(FRAMES).replace(damage, instead)
    found = violations(broken)
    assert any(told in wrong for wrong in found), found
    assert not any("Hello" in wrong for wrong in found)


def test_nothing_may_follow_an_error() -> None:
    """An error ends a stream (pain 13)."""
    assert violations(error_event()) == []
    assert violations(error_event() + error_event(number=1)) == ["event 1: error after the last event"]


def test_an_unended_stream_is_noticed() -> None:
    """Half an answer does not pass for a whole one (pain 13)."""
    assert violations(b"".join(FRAMES[:-1])) == ["the stream ends without a last event"]
    assert violations(FRAMES[0][:-3])[0] == "the stream ends inside of a frame"


def test_comments_are_no_events() -> None:
    """Keep-alives may stand between any two frames (pain 17)."""
    assert violations(RESPONSES.keep_alive.join(FRAMES)) == []
