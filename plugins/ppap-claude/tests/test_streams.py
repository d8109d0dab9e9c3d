"""Streams: read from upstreams, written for clients, passed on (fixtures/stream_*.json)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_claude import MESSAGES
from ppap_claude.testing import TRAFFIC, error_event, stream

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    ItemEnd,
    ItemKey,
    ItemMeta,
    ItemStart,
    Ping,
    Start,
    StreamError,
    Tool,
    Usage,
    UsageUpdate,
)
from ppap_core.errors import MalformedStream
from ppap_core.testing.fixtures import built, fixture_cases, noted
from ppap_core.testing.guard_rules import keeps_the_rules
from ppap_core.testing.strategies import batches, cut_up, event_sequences
from ppap_core.wire import NO_NAMES, JsonBody, NameMap, StreamPath, Target

FIXTURES = Path(__file__).parent / "fixtures"
ASKED = Conversation(model="asked-for", format="some-other-format", stream=True)


def cases(name: str) -> Any:
    """The cases of a fixture file, as parameters."""
    listed = fixture_cases(FIXTURES / name)
    return pytest.mark.parametrize("case", listed.values(), ids=listed)


def frames_of(written: bytes) -> list[dict[str, Any]]:
    """The data of each frame, whose ``event:`` line must name its type."""
    told = []
    for frame in written.decode().split("\n\n")[:-1]:
        event, data = frame.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert event == f"event: {value['type']}"
        told.append(value)
    assert written.endswith(b"\n\n") or not written
    return told


def bytes_of(frames: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (frame["type"].encode(), json.dumps(frame).encode()) for frame in frames
    )


# --- reading ----------------------------------------------------------------------------------


def shown(event: Event) -> list[Any]:
    """An event as fixtures write it: its name and what is set."""
    match event:
        case Start(id=told, model=model):
            return ["start", told, model]
        case ItemStart(key=key, kind=kind):
            return ["open", key, kind, *([event.call_id, event.name] if kind == "tool_call" else [])]
        case Delta(key=key, text=text):
            return ["delta", key, text]
        case ItemMeta(key=key):
            fields = msgspec.structs.asdict(event)
            return [
                "meta",
                key,
                {name: noted(value) for name, value in fields.items() if name != "key" and value},
            ]
        case ItemEnd(key=key):
            return ["end", key]
        case UsageUpdate(usage):
            return ["usage", attrs.asdict(usage, filter=lambda _, value: value not in (None, ()))]
        case Finish(reason=reason, stop_sequence=stop):
            return ["finish", reason, *([stop] if stop else [])]
        case StreamError(error=error):
            return ["error", error.status, error.type, error.message]
        case End():
            return ["over"]
        case _:
            raise AssertionError(event)


@cases("stream_decode")
def test_a_stream_is_read(case: dict[str, Any]) -> None:
    """Each event of an upstream becomes what it means, also where upstreams bend the rules."""
    decoder = MESSAGES.stream_decoder(NO_NAMES)
    events = decoder.feed(bytes_of(case["frames"])) + decoder.close()
    assert [shown(event) for event in events] == case["events"]


def test_names_that_had_to_change_change_back() -> None:
    """A tool call comes back under the client's own name of the tool."""
    decoder = MESSAGES.stream_decoder(NameMap({"a_b": "a.b"}))
    events = decoder.feed(b"".join(stream(tool_calls=[("a_b", {})])))
    assert [event.name for event in events if isinstance(event, ItemStart)] == ["a.b"]


def test_a_call_without_id_and_name_gets_both() -> None:
    """A call is never told without an id and a name, whatever the upstream leaves out (pain 22)."""
    frames = [{"type": "content_block_start", "index": 3, "content_block": {"type": "tool_use"}}]
    (start,) = MESSAGES.stream_decoder(NO_NAMES).feed(bytes_of(frames))
    assert isinstance(start, ItemStart)
    assert start.name == "tool_3"
    assert start.call_id


@pytest.mark.parametrize(
    "data",
    [b"data: nonsense\n\n", b'data: {"type":7}\n\n', b'data: {"type":"x","index":"y"}\n\n', b"data: [\n\n"],
)
def test_garbage_is_reported_without_repeating_it(data: bytes) -> None:
    """What is no event of this format is an error whose message shows nothing of it."""
    with pytest.raises(MalformedStream) as error:
        MESSAGES.stream_decoder(NO_NAMES).feed(data)
    assert "nonsense" not in str(error.value)


def test_comments_other_fields_and_done_are_skipped() -> None:
    """Lines that are no data, leading blanks and a stray [DONE] cost nothing (vector T-SSE)."""
    noisy = b': hello\n\nid: 1\nretry: 5\n  data: {"type":"ping"}\n\ndata: [DONE]\n\n'
    decoder = MESSAGES.stream_decoder(NO_NAMES)
    assert decoder.feed(noisy) == []
    assert decoder.feed(b'data: {"type":"message_stop"}\n\n') == [Finish("unknown"), End()]


# --- writing ----------------------------------------------------------------------------------


