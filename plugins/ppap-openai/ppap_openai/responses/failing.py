"""Streams for clients that only understand the failure of a response, as Codex does.

Such a client takes an ``error`` event for a cut connection: it asks again, and never shows what the
upstream said (client API spec, 22, no. 5; clients spec, 3).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.conversation import ErrorDetail
from ppap_core.exchange import Addressed, Arrival, generate
from ppap_core.wire.sse import event_frame, payload

from .codec import RESPONSES, Responses
from .errors import read_in_band
from .identifiers import new_response_id
from .wire_event import ABSENT, json_object

CODES: Final[Mapping[str, str]] = {
    "context_too_large": "context_length_exceeded",  # the only word on which it compacts
    "internal_server_error": "server_error",
}
"""A code of an ``error`` event → the word for it in a response that failed."""

TOO_LONG: Final = ("context_length_exceeded", "context_too_large")

_CLIENTS: Final = b"codex"
"""What the names of these clients begin with, in the headers below."""
_NAMED_IN: Final = (b"originator", b"user-agent")
_FRAME: Final = re.compile(rb".*?\n\r?\n", re.DOTALL)


class _Head(msgspec.Struct, gc=False):
    type: str = ""
    response: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT
    sequence_number: Any = None


_head: Final = msgspec.json.Decoder(_Head).decode
_NO_HEAD: Final = _Head()


class FailingResponses(Responses):
    """Responses, but for how a stream fails."""

    def framing(self) -> FailureFraming:
        return FailureFraming()

    def fails_in_stream(self, error: ErrorDetail) -> bool:
        """By a status it is just an error; from a stream, the client learns to compact the conversation."""
        return error.code in TOO_LONG


class FailureFraming:
    """See `ppap_core.wire.Framing`. Turns an ``error`` into the failure of the response that had begun."""

    def __init__(self) -> None:
        self._response: dict[str, Any] = {}
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        if self._begun and b'"error"' not in data:
            return data
        written = b"".join(map(self._frame, _FRAME.findall(data)))
        self._begun = self._begun or bool(written)
        return written

    def close(self) -> bytes:
        return b""

    def _frame(self, frame: bytes) -> bytes:
        data = payload(frame.replace(b"\r\n", b"\n").strip(b"\n"))
        try:
            head = _head(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            head = _NO_HEAD
        if not self._response and head.response is not ABSENT:
            self._response = json_object(head.response)
        if head.type == "error" or (not head.type and bytes(head.error) != b"null"):
            return self._failed(read_in_band(json_object(msgspec.Raw(data))), head.sequence_number)
        return frame

    def _failed(self, error: ErrorDetail, number: Any) -> bytes:
        """The failure; before it the response begins, if it had not."""
        code = error.code or ("server_error" if error.status >= 500 else "invalid_request_error")
        failure = {"code": CODES.get(code, code), "message": error.message}
        begun = self._response or {
            **_NEVER_TOLD,
            "id": new_response_id(),
            "created_at": int(time.time()),
        }
        written = b""
        if not (self._begun or self._response):
            written = _event("response.created", begun, 0) + _event("response.in_progress", begun, 1)
            number = 2
        failed = {**begun, "status": "failed", "error": failure}
        return written + _event("response.failed", failed, number if isinstance(number, int) else 0)


_NEVER_TOLD: Final[Mapping[str, Any]] = {
    "object": "response",
    "status": "in_progress",
    "model": "",
    "output": [],
}


def _event(kind: str, response: Mapping[str, Any], number: int) -> bytes:
    told = {"type": kind, "response": response, "sequence_number": number}
    return event_frame(kind, msgspec.json.encode(told))


FAILING: Final = FailingResponses()
_PLAIN: Final = Addressed(RESPONSES, generate)
_FAILING: Final = Addressed(FAILING, generate)


def read_client(arrival: Arrival) -> Addressed:
    """How the client of a request wants to be answered, by what it calls itself."""
    known = any(arrival.header(name).startswith(_CLIENTS) for name in _NAMED_IN)
    return _FAILING if known else _PLAIN
