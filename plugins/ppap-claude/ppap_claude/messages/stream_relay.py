"""A stream passed on in its own format: bytes go through, a few events are looked at.

Until something is said, every frame is read, so that a failure told on a 200 can still be taken to
another upstream (pains 11 and 12). After that only reads in which a message event or an error
occurs are looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.errors import InvalidRequest, MalformedStream
from ppap_core.wire import JsonBody, Target
from ppap_core.wire.sse import FrameSplitter, payload
from ppap_core.wire.translate import CUT_SHORT

from .errors import error_frame, read_error
from .stream_encoder import MESSAGE_STOP
from .usage import NOTHING, Counts, read_counts
from .vocabulary import NAME

_NOTABLE: Final = (b'"message_', b'"error"')
"""Outside of JSON strings, where quotes are escaped, only message events and errors have these."""
_ENDED_FRAME: Final = re.compile(rb".+?(?:\n\r?\n|\Z)", re.DOTALL)
_VISIBLE: Final = ("content_block_start", "content_block_delta")


class _DeltaFields(msgspec.Struct):
    stop_reason: str | None = None


class _MessageFields(msgspec.Struct):
    usage: msgspec.Raw = NOTHING


class _EventFields(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = NOTHING
    usage: msgspec.Raw = NOTHING
    delta: _DeltaFields | None = None


_event: Final = msgspec.json.Decoder(_EventFields).decode
_message: Final = msgspec.json.Decoder(_MessageFields).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class MessagesRelay:
    """See `ppap_core.wire.StreamPath`. Nothing is passed on after ``message_stop`` or an error."""

    def __init__(self, client_model: str, target: Target) -> None:
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self.usage: Usage | None = None
        self._client_model = client_model
        self._renamed = client_model != target.model
        self._splitter = FrameSplitter()
        self._counts: Counts | None = None
        self._stopped = False

    def feed(self, data: bytes) -> bytes:
        """Raises `MalformedStream` for data that is not an event of this format."""
        whole = self._splitter.feed(data)
        if not whole or self.complete or self.error is not None:
            return b""
        if self.committed and not any(mark in whole for mark in _NOTABLE):
            return whole
        return b"".join(self._passed(whole))

    def close(self) -> bytes:
        """A stream whose end was told but for ``message_stop`` gets one; any other cut is an error."""
        rest = self._splitter.close()
        written = b""
        if _data(rest) and not self.complete and self.error is None:
            try:
                written = b"".join(self._passed(rest + b"\n\n"))
            except MalformedStream:
                written = b""  # half an event
        if self.complete or self.error is not None:
            return written
        if self._stopped:
            self.complete = True
            return written + MESSAGE_STOP
        self.error = CUT_SHORT
        return written + (error_frame(CUT_SHORT) if self.committed else b"")

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        return error_frame(error)

    def _passed(self, whole: bytes) -> Iterator[bytes]:
        for frame in _frames(whole):
            if self.complete or self.error is not None:
                return
            yield self._looked_at(frame)

    def _looked_at(self, frame: bytes) -> bytes:
        data = _data(frame)
        if not data.startswith(b"{"):
            return frame
        try:
            fields = _event(data)
            kind = fields.type
            if kind in _VISIBLE:
                self.committed = True
            elif kind == "message_start":
                self._count(_message(fields.message).usage)
                return self._under_client_model(frame, data, bytes(fields.message))
            elif kind == "message_delta":
                self._count(fields.usage)
                self._stopped = self._stopped or bool(fields.delta and fields.delta.stop_reason)
                self.committed = self.committed or self._stopped
            elif kind == "message_stop":
                self.committed = self.complete = True
            elif kind == "error":
                self.error = read_error(data)
                return frame if self.committed else b""
        except (*_UNREADABLE, InvalidRequest) as error:
            raise MalformedStream(f"{NAME}: {error}, in an event of {len(data)} bytes") from None
        return frame

    def _under_client_model(self, frame: bytes, data: bytes, message: bytes) -> bytes:
        """The first event with the model name that the client asked for (C.18)."""
        if not self._renamed:
            return frame
        named = JsonBody(message).edited({"model": msgspec.json.encode(self._client_model)})
        return frame.replace(data, JsonBody(data).edited({"message": named}))

    def _count(self, raw: msgspec.Raw) -> None:
        counts = read_counts(raw)
        if counts is not None:
            self._counts = self._counts.updated(counts) if self._counts else counts
            self.usage = self._counts.usage()


def _data(frame: bytes) -> bytes:
    return payload(frame.replace(b"\r\n", b"\n").strip(b"\n"))


def _frames(whole: bytes) -> Iterator[bytes]:
    """Each frame with its blank line, byte for byte."""
    if b"\r" in whole:
        yield from _ENDED_FRAME.findall(whole)
        return
    start = 0
    while (end := whole.find(b"\n\n", start)) >= 0:
        yield whole[start : end + 2]
        start = end + 2
    if start < len(whole):
        yield whole[start:]