def events_from(told: Sequence[list[Any]]) -> list[Event]:
    """Events as fixtures write them."""
    kinds: dict[ItemKey, Any] = {}

    def opened(
        key: ItemKey, kind: Any, call_id: str | None = None, name: str | None = None, choice: int = 0
    ) -> Event:
        kinds[key] = kind
        return ItemStart(key, kind, call_id, name, choice=choice)

    made: dict[str, Any] = {
        "start": Start,
        "open": opened,
        "delta": lambda key, text: Delta(key, kinds[key], text),
        "meta": lambda key, fields: ItemMeta(key, **built(fields)),
        "end": ItemEnd,
        "usage": lambda fields: UsageUpdate(Usage(**fields)),
        "finish": Finish,
        "error": lambda status, kind, text: StreamError(ErrorDetail(status=status, type=kind, message=text)),
        "ping": Ping,
        "over": End,
    }
    return [made[name](*fields) for name, *fields in told]


@cases("stream_encode")
def test_a_stream_is_written(case: dict[str, Any]) -> None:
    """Events become the frames that Anthropic's clients know, in one write or in many."""
    conversation = attrs.evolve(ASKED, tools=tuple(Tool(name=name) for name in case.get("tools", ())))
    events = events_from(case["events"])
    at_once = MESSAGES.stream_encoder(conversation).feed(events)
    assert frames_of(at_once) == case["frames"]
    ended = any(isinstance(event, Finish | StreamError) for event in events)
    keeps_the_rules(MESSAGES, [at_once], ended=ended)
    encoder = MESSAGES.stream_encoder(conversation)
    assert b"".join(encoder.feed([event]) for event in events).count(b"\n\n") == len(case["frames"])


def check_frames(frames: Sequence[dict[str, Any]]) -> None:
    """The strict state machine of B.4.3: one block open at a time, numbered without gaps."""
    expected, open_block = 0, None
    state = "before"
    for frame in frames:
        kind = frame["type"]
        if kind == "ping":
            continue
        assert state != "over", f"{kind} after the end"
        if kind == "message_start":
            assert state == "before"
            state = "message"
        elif kind == "error":
            state = "over"
        elif kind == "content_block_start":
            assert (state, open_block, frame["index"]) == ("message", None, expected)
            assert "signature" not in frame["content_block"]
            open_block, expected = frame["content_block"]["type"], expected + 1
            deltas: list[str] = []
        elif kind == "content_block_delta":
            assert frame["index"] == expected - 1
            delta = frame["delta"]["type"]
            assert delta in _DELTAS_OF[open_block or ""]
            assert "signature_delta" not in deltas, "something follows the signature"
            deltas.append(delta)
        elif kind == "content_block_stop":
            assert open_block is not None
            assert frame["index"] == expected - 1
            assert open_block not in ("text", "thinking") or deltas, "an empty block"
            open_block = None
        elif kind == "message_delta":
            assert (state, open_block) == ("message", None)
            assert min(frame["usage"][name] for name in _COUNTS) >= 0
            state = "ending"
        else:
            assert (kind, state) == ("message_stop", "ending")
            state = "over"


_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
_DELTAS_OF = {
    "text": ("text_delta", "citations_delta"),
    "thinking": ("thinking_delta", "signature_delta"),
    "tool_use": ("input_json_delta",),
    "server_tool_use": ("input_json_delta",),
}


@settings(max_examples=200, deadline=None)
@given(event_sequences(choices=2).flatmap(batches))
def test_blocks_never_overlap(feeds: list[list[Event]]) -> None:
    """Whatever runs side by side upstream, a client sees one block at a time, and one end (pains 21, 22)."""
    encoder = MESSAGES.stream_encoder(ASKED)
    frames = frames_of(b"".join(encoder.feed(events) for events in feeds))
    check_frames(frames)
    events = [event for events in feeds for event in events]
    finished = any(isinstance(event, Finish) and event.choice == 0 for event in events)
    failed = any(isinstance(event, StreamError) for event in events)
    assert (frames[-1]["type"] == "message_stop") is (finished and not failed)


def test_the_machine_itself_notices_overlaps() -> None:
    """The state machine of these tests fails for a block that opens within another."""
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    with pytest.raises(AssertionError):
        check_frames([{"type": "message_start"}, start, {**start, "index": 1}])


@pytest.mark.parametrize("name", TRAFFIC.streams)
def test_a_stream_survives_the_way_through_the_model(name: str) -> None:
    """A stream of this format that is read and written again says the same to a client."""
    sent = TRAFFIC.streams[name]
    decoder = MESSAGES.stream_decoder(NO_NAMES)
    events = decoder.feed(sent) + decoder.close()
    written = MESSAGES.stream_encoder(attrs.evolve(ASKED, model="claude-sonnet-4-6")).feed(events)
    check_frames(frames_of(written))
    assert _said(written) == _said(sent)


