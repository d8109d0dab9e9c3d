"""An upstream's stream → events (translation spec, B.4.4)."""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Delta,
    End,
    Event,
    Finish,
    ItemEnd,
    ItemKind,
    ItemMeta,
    ItemStart,
    Start,
    StreamError,
    UsageUpdate,
)
from ppap_core.errors import MalformedStream
from ppap_core.wire import NameMap
from ppap_core.wire.sse import FrameSplitter, frames, payload

from .block_reader import native
from .content import annotation
from .errors import read_error
from .usage import NOTHING, Counts, read_counts
from .vocabulary import NAME, finish_reason
from .web_search import search_of


class _DeltaFields(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    citation: msgspec.Raw = NOTHING
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _MessageFields(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: msgspec.Raw = NOTHING


class _BlockFields(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NOTHING


class _EventFields(msgspec.Struct, gc=False):
    type: str = ""
    index: int = 0
    delta: _DeltaFields | None = None
    content_block: msgspec.Raw = NOTHING
    message: msgspec.Raw = NOTHING
    usage: msgspec.Raw = NOTHING


class _BlockType(msgspec.Struct):
    type: str = ""


_event: Final = msgspec.json.Decoder(_EventFields).decode
_message: Final = msgspec.json.Decoder(_MessageFields).decode
_block: Final = msgspec.json.Decoder(_BlockFields).decode
_block_type: Final = msgspec.json.Decoder(_BlockType).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_DONE: Final = b"[DONE]"
_KINDS: Final[dict[str, ItemKind]] = {
    "text": "text",
    "thinking": "reasoning",
    "redacted_thinking": "reasoning",
    "tool_use": "tool_call",
}
_KIND_OF_DELTA: Final[dict[str, ItemKind]] = {"text_delta": "text", "thinking_delta": "reasoning"}
"""What is open if a delta comes for a block that was never started; some upstreams leave that out."""


class _Open:
    """A block that has begun. ``started``: an `ItemStart` was given; text and thinking wait for words."""

    __slots__ = ("arguments", "key", "kind", "native", "started", "whole_input")

    def __init__(self, key: int, kind: ItemKind) -> None:
        self.key = key
        self.kind = kind
        self.started = False
        self.native: dict[str, Any] | None = None
        self.arguments: list[str] = []
        self.whole_input = ""


class MessagesStreamDecoder:
    """See `ppap_core.wire.StreamDecoder`. Nothing counts after ``message_stop`` or an error."""

    def __init__(self, names: NameMap) -> None:
        self._names = names
        self._splitter = FrameSplitter()
        self._counts = Counts()
        self._open: dict[int, _Open] = {}
        self._next_key = 0
        self._begun = False
        self._called = False
        self._finished = False
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Raises `MalformedStream` for data that is not an event of this format."""
        events: list[Event] = []
        whole = self._splitter.feed(data)
        if whole:
            for frame in frames(whole):
                self._frame(frame, events)
        return events

    def close(self) -> list[Event]:
        """A last event without its blank line counts if it is whole; half of one does not."""
        events: list[Event] = []
        rest = self._splitter.close().strip()
        if rest:
            try:
                self._frame(rest.replace(b"\r\n", b"\n"), events)
            except MalformedStream:
                pass
        if not self._over:
            self._end(events)
        return events

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        _, found, data = frame.partition(b"\ndata: ")
        if not found or data.find(b"\n") >= 0:
            data = payload(frame)
        if self._over or not data or data == _DONE:
            return
        try:
            fields = _event(data)
            kind = fields.type
            if kind == "content_block_delta":
                if fields.delta is not None:
                    self._delta(fields.index, fields.delta, events)
            elif kind == "content_block_start":
                self._block_start(fields.index, bytes(fields.content_block), events)
            elif kind == "content_block_stop":
                self._block_stop(fields.index, events)
            elif kind == "message_start":
                self._message_start(fields.message, events)
            elif kind == "message_delta":
                self._message_delta(fields, events)
            elif kind == "message_stop":
                self._message_stop(events)
            elif kind == "error":
                events.append(StreamError(read_error(data)))
                events.append(End())
                self._over = True
        except _UNREADABLE as error:
            raise MalformedStream(f"{NAME}: {error}, in an event of {len(data)} bytes") from None

    # --- blocks -------------------------------------------------------------------------------

    def _block_start(self, index: int, raw: bytes, events: list[Event]) -> None:
        self._block_stop(index, events)  # an upstream that numbers every block 0 must not merge them
        kind = _KINDS.get(_block_type(raw).type, "server_tool")
        opened = self._opened(index, kind)
        if kind == "server_tool":
            opened.native = native(raw)
            self._start(opened, events)
            return
        block = _block(raw)
        if kind == "tool_call":
            self._called = True
            opened.started = True
            opened.whole_input = bytes(block.input).decode()
            call_id = block.id or f"toolu_{uuid.uuid4().hex}"
            name = self._names.client_name(block.name or f"tool_{index}")
            events.append(ItemStart(opened.key, kind, call_id, name))
            return
        if block.data is not None:
            self._start(opened, events)
            events.append(ItemMeta(opened.key, redacted_data=block.data, origin=NAME))
        if said := block.text or block.thinking:
            self._said(opened, said, events)
        if block.signature:
            self._signed(opened, block.signature, events)

    def _delta(self, index: int, delta: _DeltaFields, events: list[Event]) -> None:
        opened = self._open.get(index)
        if opened is None:
            kind = _KIND_OF_DELTA.get(delta.type)
            if kind is None:
                return
            opened = self._opened(index, kind)
        if text := delta.text or delta.thinking:
            self._said(opened, text, events)
        elif delta.partial_json:
            if opened.kind == "tool_call":
                opened.whole_input = ""
                events.append(Delta(opened.key, "tool_call", delta.partial_json))
            else:
                opened.arguments.append(delta.partial_json)
        elif delta.signature:
            self._signed(opened, delta.signature, events)
        elif delta.type == "citations_delta":
            self._start(opened, events)
            events.append(ItemMeta(opened.key, annotation=annotation(native(bytes(delta.citation)))))

    def _said(self, opened: _Open, text: str, events: list[Event]) -> None:
        if not opened.started:
            self._start(opened, events)
        events.append(Delta(opened.key, opened.kind, text))

    def _signed(self, opened: _Open, signature: str, events: list[Event]) -> None:
        self._start(opened, events)
        events.append(ItemMeta(opened.key, signature=signature, origin=NAME))

    def _block_stop(self, index: int, events: list[Event]) -> None:
        opened = self._open.pop(index, None)
        if opened is None or not opened.started:
            return
        if opened.native is not None:
            value = _with_input(opened.native, "".join(opened.arguments))
            events.append(ItemMeta(opened.key, origin=NAME, native=value, search=search_of(value)))
        elif opened.whole_input not in ("", "{}", "null"):
            events.append(Delta(opened.key, "tool_call", opened.whole_input))
        events.append(ItemEnd(opened.key))

    def _opened(self, index: int, kind: ItemKind) -> _Open:
        opened = self._open[index] = _Open(self._next_key, kind)
        self._next_key += 1
        return opened

    def _start(self, opened: _Open, events: list[Event]) -> None:
        if not opened.started:
            opened.started = True
            events.append(ItemStart(opened.key, opened.kind))

    # --- the message --------------------------------------------------------------------------

    def _message_start(self, raw: msgspec.Raw, events: list[Event]) -> None:
        if self._begun:
            return  # some upstreams say it twice (pain 21)
        self._begun = True
        message = _message(raw)
        events.append(Start(message.id, message.model))
        self._count(message.usage, events)

    def _message_delta(self, fields: _EventFields, events: list[Event]) -> None:
        self._count(fields.usage, events)
        delta = fields.delta
        if delta is not None and delta.stop_reason and not self._finished:
            self._finish(delta.stop_reason, delta.stop_sequence, events)

    def _message_stop(self, events: list[Event]) -> None:
        if not self._finished:
            self._finish("", None, events)
        self._end(events)

    def _finish(self, reason: str, stop_sequence: str | None, events: list[Event]) -> None:
        self._close_blocks(events)
        self._finished = True
        events.append(Finish(finish_reason(reason, called=self._called), stop_sequence))

    def _end(self, events: list[Event]) -> None:
        self._close_blocks(events)
        self._over = True
        events.append(End())

    def _close_blocks(self, events: list[Event]) -> None:
        for index in list(self._open):
            self._block_stop(index, events)

    def _count(self, raw: msgspec.Raw, events: list[Event]) -> None:
        counts = read_counts(raw)
        if counts is not None:
            self._counts = self._counts.updated(counts)
            events.append(UsageUpdate(self._counts.usage()))


def _with_input(block: dict[str, Any], arguments: str) -> dict[str, Any]:
    """A server tool's block with the input that came in pieces."""
    try:
        return {**block, "input": msgspec.json.decode(arguments)} if arguments else block
    except msgspec.DecodeError:
        return block
