"""Responses on both sides: frames pass through, and only what must change is spliced.

Translation spec, 0.4, C.11, C.14, C.18; client API spec, 11.4 and 11.6; pains 11–13.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import is_
from typing import Any, Final

import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.errors import MalformedStream
from ppap_core.wire.sse import FrameSplitter, payload
from ppap_core.wire.translate import CUT_SHORT

from .errors import error_frame, read_in_band
from .repair import Items, reframed, repaired, with_response
from .stream_decoder import DONE, ENDS, FAILURES
from .usage import usage_of
from .wire_event import ABSENT, json_object, not_json

_FRAME: Final = re.compile(rb".*?\n\r?\n", re.DOTALL)
_BEGINNINGS: Final = frozenset({"response.created", "response.in_progress", "response.queued"})
"""Events that an upstream sends before it is known whether the model will answer."""

EMPTY_ANSWER: Final = ErrorDetail(
    message="The upstream completed the response without a single item", status=502, code="empty_answer"
)


class _Head(msgspec.Struct, gc=False):
    """What a relay must know of an event; the rest is only checked to be JSON."""

    type: str = ""
    sequence_number: Any = None
    output_index: Any = None
    item: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class _Numbered(msgspec.Struct, gc=False):
    sequence_number: int = -1


_head: Final = msgspec.json.Decoder(_Head).decode
_numbered: Final = msgspec.json.Decoder(_Numbered).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_DELTAS: Final = frozenset(
    f"event: response.{word}.delta".encode()
    for word in (
        "output_text",
        "reasoning_summary_text",
        "reasoning_text",
        "function_call_arguments",
        "custom_tool_call_input",
    )
)
"""First lines of frames that say nothing a relay must know."""
_NO_HEAD: Final = _Head()


class ResponsesRelay:
    """A `StreamPath`: one stream on its way to a client that speaks Responses too.

    A dialect of the format may read errors in a way of its own, and have other words for a stream
    that was cut short.
    """

    cut_short = CUT_SHORT
    read_error = staticmethod(read_in_band)

    def __init__(self, model: bytes | None) -> None:
        """``model``: what every response object shall name, as JSON text; ``None``: what it names."""
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self.usage: Usage | None = None
        self._frames = FrameSplitter()
        self._model = model
        self._items = Items()
        self._heard = False
        self._next_number = 0
        self._broken: MalformedStream | None = None
        self._over = False

    def feed(self, data: bytes) -> bytes:
        if self._over:
            return b""
        self._raise_broken()
        block = self._frames.feed(data)
        if self.committed and self._only_deltas(block):
            return block
        frames = _FRAME.findall(block)
        written = self._passed_on(frames)
        if len(written) == len(frames) and all(map(is_, frames, written)):
            return block
        return b"".join(written)

    def _only_deltas(self, block: bytes) -> bool:
        """Whether a block holds nothing but the events that most of a stream consists of, all well."""
        number = -1
        for frame in block.split(b"\n\n"):
            name, _, data = frame.partition(b"\ndata: ")
            if name not in _DELTAS or b"\n" in data:
                if frame:
                    return False
                continue
            try:
                number = _numbered(data).sequence_number
            except _UNREADABLE:
                return False
        if number >= 0:
            self._next_number = number + 1
        return True

    def _passed_on(self, frames: Sequence[bytes]) -> list[bytes]:
        """What becomes of the frames. Those before a broken one still reach the client (11.4)."""
        written: list[bytes] = []
        for frame in frames:
            try:
                written.append(self._frame(frame))
            except MalformedStream as error:
                self._broken = error
                break
        if not written:
            self._raise_broken()
        return written

    def _raise_broken(self) -> None:
        if self._broken is not None:
            raise self._broken

    def close(self) -> bytes:
        if self._over:
            return b""
        self._raise_broken()
        written = self._last_frame(self._frames.close().rstrip(b"\r\n"))
        if not self._over:
            written += self.fail(self.cut_short)
        return written

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        self._over = True
        return error_frame(error, self._next_number)

    def _last_frame(self, rest: bytes) -> bytes:
        """A last frame that lacks its blank line counts, unless it was cut off inside."""
        if not payload(_unended(rest)) and not rest.lstrip().startswith(b"{"):
            return b""
        try:
            return self._frame(rest + b"\n\n")
        except MalformedStream:
            return b""

    def _frame(self, frame: bytes) -> bytes:
        """The frame as the client gets it; the same object if nothing changes."""
        if self._over:
            return b""
        data = payload(_unended(frame))
        if not data:
            return self._without_data(frame)
        if data == DONE:
            return b""
        try:
            return self._event(frame, data)
        except MalformedStream:
            if b"\n" not in data:
                raise
        lines = [line for line in data.split(b"\n") if line]  # events that no blank line keeps apart
        return b"".join(self._event(b"data: %b\n\n" % line, line) for line in lines)

    def _without_data(self, frame: bytes) -> bytes:
        """A comment passes; a JSON object where events were expected is a failure (C.11)."""
        told = frame.strip()
        if told.startswith(b"{") and (value := json_object(msgspec.Raw(told))).get("error"):
            return self.fail(self.read_error(value))
        return frame

    def _event(self, frame: bytes, data: bytes) -> bytes:
        head = self._read(data)
        kind = head.type
        if kind in FAILURES or (head.error is not ABSENT and bytes(head.error) != b"null"):
            return self._failed(frame, data, head)
        if kind in ENDS:
            return self._ended(frame, data, head)
        if kind in _BEGINNINGS:
            return self._respliced(frame, data, head)
        if kind.startswith("response."):
            self.committed = True
        if kind.startswith("response.output_item."):
            self._heard = True
            if kind.endswith("done"):
                index = head.output_index
                self._items.add(index if isinstance(index, int) else None, bytes(head.item))
        return frame

    def _read(self, data: bytes) -> _Head:
        """Raises `MalformedStream` for what is no JSON; it must not reach the client, nor an error text."""
        try:
            head = _head(data)
        except msgspec.ValidationError:
            return _NO_HEAD
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise not_json(data) from None
        if isinstance(head.sequence_number, int):
            self._next_number = head.sequence_number + 1
        return head

    def _failed(self, frame: bytes, data: bytes, head: _Head) -> bytes:
        self.error = self.read_error(json_object(msgspec.Raw(data)))
        self._over = True
        self._note_usage(head)
        return self._respliced(frame, data, head)

    def _ended(self, frame: bytes, data: bytes, head: _Head) -> bytes:
        self._note_usage(head)
        response = json_object(head.response)
        output_tokens = self.usage.output_total if self.usage is not None else None
        if not (self._heard or self.committed or response.get("output") or output_tokens):
            return self.fail(EMPTY_ANSWER)
        self.committed = self.complete = self._over = True
        return self._respliced(frame, data, head)

    def _note_usage(self, head: _Head) -> None:
        usage = usage_of(json_object(head.response))
        if usage is not None:
            self.usage = usage

    def _respliced(self, frame: bytes, data: bytes, head: _Head) -> bytes:
        """The frame with a whole response under the client's model name."""
        if head.response is ABSENT:
            return frame
        before = bytes(head.response)
        items = self._items if head.type in ENDS else Items()
        after = repaired(before, items, self._model)
        return frame if after is before else reframed(frame, with_response(data, after))


def _unended(frame: bytes) -> bytes:
    return frame.replace(b"\r\n", b"\n").strip(b"\n")
