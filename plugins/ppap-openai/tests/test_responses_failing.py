"""Streams for clients that only understand the failure of a response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ppap_openai.responses import FAILING, ResponsesGuard
from ppap_openai.responses.testing import error_event, failed_event, stream

from ppap_core.conversation import Conversation, End, ErrorDetail, StreamError


def last_event(written: bytes) -> Any:
    return json.loads(written.rstrip().rpartition(b"data: ")[2])


def test_the_response_that_had_begun_has_failed() -> None:
    """It keeps its id, model and date; the stream is still one that a strict client can read."""
    *begun, failure = [*stream("Hello")[:5], error_event("Too much", "rate_limit_exceeded", 5)]
    framing = FAILING.framing()
    written = b"".join([*map(framing.feed, begun), framing.feed(failure), framing.close()])
    guard = ResponsesGuard()
    assert guard.feed(written) + guard.close() == []
    response = last_event(written)["response"]
    assert (response["id"], response["status"], response["model"]) == (
        "resp_canned",
        "failed",
        "upstream-model",
    )
    assert response["error"] == {"code": "rate_limit_exceeded", "message": "Too much"}


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (b'event: error\r\ndata: {"type":"error","code":"x","message":"No"}\r\n\r\n', ("x", "No")),
        (
            b'data: {"error":{"code":"context_too_large","message":"No"}}\n\n',
            ("context_length_exceeded", "No"),
        ),
        (b'data: {"type":"error","error":{"message":"No"},"status":500}\n\n', ("server_error", "No")),
    ],
)
def test_every_shape_of_an_error_is_one(frame: bytes, error: tuple[str, str]) -> None:
    """Also without a response that had begun, and in the words that Codex knows."""
    told = last_event(FAILING.framing().feed(frame))
    assert told["type"] == "response.failed"
    assert (told["response"]["error"]["code"], told["response"]["error"]["message"]) == error
    assert told["response"]["id"].startswith("resp_")


def test_a_response_begins_once() -> None:
    """Whatever the upstream says of it at its beginning, and also if it never says anything."""
    created = b'data: {"type":"response.created","response":{"id":"r"}}\n\n'
    delta = b'data: {"type":"response.output_text.delta","delta":"Hi"}\n\n'
    for begun in ([created, delta], [created + delta], [delta]):
        framing = FAILING.framing()
        assert b"".join(map(framing.feed, begun)) == b"".join(begun)
        failed = framing.feed(error_event())
        assert failed.count(b"data: ") == 1
        assert last_event(failed)["response"]["id"] == "r" or begun == [delta]


def test_everything_else_is_left_alone() -> None:
    """Byte for byte, also what speaks of errors, and a response that the upstream itself calls failed."""
    for written in (*stream('{"type":"error"}'), failed_event(), b': "error"\n\n'):
        assert FAILING.framing().feed(written) == written


def test_our_own_errors_are_reframed() -> None:
    """What the encoder says of a failure becomes one of the response too."""
    encoder = FAILING.stream_encoder(Conversation(model="m", format="openai-responses", stream=True))
    written = encoder.feed([StreamError(ErrorDetail(message="No", status=502)), End()])
    assert last_event(FAILING.framing().feed(written))["response"]["error"]["code"] == "server_error"
