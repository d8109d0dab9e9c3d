"""Streams on their way: what a relay notices, and how an array is framed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_gemini import GEMINI
from ppap_gemini.generate.array_framing import ArrayFraming
from ppap_gemini.testing import TWO_ANSWERS, error_frame, frame, stream

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.wire import JsonBody, StreamPath, Target

PLAIN = JsonBody(b'{"contents":[]}')
TWO = JsonBody(b'{"contents":[],"generationConfig":{"candidateCount":2}}')


def relay(body: JsonBody = PLAIN) -> StreamPath:
    return GEMINI.stream_relay(body, "client-model", Target(model="m"))


def test_a_relay_is_whole_with_the_reason_and_the_usage() -> None:
    """Nothing after the last chunk is waited for, and the last usage counts, not the first (12.2)."""
    path = relay()
    for each in stream("Hello", pieces=3):
        assert not path.complete
        assert path.feed(each) == each
    assert path.complete
    assert path.usage == Usage(input_total=11, cache_read=5, output_total=7, reasoning=3, total=18)


def test_a_relay_waits_for_usage_that_comes_late() -> None:
    """A reason to finish without usage does not end a stream; its end does."""
    path = relay()
    last = frame({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]})
    counted = frame({"usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}})
    assert path.feed(last) == last
    assert not path.complete
    assert path.feed(counted) == counted
    assert path.close() == b""
    assert path.complete
    assert path.usage == Usage(input_total=1, output_total=2)


def test_a_relay_of_two_answers_waits_for_both() -> None:
    """As many candidates as were asked for have to finish."""
    first, second = TWO_ANSWERS.split(b"\n\n")[:2]
    path = relay(TWO)
    path.feed(first + b"\n\n")
    one_done = json.loads(second[6:])
    del one_done["candidates"][1]
    path.feed(frame(one_done))
    assert not path.complete
    path.feed(second + b"\n\n")
    assert path.complete


def test_thoughts_commit_a_relay_and_usage_does_not() -> None:
    """As long as only numbers came, another upstream may still answer (pain 11)."""
    path = relay()
    path.feed(frame({"usageMetadata": {"promptTokenCount": 3}, "candidates": []}))
    assert not path.committed
    path.feed(frame({"candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}]}}]}))
    assert path.committed


def test_a_refused_prompt_is_a_whole_answer() -> None:
    """It has no candidates, and no other upstream needs to be asked (14)."""
    refused = frame({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})
    path = relay()
    assert path.feed(refused) == refused
    assert (path.committed, path.complete, path.error) == (True, True, None)


def test_an_error_in_the_stream_is_passed_on_and_ends_it() -> None:
    """The client reads the upstream's own words, and nothing after them (pain 12)."""
    path = relay()
    told = error_frame(429, "Slow down")
    path.feed(stream("Hello")[0])
    assert path.feed(told + stream("more")[0]) == told
    assert path.error is not None
    assert (path.error.status, path.error.message) == (429, "Slow down")
    assert path.close() == b""


def test_an_error_at_once_is_kept_back() -> None:
    """Before anything was said, the client must not see a failure that may yet be mended (pain 12)."""
    path = relay()
    assert path.feed(error_frame(503)) == b""
    assert path.error is not None
    assert not path.committed


def test_an_error_frame_has_no_event_line() -> None:
    """Google's SDKs take any line but ``data:`` for JSON text, or skip the whole frame."""
    path = relay()
    told = path.fail(ErrorDetail(message="Gone", status=502))
    assert told.startswith(b'data: {"error":')
    assert told.count(b"\n") == 2


@given(st.lists(st.lists(st.sampled_from(["a", "b", "\n\n", "data:"]), max_size=3), max_size=4))
@settings(max_examples=100)
def test_an_array_is_valid_however_chunks_are_written(writes: list[list[str]]) -> None:
    """Any number of chunks in any number of writes make one JSON array of them, in order (12.1)."""
    framing = ArrayFraming()
    chunks = [[{"text": text} for text in write] for write in writes]
    out = [framing.feed(b"\n\n" + b"".join(map(frame, write))) for write in chunks]
    array = b"\n".join([*out, framing.close()])  # with keep-alives between
    assert json.loads(array) == [chunk for write in chunks for chunk in write]


@pytest.mark.parametrize("count", [b"0", b"null", b'"x"', b"-1"])
def test_an_odd_number_of_answers_is_one(count: bytes) -> None:
    """What cannot be read is for the upstream to refuse; the relay waits for one answer."""
    path = relay(JsonBody(b'{"generationConfig":{"candidateCount":%b}}' % count))
    path.feed(b"".join(stream("Hello")))
    assert path.complete
