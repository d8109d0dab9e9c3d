"""What one SSE frame of a chat stream holds (translation spec, B.1.5).

Lines that are not ``data:`` mean nothing here, but for two: ``event: error``, and a line that is
JSON where a stream was expected, which is how some upstreams tell a failure on a 200.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import attrs
import msgspec

from ppap_core.conversation import ErrorDetail
from ppap_core.errors import MalformedStream
from ppap_core.wire.sse import payload

from .errors import read_error, read_in_band
from .said import WireAnswer, decode_answer, strictly

DONE: Final = b"[DONE]"


@attrs.frozen
class Failed:
    """The frame tells that the answer failed."""

    error: ErrorDetail


@attrs.frozen
class Done:
    """The upstream said that it has said everything."""


@attrs.frozen
class Nothing:
    """A comment, an id, an empty line."""


Content: TypeAlias = WireAnswer | Failed | Done | Nothing
_DONE = Done()
_NOTHING = Nothing()


def plain_chunk(data: bytes) -> WireAnswer | None:
    """The short way to what nearly every frame's data is: a healthy chunk.

    ``None``: it is something else, and `content_of` says what.
    """
    try:
        answer = strictly(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return answer if answer.error is None and answer.object != "error" else None


def content_of(frame: bytes) -> list[Content]:
    """What a frame (without its blank line) holds; several things if it has several lines.

    Raises `MalformedStream` for data that is not JSON.
    """
    data = payload(frame)
    if not data:
        return [_stray(frame)]
    if not frame.startswith(b"data:") and _is_error_event(frame):
        return [Failed(read_in_band_bytes(data))]
    try:
        return [_read(data)]
    except MalformedStream:
        if b"\n" not in data:
            raise
    return [_read(line) for line in data.split(b"\n") if line]


def _read(data: bytes) -> Content:
    try:
        answer = decode_answer(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if data.strip() == DONE:
            return _DONE
        raise MalformedStream(
            f"openai-chat: the upstream sent a stream event of {len(data)} bytes that is not JSON"
        ) from None
    if answer is None:
        return Failed(read_in_band_bytes(data)) if b'"error"' in data else _NOTHING
    if answer.error or answer.object == "error":
        return Failed(read_in_band_bytes(data))
    return answer


def _stray(frame: bytes) -> Content:
    """A frame without data: an error if one of its lines is JSON, else nothing."""
    for line in frame.split(b"\n"):
        if line.lstrip(b" \t").startswith((b"{", b"[")):
            return Failed(read_in_band_bytes(frame[frame.index(line) :].strip()))
    return _NOTHING


def _is_error_event(frame: bytes) -> bool:
    return any(line.replace(b" ", b"") == b"event:error" for line in frame.split(b"\n"))


def read_in_band_bytes(data: bytes) -> ErrorDetail:
    """Like `read_in_band`, for bytes that may be no JSON at all. Never raises."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_error(502, b"" if data.startswith((b"{", b"[")) else data)
    return read_in_band(value)
