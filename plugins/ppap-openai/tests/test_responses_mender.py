"""What can be mended in Responses streams (clients spec, 3 and 7; pain 13)."""

from __future__ import annotations

import openai
import pytest
from ppap_openai.responses import RESPONSES
from ppap_openai.responses.testing import error_event, stream
from ppap_openai.testing import WEATHER

from ppap_core.testing import StubUpstream, streamed
from ppap_core.testing.guard_rules import mended, violations

FRAMES = stream("Hello", reasoning="Hm", tool_calls=[WEATHER])


def of(kind: str, item: str = "") -> list[int]:
    """The frames of a kind of event, about a kind of item."""
    opening = f"event: response.{kind}\n".encode()
    return [n for n, frame in enumerate(FRAMES) if frame.startswith(opening) and item.encode() in frame]


def without(*places: int) -> list[bytes]:
    return [frame for place, frame in enumerate(FRAMES) if place not in places]


LAST = len(FRAMES) - 1
MENDED = {
    "no item of the message done": (without(*of("output_item.done", '"msg_')), "added output_item.done"),
    "no item of the call done": (
        without(*of("output_item.done", '"function_call"')),
        "added output_item.done",
    ),
    "no item done": (without(*of("output_item.done")), "added output_item.done"),
    "nothing done": (
        without(
            *of("output_item.done"),
            *of("content_part.done"),
            *of("output_text.done"),
            *of("function_call_arguments.done"),
            *of("reasoning_summary_text.done"),
            *of("reasoning_summary_part.done"),
        ),
        "added output_item.done",
    ),
    "no in_progress": (without(1), "added response.in_progress"),
    "created twice": ([FRAMES[0], *FRAMES], "left out a second response.created"),
    "no numbers": ([frame.replace(b'"sequence_number"', b'"number"') for frame in FRAMES], "numbered"),
    "events after the end": ([*FRAMES, *FRAMES[2:]], "left out what came after"),
}


@pytest.mark.parametrize("what", MENDED)
async def test_what_is_safe_is_mended(what: str) -> None:
    """The result keeps the rules, and OpenAI's own SDK reads the whole answer from it."""
    frames, told = MENDED[what]
    assert violations(RESPONSES, frames) != []
    sent, done = mended(RESPONSES, frames)
    assert told in " ".join(done)
    assert violations(RESPONSES, [sent]) == []
    async with StubUpstream() as stub, openai.AsyncOpenAI(api_key="k", base_url=f"{stub.url}/v1") as client:
        stub.answers(streamed([sent]))
        async with client.responses.stream(model="m", input="Hi") as events:
            response = await events.get_final_response()
    assert response.output_text == "Hello"
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call"]


def test_a_cut_is_not_hidden() -> None:
    """What an error ended stays as it is, and so does what just stops (pain 13)."""
    for frames in ([*FRAMES[:6], error_event(number=6)], FRAMES[:6]):
        assert mended(RESPONSES, frames) == (b"".join(frames), [])


def test_an_error_keeps_count() -> None:
    """An error after events that were mended has the next number."""
    sent, _ = mended(RESPONSES, [FRAMES[0], *FRAMES[2:5], error_event(number=4)])
    assert violations(RESPONSES, [sent]) == []
