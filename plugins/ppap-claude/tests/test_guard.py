"""What a guard finds in streams, and what can be mended (clients spec, 4 and 7; pains 13, 21, 22)."""

from __future__ import annotations

import pytest
from anthropic import AsyncAnthropic
from anthropic.types import Message
from ppap_claude.messages.format import MESSAGES
from ppap_claude.testing import TRAFFIC, error_event, stream

from ppap_core.testing import StubUpstream, streamed
from ppap_core.testing.guard_rules import mended, violations

FRAMES = stream("Hello", thinking="Hm", tool_calls=[("look_up", {"a": 1})])
TWICE_FINE = {b"event: ping", b"event: content_block_delta"}
"""Events that may come twice, as far as anybody can tell."""


def of(event: str) -> int:
    """The first frame of a kind."""
    return next(n for n, frame in enumerate(FRAMES) if frame.startswith(f"event: {event}\n".encode()))


def without(event: str) -> list[bytes]:
    place = of(event)
    return FRAMES[:place] + FRAMES[place + 1 :]


def altered(before: bytes, after: bytes) -> list[bytes]:
    whole = b"".join(FRAMES)
    assert before in whole
    return [whole.replace(before, after, 1)]


LEFT_OUT = {
    "message_start": (without("message_start"), "before message_start"),
    "content_block_start": (without("content_block_start"), "which is not open"),
    "content_block_stop": (without("content_block_stop"), "inside of another"),
    "message_delta": (without("message_delta"), "without message_delta"),
    "message_stop": (FRAMES[:-1], "without a last event"),
    "event lines": (altered(b"event: content_block_start\n", b""), "event's name"),
    "type": (altered(b'data: {"type":"content_block_delta",', b"data: {"), "event's name"),
    "index": (altered(b'_block_stop","index":0', b'_block_stop","place":0'), "not open"),
    "message_start.message.usage": (
        altered(b'"usage":{"input_tokens":13', b'"used":{"input_tokens":13'),
        "usage",
    ),
    "message_start.message.content": (altered(b'"content":[]', b'"contents":[]'), "begin empty"),
    "message_start.message.id": (altered(b'"id":"msg_canned"', b'"id":""'), "id or model"),
    "message_start.message.role": (altered(b'"role":"assistant"', b'"role":"user"'), "type or role"),
    "message_delta.usage": (
        altered(b'"usage":{"output_tokens"', b'"used":{"output_tokens"'),
        "usage without",
    ),
    "stop_reason": (altered(b'"stop_reason":"tool_use"', b'"stop_reason":null'), "stop_reason"),
    "block id": (altered(b'"id":"toolu_1"', b'"id":""'), "id or name"),
    "block input": (altered(b'"input":{}', b'"in":{}'), "begin empty"),
    "block text": (altered(b'"text":""', b'"words":""'), "begin empty"),
    "half a call": (altered(b'"partial_json":"{', b'"partial_json":"['), "no JSON object"),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_a_client_needs_is_demanded(what: str) -> None:
    """Each row of the tables of what clients need in a stream, and what else the format has."""
    frames, told = LEFT_OUT[what]
    found = violations(MESSAGES, frames)
    assert any(told in wrong for wrong in found), found


@pytest.mark.parametrize("place", range(len(FRAMES)))
def test_a_frame_lost_doubled_or_moved_is_noticed(place: int) -> None:
    """Unless nobody can tell: pings, and pieces of a text."""
    name = FRAMES[place].split(b"\n")[0]
    lost = FRAMES[:place] + FRAMES[place + 1 :]
    doubled = FRAMES[: place + 1] + FRAMES[place:]
    if name not in TWICE_FINE:
        assert violations(MESSAGES, lost) != []
        assert violations(MESSAGES, doubled) != []
    following = FRAMES[place + 1 : place + 2]
    if following and name not in TWICE_FINE and not following[0].startswith(b"event: ping"):
        assert violations(
            MESSAGES, FRAMES[:place] + following + FRAMES[place : place + 1] + FRAMES[place + 2 :]
        )


@pytest.mark.parametrize("name", TRAFFIC.streams)
def test_healthy_traffic_passes(name: str) -> None:
    assert violations(MESSAGES, [TRAFFIC.streams[name]]) == []


MENDED = {
    "a block that is not closed": (without("content_block_stop"), "added content_block_stop"),
    "no message_delta": (without("message_delta"), "added message_delta"),
    "no message_stop": (FRAMES[:-1], "added message_stop"),
    "no message_start": (without("message_start"), "added message_start"),
    "message_start twice": ([FRAMES[0], *FRAMES], "left out a second message_start"),
    "events after the end": ([*FRAMES, *FRAMES[1:4]], "left out what came after"),
    "a stop without its block": (
        [
            FRAMES[0],
            b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
            *FRAMES[1:],
        ],
        "left out a content_block_stop",
    ),
}


@pytest.mark.parametrize("what", MENDED)
async def test_what_is_safe_is_mended(what: str) -> None:
    """The result keeps the rules, and Anthropic's own SDK reads the whole answer from it."""
    frames, told = MENDED[what]
    assert violations(MESSAGES, frames) != []
    sent, done = mended(MESSAGES, frames)
    assert told in " ".join(done)
    assert violations(MESSAGES, [sent]) == []
    message = await _read_by_the_sdk(sent)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    call = message.content[2]
    assert call.type == "tool_use"
    assert call.input == {"a": 1}
    assert message.stop_reason == "tool_use"


async def _read_by_the_sdk(sent: bytes) -> Message:
    async with StubUpstream() as stub, AsyncAnthropic(api_key="k", base_url=stub.url) as client:
        stub.answers(streamed([sent]))
        asked = client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
        async with asked as told:
            return await told.get_final_message()


def test_a_cut_is_not_hidden() -> None:
    """What an error ended stays as it is (pain 13)."""
    frames = [*FRAMES[:4], error_event(529)]
    assert mended(MESSAGES, frames) == (b"".join(frames), [])
    assert mended(MESSAGES, FRAMES[:4]) == (b"".join(FRAMES[:4]), [])
