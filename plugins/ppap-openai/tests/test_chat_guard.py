"""What a guard finds in chat streams, and what can be mended (clients spec, 6 and 7; pains 13, 21, 22)."""

from __future__ import annotations

import openai
import pytest
from ppap_openai import CHAT, COMPLETIONS
from ppap_openai.testing import TIME, TRAFFIC, WEATHER, error_frame, stream

from ppap_core.conversation import Conversation, Delta, End, Event, Finish, ItemEnd, ItemStart, Start
from ppap_core.testing import StubUpstream, streamed
from ppap_core.testing.guard_rules import mended, violations

FRAMES = stream(["Hel", "lo"], reasoning="Hm", tool_calls=[WEATHER, TIME])
ROLE, FINISH, USED, DONE = 0, len(FRAMES) - 3, len(FRAMES) - 2, len(FRAMES) - 1
FIRST_CALL = 4


def without(*places: int) -> list[bytes]:
    return [frame for place, frame in enumerate(FRAMES) if place not in places]


def altered(before: bytes, after: bytes) -> list[bytes]:
    whole = b"".join(FRAMES)
    assert before in whole
    return [whole.replace(before, after, 1)]


LEFT_OUT = {
    "role": (without(ROLE), "does not name the role"),
    "finish_reason": (without(FINISH), "finish_reason"),
    "[DONE]": (without(DONE), "without [DONE]"),
    "choices.index": (altered(b'"index":0,"delta"', b'"delta"'), "a choice without index"),
    "tool_calls.index": (altered(b'[{"index":1,', b"[{"), "a call with index"),
    "tool_calls.index that leaves a gap": (altered(b'[{"index":1,', b'[{"index":2,'), "a call with index 2"),
    "tool_calls.type": (altered(b'"type":"function"', b'"kind":"function"'), "with type"),
    "tool_calls.id": (altered(b'"id":"call_weather",', b""), "without id"),
    "tool_calls.name": (altered(b'"name":"get_weather",', b""), "without name"),
    "tool_calls.name told twice": (
        altered(b'"function":{"arguments":"{', b'"function":{"name":"get_weather","arguments":"{'),
        "its name again",
    ),
    "the start of a call": (without(FIRST_CALL), "call"),
    "arguments": (without(FIRST_CALL + 1), "without arguments"),
    "a call that nobody made": (without(*range(FIRST_CALL, FIRST_CALL + 4)), "made none"),
    "object": (altered(b'"object":"chat.completion.chunk"', b'"object":"chunk"'), "chat.completion.chunk"),
    "id": (altered(b'"id":"chatcmpl-canned"', b'"id":""'), "id, created or model"),
    "created": (altered(b'"created":1700000000', b'"created":null'), "id, created or model"),
    "model": (altered(b'"model":"upstream-model"', b'"model":"other"'), "another id, created or model"),
    "choices": (altered(b'"choices":[{', b'"choice":[{'), "without choices"),
    "usage": (altered(b'"usage":{', b'"used":{'), "without usage"),
    "an end after an error": ([FRAMES[0], error_frame(), FRAMES[-1]], "after the last event"),
    "text beside a call": (
        altered(b'"tool_calls":[{"index":0,"id"', b'"content":"x","tool_calls":[{"index":0,"id"'),
        "calls and text",
    ),
    "a name": (altered(b"data: {", b"event: chunk\ndata: {"), "an event with a name"),
    "words that are none": (altered(b'"content":"Hel"', b'"content":["Hel"]'), "whose text is none"),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_a_client_needs_is_demanded(what: str) -> None:
    """Each row of the tables of what clients need in a stream, and what else the format has."""
    frames, told = LEFT_OUT[what]
    found = violations(CHAT, frames)
    assert any(told in wrong for wrong in found), found


@pytest.mark.parametrize("place", [place for place in range(len(FRAMES)) if place not in (1, 2, 3, USED)])
def test_a_frame_lost_doubled_or_moved_is_noticed(place: int) -> None:
    """Unless nobody can tell: pieces of a text or of arguments, and usage."""
    lost = FRAMES[:place] + FRAMES[place + 1 :]
    doubled = FRAMES[: place + 1] + FRAMES[place:]
    assert violations(CHAT, lost) != []
    if place not in (ROLE, FIRST_CALL + 1, FIRST_CALL + 3):
        assert violations(CHAT, doubled) != []
    if place + 1 < len(FRAMES) and place != FIRST_CALL + 1:
        moved = [*FRAMES[:place], FRAMES[place + 1], FRAMES[place], *FRAMES[place + 2 :]]
        assert violations(CHAT, moved) != []


@pytest.mark.parametrize("name", TRAFFIC.streams)
def test_healthy_traffic_passes(name: str) -> None:
    assert CHAT.stream_guard().feed(TRAFFIC.streams[name]) == []


def test_calls_that_are_null_say_nothing() -> None:
    """Some upstreams name every field of a delta in every chunk."""
    nothing = FRAMES[FINISH].replace(b'"delta":{}', b'"delta":{"tool_calls":null}')
    nothing = nothing.replace(b'"finish_reason":"tool_calls"', b'"finish_reason":null')
    assert b'"tool_calls":null' in nothing
    assert violations(CHAT, [*FRAMES[:FINISH], nothing, nothing, *FRAMES[FINISH:]]) == []


def test_two_choices_and_their_calls_do_not_mix() -> None:
    """Each choice has its own role, calls and end (pain 22)."""
    second = [frame.replace(b'"index":0,"delta"', b'"index":1,"delta"') for frame in FRAMES[:-2]]
    both = [frame for pair in zip(FRAMES[:-2], second, strict=True) for frame in pair]
    assert violations(CHAT, [*both, *FRAMES[-2:]]) == []
    assert violations(CHAT, [*both[:-1], *FRAMES[-2:]]) != []


EVENTS: list[Event] = [
    Start(),
    ItemStart(0, "text"),
    Delta(0, "text", "Hi"),
    ItemEnd(0),
    Finish("stop"),
    End(),
]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (b'"text":"Hi"', b'"words":"Hi"', "a choice without text"),
        (b"data: [DONE]\n\n", b"", "without [DONE]"),
        (b'"finish_reason":"stop"', b'"finish_reason":null', "finish_reason"),
        (b'"object":"text_completion"', b'"object":"chat.completion.chunk"', "text_completion"),
    ],
)
def test_legacy_completions_are_guarded_too(before: bytes, after: bytes, told: str) -> None:
    written = COMPLETIONS.stream_encoder(Conversation(model="m", format="x", stream=True)).feed(EVENTS)
    assert violations(COMPLETIONS, [written]) == []
    found = violations(COMPLETIONS, [written.replace(before, after)])
    assert any(told in wrong for wrong in found), found


