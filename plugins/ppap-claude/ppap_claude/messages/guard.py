"""A strict reading of outgoing streams (translation spec, B.4.3; clients spec, 4 and 7; pains 21 and 22)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from ppap_core.wire.alike import Alike, Kept, alike, inner_text
from ppap_core.wire.guard import FrameGuard, JsonObject, shown

from .vocabulary import FINISH_OF_STOP_REASON

_DELTAS: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {"text_delta": "text", "citations_delta": "citation"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
    "server_tool_use": {"input_json_delta": "partial_json"},
    "mcp_tool_use": {"input_json_delta": "partial_json"},
}
"""Type of a block → its kinds of deltas, each with the field that has its text."""
_EMPTY: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"text": ""},
    "thinking": {"thinking": ""},
    "tool_use": {"input": {}},
}
"""What blocks begin with."""
_REPEATABLE: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_CALL: Final = "tool_use"


@attrs.define
class _Block:
    """The block that is open. ``input`` is that of a call, or nothing."""

    index: int
    type: str
    signed: bool = False
    input: Kept = attrs.field(factory=Kept)


class MessagesGuard(FrameGuard):
    """A `ppap_core.wire.StreamGuard`."""

    _NAMED = True

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._stopped = False
        self._blocks = 0
        self._block: _Block | None = None
        self._calls = 0
        self._half_call = False

    def _event(self, event: JsonObject) -> Iterator[str]:
        kind = event.get("type")
        handle = _HANDLERS.get(str(kind))
        if handle is None:
            yield f"an event of type {shown(kind)}, which the format does not have"
            return
        if not self._begun and kind in _INSIDE:
            yield f"{kind} before message_start"
        if self._stopped and kind in _INSIDE and kind != "message_stop":
            yield f"{kind} after message_delta"
        yield from handle(self, event)

    def _message_start(self, event: JsonObject) -> Iterator[str]:
        if self._begun:
            yield "message_start comes twice"
        self._begun = True
        message = event.get("message")
        if not isinstance(message, dict):
            yield "message_start without message"
            return
        if not message.get("id") or not isinstance(message.get("model"), str):
            yield "a message without id or model"
        if message.get("type") != "message" or message.get("role") != "assistant":
            yield "a message without its type or role"
        if message.get("content") != [] or message.get("stop_reason") is not None:
            yield "a message that does not begin empty"
        yield from _counted(message.get("usage"), "input_tokens", "output_tokens")

    def _block_start(self, event: JsonObject) -> Iterator[str]:
        if self._block is not None:
            yield "a block begins inside of another"
        index, block = event.get("index"), event.get("content_block")
        if index != self._blocks:
            yield f"a block begins with index {shown(index)}, not {self._blocks}"
        block = block if isinstance(block, dict) else {}
        kind = str(block.get("type"))
        self._block = _Block(self._blocks, kind)
        self._blocks += 1
        if not block.get("type"):
            yield "a block without type"
        for field, empty in _EMPTY.get(kind, {}).items():
            if block.get(field) != empty:
                yield f"a block of {kind} does not begin empty"
        if kind == _CALL:
            self._calls += 1
            if not block.get("id") or not block.get("name"):
                yield "a call begins without id or name"

    def _delta(self, event: JsonObject) -> Iterator[str]:
        block, delta = self._block, event.get("delta")
        if block is None or event.get("index") != block.index:
            yield f"a delta for block {shown(event.get('index'))}, which is not open"
            return
        kind = delta.get("type") if isinstance(delta, dict) else None
        if not isinstance(delta, dict) or not isinstance(kind, str):
            yield "a delta without type"
            return
        known = _DELTAS.get(block.type)
        if known is None:
            return
        if kind not in known:
            yield f"{shown(kind)} in a block of {shown(block.type)}"
            return
        yield from self._told(block, kind, delta.get(known[kind]))

    def _repeatable(self, event: JsonObject, frame: bytes) -> Alike | None:
        if self._block is None or event.get("type") != "content_block_delta":
            return None
        kind = event["delta"]["type"]
        field = _REPEATABLE.get(kind)
        heard = self._block.input if kind == "input_json_delta" else None
        return None if field is None else alike(frame, field, heard=heard)

    def _told(self, block: _Block, kind: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict if kind == "citations_delta" else str):
            yield f"{kind} without what it tells"
        elif kind == "input_json_delta":
            block.input.add(inner_text(str(value)))
        elif kind == "signature_delta":
            if block.signed:
                yield "a thought is signed twice"
            block.signed = True
        elif kind == "thinking_delta" and block.signed:
            yield "a thought goes on after its signature"

    def _block_stop(self, event: JsonObject) -> Iterator[str]:
        block = self._block
        if block is None or event.get("index") != block.index:
            yield f"block {shown(event.get('index'))} stops, which is not open"
        if block is not None and block.type == _CALL and not block.input.is_object():
            self._half_call = True
        self._block = None

    def _message_delta(self, event: JsonObject) -> Iterator[str]:
        if self._block is not None:
            yield "message_delta while a block is open"
        self._stopped = True
        delta = event.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        if str(reason) not in FINISH_OF_STOP_REASON:
            yield f"message_delta with stop_reason {shown(reason)}"
        if reason == _CALL and not self._calls:
            yield "the message stops for calls, and has none"
        if reason == _CALL and self._half_call:
            yield "the message stops for a call whose input is no JSON object"
        yield from _counted(event.get("usage"), "output_tokens")

    def _message_stop(self, event: JsonObject) -> Iterator[str]:
        self._over = True
        if not self._stopped:
            yield "message_stop without message_delta"

    def _ping(self, event: JsonObject) -> Iterator[str]:
        yield from ()

    def _error(self, event: JsonObject) -> Iterator[str]:
        self._over = True
        error = event.get("error")
        if not isinstance(error, dict) or not error.get("type") or not isinstance(error.get("message"), str):
            yield "an error without type or message"


def _counted(usage: Any, *counts: str) -> Iterator[str]:
    if not isinstance(usage, dict) or not all(isinstance(usage.get(count), int) for count in counts):
        yield f"usage without {' or '.join(counts)}"


_HANDLERS: Final[Mapping[str, Callable[[MessagesGuard, JsonObject], Iterator[str]]]] = {
    "message_start": MessagesGuard._message_start,
    "content_block_start": MessagesGuard._block_start,
    "content_block_delta": MessagesGuard._delta,
    "content_block_stop": MessagesGuard._block_stop,
    "message_delta": MessagesGuard._message_delta,
    "message_stop": MessagesGuard._message_stop,
    "ping": MessagesGuard._ping,
    "error": MessagesGuard._error,
}
_INSIDE: Final = frozenset(_HANDLERS) - {"message_start", "ping", "error"}