def _said(stream_bytes: bytes) -> list[Any]:
    """What the blocks of a stream say, whatever the pieces it comes in."""
    blocks: list[Any] = []
    for frame in frames_of(stream_bytes.replace(b"\r\n", b"\n")):
        if frame["type"] == "content_block_start":
            block = {key: value for key, value in frame["content_block"].items() if key != "signature"}
            blocks.append([block, {}])
        elif frame["type"] == "content_block_delta":
            for key, value in frame["delta"].items():
                if key != "type":
                    blocks[-1][1][key] = (blocks[-1][1].get(key, "") + value).replace(" ", "")
        elif frame["type"] == "message_delta":
            blocks.append(frame["delta"])
    return blocks


# --- passing on -------------------------------------------------------------------------------

BODY = JsonBody(b"{}")


def relay(client: str = "m", upstream: str = "m") -> StreamPath:
    return MESSAGES.stream_relay(BODY, client, Target(model=upstream))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_cut_is_relayed_byte_for_byte(data: st.DataObject) -> None:
    """However a stream is cut into reads, the client gets the upstream's own bytes."""
    sent = TRAFFIC.streams[data.draw(st.sampled_from(sorted(TRAFFIC.streams)))]
    path = relay()
    assert b"".join([*map(path.feed, data.draw(cut_up(sent))), path.close()]) == sent
    assert (path.committed, path.complete, path.error) == (True, True, None)
    assert path.usage == Usage(input_total=22044, cache_read=22000, cache_write=31, output_total=4)


def test_the_client_reads_the_model_it_asked_for() -> None:
    """Under an alias only the model's name in the first event changes (C.18)."""
    sent = b"".join(stream("Hi", model="claude-sonnet-4-6"))
    path = relay("my-alias", "claude-sonnet-4-6")
    assert path.feed(sent) == sent.replace(b'"claude-sonnet-4-6"', b'"my-alias"')


def test_nothing_is_committed_before_something_is_said() -> None:
    """The start and pings are no answer yet; the first block is (pain 11)."""
    path = relay()
    seen = []
    for frame in stream("Hi"):
        path.feed(frame)
        seen.append(path.committed)
    assert seen[:3] == [False, False, True]


def test_an_empty_answer_is_an_answer() -> None:
    """A model that ends its turn without a word has answered; nobody else need be asked."""
    path = relay()
    path.feed(b"".join(stream()))
    assert (path.committed, path.complete) == (True, True)


def test_an_error_before_anything_is_not_told_to_the_client() -> None:
    """A failure told on a 200 before the first word can still go to another upstream (pain 12)."""
    path = relay()
    start, ping, *_ = stream("Hi")
    assert path.feed(start + ping) == start + ping
    assert path.feed(error_event(529)) == b""
    assert path.error is not None
    assert (path.error.status, path.committed, path.complete) == (529, False, False)


def test_an_error_in_the_middle_ends_the_stream_in_the_upstreams_words() -> None:
    """After an error nothing follows, least of all a clean end (pain 13)."""
    frames = stream("Hi")
    path = relay()
    failed = b"".join([*frames[:4], error_event(429), *frames[4:]])
    assert path.feed(failed) + path.close() == b"".join([*frames[:4], error_event(429)])
    assert path.error is not None
    assert (path.error.status, path.complete) == (429, False)


def test_words_that_look_like_events_are_words() -> None:
    """Text that quotes this format's own events is passed on and means nothing."""
    tricky = '{"type":"error"} event: message_stop {"type":"message_stop"} "message_delta" "error"'
    sent = b"".join(stream(tricky, pieces=1))
    path = relay()
    assert b"".join(path.feed(sent[at : at + 7]) for at in range(0, len(sent), 7)) == sent
    assert (path.complete, path.error) == (True, None)


@pytest.mark.parametrize("kept", range(3, 6))
def test_a_cut_stream_ends_with_an_error(kept: int) -> None:
    """What the upstream did not finish is not passed off as finished (pain 13)."""
    path = relay()
    path.feed(b"".join(stream("Hello")[:kept]))
    (told,) = frames_of(path.close())
    assert told["type"] == "error"
    assert path.error is not None
    assert not path.complete


def test_a_stream_that_lacks_only_its_last_event_gets_it() -> None:
    """With the stop reason told, the answer is whole, and clients that wait for the end see it."""
    frames = stream("Hello")
    path = relay()
    written = path.feed(b"".join(frames[:-1])) + path.close()
    assert frames_of(written) == frames_of(b"".join(frames))
    assert (path.complete, path.error) == (True, None)


def test_a_last_event_without_its_blank_line_counts() -> None:
    """An upstream that forgets the very last line end has still said all."""
    sent = b"".join(stream("Hello"))
    path = relay()
    assert path.feed(sent[:-2]) + path.close() == sent
    assert path.complete


def test_a_path_can_be_failed() -> None:
    """A failure on our side is told in this format's words."""
    path = relay()
    path.feed(b"".join(stream("Hello")[:4]))
    (told,) = frames_of(path.fail(ErrorDetail(message="gone", status=504)))
    assert told == {"type": "error", "error": {"type": "timeout_error", "message": "gone"}}
