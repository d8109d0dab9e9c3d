"""Events → a client's stream (translation spec, B.4.3; pains 21 and 22).

The format knows one open block at a time, numbered from 0. Items that run side by side are written
one after the other: the first stays open until it ends, the events of the others wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    Event,
    Finish,
    ItemEnd,
    ItemKey,
    ItemMeta,
    ItemStart,
    Ping,
    Start,
    StreamError,
    Usage,
    UsageUpdate,
)

from .blocks import Block, NativeBlock, TextBlock, ThinkingBlock, ToolBlock, encode
from .errors import error_frame
from .identifiers import CallIds, Spelling, new_message_id
from .usage import usage_object
from .vocabulary import stop_reason

PING: Final = b'event: ping\ndata: {"type":"ping"}\n\n'
MESSAGE_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class MessagesStreamEncoder:
    """See `ppap_core.wire.StreamEncoder`. Choices but the first cannot be expressed and are left out."""

    def __init__(self, conversation: Conversation) -> None:
        self._model = conversation.model
        self._spelling = Spelling(tool.name for tool in conversation.tools)
        self._ids = CallIds()
        self._numbers = count()
        self._started = Start()
        self._begun = False
        self._over = False
        self._block: Block | None = None
        self._key: ItemKey | None = None
        self._waiting: dict[ItemKey, list[Event]] = {}
        self._last_call: ToolBlock | None = None
        self._refused = False
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def feed(self, events: Sequence[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            if type(event) is Delta and event.key == self._key and self._block is not None:
                self._block.delta(event.text, out)
            elif not self._over:
                self._take(event, out)
        return b"".join(out)

    def _take(self, event: Event, out: list[bytes]) -> None:
        kind = type(event)
        if not self._begun and kind not in _BEFORE_THE_MESSAGE:
            self._begin(out)
        _HANDLERS[kind](self, event, out)

    # --- items --------------------------------------------------------------------------------

    def _item_start(self, event: ItemStart, out: list[bytes]) -> None:
        if event.choice != 0:
            return
        if self._block is None:
            self._open(event, out)
        else:
            self._waiting[event.key] = [event]

    def _item_event(self, event: Delta | ItemMeta | ItemEnd, out: list[bytes]) -> None:
        if event.key != self._key or self._block is None:
            if event.key in self._waiting:
                self._waiting[event.key].append(event)
        elif type(event) is ItemMeta:
            self._block.meta(event, out)
        elif type(event) is Delta:
            self._block.delta(event.text, out)
        else:
            self._close(out)
            self._next(out)

    def _open(self, event: ItemStart, out: list[bytes]) -> None:
        self._key = event.key
        self._block = block = self._new_block(event)
        block.begin(out)

    def _new_block(self, event: ItemStart) -> Block:
        if event.kind == "reasoning":
            return ThinkingBlock(self._numbers)
        if event.kind == "tool_call":
            call_id = self._ids.of_call(event.call_id or "")
            name = self._spelling.of(event.name or "")
            self._last_call = ToolBlock(self._numbers, call_id, name, event.tool_kind)
            return self._last_call
        if event.kind == "server_tool":
            return NativeBlock(self._numbers, self._ids)
        self._refused = self._refused or event.kind == "refusal"
        return TextBlock(self._numbers)

    def _close(self, out: list[bytes]) -> None:
        if self._block is not None:
            self._block.end(out)
        self._block = self._key = None

    def _next(self, out: list[bytes]) -> None:
        """The items that have waited longest, until one is not whole yet."""
        while self._block is None and self._waiting:
            key = next(iter(self._waiting))
            start, *rest = self._waiting.pop(key)
            self._item_start(start, out)  # type: ignore[arg-type]
            for event in rest:
                self._item_event(event, out)  # type: ignore[arg-type]

    # --- the message --------------------------------------------------------------------------

    def _start(self, event: Start, out: list[bytes]) -> None:
        """Nothing is written yet: the counts of the input often follow at once."""
        if not self._begun:
            self._started = event

    def _begin(self, out: list[bytes]) -> None:
        self._begun = True
        message: dict[str, Any] = {
            "id": self._started.id or new_message_id(),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_object(self._usage),
        }
        data = encode({"type": "message_start", "message": message})
        out.append(b"event: message_start\ndata: %b\n\n" % data)

    def _usage_update(self, event: UsageUpdate, out: list[bytes]) -> None:
        self._usage = self._usage.updated(event.usage) if self._usage else event.usage
        if self._finish is not None and self._block is None:
            self._complete(self._finish, out)

    def _finish_seen(self, event: Finish, out: list[bytes]) -> None:
        """Remembered: usage may still come, and the last event of the format carries both."""
        if event.choice == 0 and self._finish is None:
            self._finish = event

    def _complete(self, finish: Finish, out: list[bytes]) -> None:
        if not self._begun:
            self._begin(out)
        while self._block is not None:
            self._close(out)
            self._next(out)
        reason = stop_reason(
            finish.reason,
            stop_sequence=finish.stop_sequence,
            last_call_is_whole=self._last_call.whole if self._last_call else None,
            refused=self._refused,
        )
        delta = {"stop_reason": reason, "stop_sequence": finish.stop_sequence}
        event = {"type": "message_delta", "delta": delta, "usage": usage_object(self._usage)}
        out.append(b"event: message_delta\ndata: %b\n\n" % encode(event))
        out.append(MESSAGE_STOP)
        self._over = True

    def _ping(self, event: Ping, out: list[bytes]) -> None:
        out.append(PING)

    def _end(self, event: End, out: list[bytes]) -> None:
        """Without a finish the stream was cut short, and must not look like a whole one (pain 13)."""
        if self._finish is not None:
            self._complete(self._finish, out)
        else:
            self._break_off(out)

    def _stream_error(self, event: StreamError, out: list[bytes]) -> None:
        self._break_off(out)
        out.append(error_frame(event.error))

    def _break_off(self, out: list[bytes]) -> None:
        """Every word that was said, and nothing that would end the message.

        The last block stays open: clients take a closed one for a part of the answer that they may
        keep, and do not ask again; and a call that is not whole must not be run.
        """
        waiting = [events for events in self._waiting.values() if not _is_call(events[0])]
        self._waiting.clear()
        for events in waiting:
            self._make_room(out)
            for event in events:
                _HANDLERS[type(event)](self, event, out)
        self._over = True

    def _make_room(self, out: list[bytes]) -> None:
        """Blocks never overlap. A call that is not whole is stopped without its arguments."""
        if isinstance(self._block, ToolBlock):
            self._block.stop(out)
        elif self._block is not None:
            self._block.end(out)
        self._block = self._key = None


def _is_call(event: Event) -> bool:
    return isinstance(event, ItemStart) and event.kind == "tool_call"


_BEFORE_THE_MESSAGE: Final = frozenset({Start, UsageUpdate, Ping, StreamError, Finish, End})
_Handler = Callable[[MessagesStreamEncoder, Any, list[bytes]], None]
_HANDLERS: Final[Mapping[type, _Handler]] = {
    Start: MessagesStreamEncoder._start,
    ItemStart: MessagesStreamEncoder._item_start,
    Delta: MessagesStreamEncoder._item_event,
    ItemMeta: MessagesStreamEncoder._item_event,
    ItemEnd: MessagesStreamEncoder._item_event,
    UsageUpdate: MessagesStreamEncoder._usage_update,
    Finish: MessagesStreamEncoder._finish_seen,
    Ping: MessagesStreamEncoder._ping,
    StreamError: MessagesStreamEncoder._stream_error,
    End: MessagesStreamEncoder._end,
}
