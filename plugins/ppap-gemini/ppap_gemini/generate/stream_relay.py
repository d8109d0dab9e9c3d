"""A stream passed on in its own format: bytes go through, and are looked at only where it matters.

Until something is said, every chunk is read, so that a failure told on a 200 can still be taken to
another upstream (pains 11 and 12). After that only reads with an end or an error in them are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.errors import MalformedStream
from ppap_core.wire import JsonBody
from ppap_core.wire.sse import FrameSplitter, payload
from ppap_core.wire.translate import CUT_SHORT

from .chunk import UNREADABLE, Chunk, ReadChunk, read_chunk, reader_of
from .errors import error_frame, read_error
from .usage import NOTHING, read_usage
from .vocabulary import NAME

_NOTABLE: Final = (b'"finishReason"', b'"finish_reason"', b'"error"', b'"promptFeedback"')
"""Inside of JSON strings quotes are escaped, so only keys, or rare values, look like this."""
_USAGE: Final = b'"usageMetadata"'
_FRAME: Final = re.compile(rb".+?(?:\n\r?\n|\Z)", re.DOTALL)


class _Candidates(msgspec.Struct, rename="camel"):
    candidate_count: int | None = None


class GeminiRelay:
    """See `ppap_core.wire.StreamPath`. Whole once every candidate that was asked for has finished."""

    def __init__(self, body: JsonBody, read_chunk: ReadChunk = read_chunk) -> None:
        self._read_chunk = read_chunk
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self._splitter = FrameSplitter()
        self._awaited = _candidates_of(body)
        self._finished: set[int] = set()
        self.usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        """Raises `MalformedStream` for data that is no chunk."""
        whole = self._splitter.feed(data)
        if not whole or self.complete or self.error is not None:
            return b""
        return self._passed(whole)

    def close(self) -> bytes:
        """An end before the last candidate's is an error, and the client is told."""
        rest = self._splitter.close()
        written = b""
        if _data(rest) and not self.complete and self.error is None:
            try:
                written = b"".join(self._looked_at(rest + b"\n\n"))
            except MalformedStream:
                written = b""  # half a chunk
        if self.complete or self.error is not None:
            return written
        if self._finished:
            self.complete = True
            return written
        self.error = CUT_SHORT
        return written + (error_frame(CUT_SHORT) if self.committed else b"")

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        return error_frame(error)

    def _passed(self, whole: bytes) -> bytes:
        if self.committed and not any(mark in whole for mark in _NOTABLE):
            if _USAGE in whole:
                self._count(whole)
            return whole
        return b"".join(self._looked_at(whole))

    def _count(self, whole: bytes) -> None:
        """The last count of a read; those before are partial (12.2)."""
        start = max(
            whole.rfind(b"\n\n", 0, whole.rindex(_USAGE)), whole.rfind(b"\n\r\n", 0, whole.rindex(_USAGE))
        )
        try:
            counted = _counted(_data(_frames(whole[max(0, start) :].lstrip())[0]))
        except UNREADABLE:
            return  # a client of the format sees it as it is
        self.usage = read_usage((counted.response or counted).usage) or self.usage

    def _looked_at(self, whole: bytes) -> Iterator[bytes]:
        read_chunk = reader_of(whole, self._read_chunk)
        for frame in _frames(whole):
            if self.complete or self.error is not None:
                return
            data = _data(frame)
            if not data.startswith(b"{"):
                yield frame
                continue
            try:
                chunk = read_chunk(data)
            except UNREADABLE:
                raise MalformedStream(f"{NAME}: not JSON of an answer, in {len(data)} bytes") from None
            if chunk.failed:
                self.error = read_error(data)
                yield frame if self.committed else b""
                continue
            self._note(chunk)
            yield frame

    def _note(self, chunk: Chunk) -> None:
        told = read_usage(chunk.usage)
        self.usage = told or self.usage
        for place, candidate in enumerate(chunk.candidates or ()):
            self.committed = self.committed or bool(candidate.parts)
            if candidate.finish_reason:
                self._finished.add(place if candidate.index is None else candidate.index)
        if chunk.blocked:
            self._finished.update(range(self._awaited))
        self.committed = self.committed or bool(self._finished)
        self.complete = told is not None and len(self._finished) >= self._awaited


class _Counted(msgspec.Struct):
    """A chunk, or its envelope, of which nothing else is decoded."""

    usage: msgspec.Raw = msgspec.field(default=NOTHING, name="usageMetadata")
    response: _Counted | None = None


_counted: Final = msgspec.json.Decoder(_Counted).decode


def _candidates_of(body: JsonBody) -> int:
    """How many answers the client asked for."""
    for field in ("generationConfig", "generation_config"):
        raw = body.raw(field)
        if raw is not None and b"andidate" in raw:
            try:
                count = msgspec.json.decode(
                    raw.replace(b"candidate_count", b"candidateCount"), type=_Candidates
                )
            except msgspec.MsgspecError:
                return 1
            return max(1, count.candidate_count or 1)
    return 1


def _frames(whole: bytes) -> list[bytes]:
    """Each frame with its blank line, byte for byte."""
    return _FRAME.findall(whole)


def _data(frame: bytes) -> bytes:
    return payload(frame.replace(b"\r\n", b"\n").strip(b"\n")).strip()
