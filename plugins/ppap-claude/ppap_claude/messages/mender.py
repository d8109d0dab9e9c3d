"""Mending streams: begun, closed and ended as clients need it (translation spec, B.4.3; clients spec, 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ppap_core.wire.guard import JsonObject
from ppap_core.wire.mender import FrameMender, named_frame

from .identifiers import new_message_id
from .stream_encoder import MESSAGE_STOP
from .usage import usage_object


class MessagesMender(FrameMender):
    """A `ppap_core.wire.StreamMender`. The message is only ended where the upstream said that it is done."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._begun = False
        self._block: Any = None
        self._called = False
        self._stopped = False

    def _event(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        handle = _HANDLERS.get(str(event.get("type")))
        if handle is None:
            yield frame
            return
        if not self._begun and handle not in _AT_ANY_TIME:
            self._begun = True
            yield self._added("message_start", self._start())
        yield from handle(self, event, frame)

    def _start(self) -> bytes:
        message: JsonObject = {
            "id": new_message_id(),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_object(None),
        }
        return named_frame("message_start", {"message": message})

    def _message_start(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        if self._begun:
            self.mended.append("left out a second message_start")
        else:
            self._begun = True
            yield frame

    def _block_start(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        yield from self._closed()
        self._block = event.get("index")
        block = event.get("content_block")
        self._called = self._called or (isinstance(block, dict) and block.get("type") == "tool_use")
        yield frame

    def _block_stop(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        if self._block is None or event.get("index") != self._block:
            self.mended.append("left out a content_block_stop without its block")
        else:
            self._block = None
            yield frame

    def _message_delta(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        yield from self._closed()
        self._stopped = True
        yield frame

    def _message_stop(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        self._over = True
        yield from self._closed()
        if not self._stopped:
            delta = {"stop_reason": "tool_use" if self._called else "end_turn", "stop_sequence": None}
            told = named_frame("message_delta", {"delta": delta, "usage": usage_object(None)})
            yield self._added("message_delta", told)
        yield frame

    def _error(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        self._over = True
        yield frame

    def _closed(self) -> Iterator[bytes]:
        """The end of the block that is open."""
        if self._block is not None:
            yield self._added("content_block_stop", named_frame("content_block_stop", {"index": self._block}))
        self._block = None

    def _ended(self) -> Iterator[bytes]:
        if self._stopped:
            yield self._added("message_stop", MESSAGE_STOP)

    def _passed(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        yield frame


_Handler = Callable[[MessagesMender, JsonObject, bytes], Iterator[bytes]]
_HANDLERS: Final[Mapping[str, _Handler]] = {
    "message_start": MessagesMender._message_start,
    "content_block_start": MessagesMender._block_start,
    "content_block_delta": MessagesMender._passed,
    "content_block_stop": MessagesMender._block_stop,
    "message_delta": MessagesMender._message_delta,
    "message_stop": MessagesMender._message_stop,
    "error": MessagesMender._error,
}
_AT_ANY_TIME: Final = frozenset({MessagesMender._message_start, MessagesMender._error})
