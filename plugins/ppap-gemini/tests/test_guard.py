"""What a guard finds in streams of either framing, and what can be mended (clients spec, 5, 7; pain 13)."""

from __future__ import annotations

import pytest
from google import genai
from ppap_gemini.generate.addressed import Address, addressed
from ppap_gemini.generate.format import GEMINI
from ppap_gemini.testing import TRAFFIC, TWO_ANSWERS, error_frame, stream

from ppap_core.testing import StubUpstream, streamed
from ppap_core.testing.guard_rules import mended, violations
from ppap_core.wire import Guarded, Reframed
from ppap_core.wire.sse import frames

FRAMES = stream("Hello", thinking="Hm", tool_calls=[("look_up", {"a": 1})])
ARRAY = addressed(Address("m", "streamGenerateContent", "json"))


def altered(before: bytes, after: bytes) -> list[bytes]:
    whole = b"".join(FRAMES)
    assert before in whole
    return [whole.replace(before, after, 1)]


LEFT_OUT = {
    "finishReason": (altered(b'"finishReason":"STOP"', b'"reason":"STOP"'), "its finishReason"),
    "the last chunk": (FRAMES[:-1], "its finishReason"),
    "a known finishReason": (altered(b'"finishReason":"STOP"', b'"finishReason":"stop"'), "does not have"),
    "content after the end": ([FRAMES[-1], *FRAMES], "after its finishReason"),
    "role": (altered(b'"role":"model"', b'"role":"user"'), "role of the model"),
    "responseId": (altered(b'"responseId":"canned"', b'"responseId":"another"'), "another responseId"),
    "modelVersion": (altered(b'"modelVersion":', b'"model":'), "modelVersion"),
    "the name of a call": (altered(b'"name":"look_up"', b'"name":""'), "a call without name"),
    "the args of a call": (altered(b'"args":{"a":1}', b'"args":"{}"'), "args are no object"),
    "text": (altered(b'"text":"H"', b'"text":1'), "text is none"),
    "parts": (altered(b'"parts":[{', b'"parts":[[],{'), "no list of objects"),
    "counts": (altered(b'"promptTokenCount":11', b'"promptTokenCount":"11"'), "no numbers"),
    "an event's name": (altered(b"data: ", b"event: chunk\ndata: "), "an event with a name"),
    "JSON": (altered(b"data: {", b"data: {{"), "no JSON object"),
    "an end to [DONE]": ([*FRAMES, b"data: [DONE]\n\n"], "no JSON object"),
    "the end after an error": ([error_frame(503), FRAMES[-1]], "after the last event"),
    "the status of an error": ([error_frame(503).replace(b'"status"', b'"word"')], "without code"),
    "a candidate of two": ([TWO_ANSWERS.replace(b',"finishReason":"STOP"', b"", 1)], "every candidate"),
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_what_a_client_needs_is_demanded(what: str) -> None:
    """Each row of the tables of what clients need in a stream, and what else the format has."""
    sent, told = LEFT_OUT[what]
    found = violations(GEMINI, sent)
    assert any(told in wrong for wrong in found), found


@pytest.mark.parametrize("name", TRAFFIC.streams)
def test_healthy_traffic_passes_in_either_framing(name: str) -> None:
    whole = TRAFFIC.streams[name]
    assert violations(GEMINI, [whole]) == []
    assert violations(ARRAY, [part + b"\n\n" for part in frames(whole)]) == []


def _array(*writes: bytes) -> bytes:
    assert isinstance(ARRAY, Reframed)
    framing = ARRAY.framing()
    return b"".join([*map(framing.feed, writes), framing.close()])


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (b"[{", b"{", "does not begin as an array"),
        (b"}]}]", b"}]}", "does not end"),
        (b",\r\n", b"", "no JSON object"),
        (b'"finishReason":"STOP"', b'"x":1', "finishReason"),
    ],
)
def test_the_array_itself_is_guarded(before: bytes, after: bytes, told: str) -> None:
    """``alt=json``: one array, whose elements are the chunks, in any cuts."""
    assert isinstance(ARRAY, Guarded)
    whole = _array(*FRAMES)
    guard = ARRAY.stream_guard()
    assert [wrong for place in range(len(whole)) for wrong in guard.feed(whole[place : place + 1])] == []
    assert guard.close() == []
    broken = whole[: -len(before)] + after if before == b"}]}]" else whole.replace(before, after, 1)
    guard = ARRAY.stream_guard()
    found = [*guard.feed(broken), *guard.close()]
    assert any(told in wrong for wrong in found), found


async def test_a_candidate_without_its_end_is_given_one() -> None:
    """Where another one has finished, the upstream said that it is done; Google's own SDK reads it."""
    broken = TWO_ANSWERS.replace(b',"finishReason":"STOP"', b"", 1)
    sent, done = mended(GEMINI, [broken])
    assert done == ["added a finishReason"]
    assert violations(GEMINI, [sent]) == []
    async with StubUpstream() as stub:
        stub.answers(streamed([sent]))
        client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=stub.url))
        chunks = [
            chunk async for chunk in await client.aio.models.generate_content_stream(model="m", contents="Hi")
        ]
    ends = {
        candidate.index: candidate.finish_reason
        for chunk in chunks
        for candidate in chunk.candidates or ()
        if candidate.finish_reason
    }
    assert set(ends) == {0, 1}


def test_a_cut_is_not_hidden() -> None:
    """What an error ended stays as it is, and so does what just stops (pain 13)."""
    for cut in ([*FRAMES[:2], error_frame(503)], FRAMES[:2]):
        assert mended(GEMINI, cut) == (b"".join(cut), [])