MENDED = {
    "no role": (without(ROLE), "added the role"),
    "no finish_reason": (without(FINISH, USED), "added a finish_reason"),
    "no [DONE]": (without(DONE), "added [DONE]"),
    "finish_reason twice": ([*FRAMES[: FINISH + 1], *FRAMES[FINISH:]], "left out a second finish_reason"),
    "events after the end": ([*FRAMES, *FRAMES[1:]], "left out what came after"),
}


@pytest.mark.parametrize("what", MENDED)
async def test_what_is_safe_is_mended(what: str) -> None:
    """The result keeps the rules, and OpenAI's own SDK reads the whole answer from it."""
    frames, told = MENDED[what]
    assert violations(CHAT, frames) != []
    sent, done = mended(CHAT, frames)
    assert told in " ".join(done)
    assert violations(CHAT, [sent]) == []
    async with StubUpstream() as stub, openai.AsyncOpenAI(api_key="k", base_url=f"{stub.url}/v1") as client:
        stub.answers(streamed([sent]))
        async with client.chat.completions.stream(
            model="m", messages=[{"role": "user", "content": "Hi"}]
        ) as events:
            answer = (await events.get_final_completion()).choices[0]
    assert answer.message.content == "Hello"
    assert answer.finish_reason == "tool_calls"
    assert [call.function.name for call in answer.message.tool_calls or ()] == ["get_weather", "get_time"]


def test_a_cut_is_not_hidden() -> None:
    """What an error ended stays as it is, and so does what just stops (pain 13)."""
    for frames in ([*FRAMES[:3], error_frame()], FRAMES[:3]):
        assert mended(CHAT, frames) == (b"".join(frames), [])
