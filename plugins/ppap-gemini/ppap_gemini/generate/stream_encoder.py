"""Events → a client's stream (Gemini spec, 12.6).

Words go out as they come. A call goes out when it is whole, as the format has no pieces of one. The
last chunk carries the reason to finish and the usage, and is written when both are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

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
    ServerToolItem,
    Start,
    StreamError,
    ToolCall,
    Usage,
    UsageUpdate,
)

from .errors import error_frame
from .names import Spelling
from .reply import call_object, identity, made_part
from .request_encoder import Fields
from .usage import usage_object
from .vocabulary import WORD_OF_FINISH

KEEP_ALIVE: Final = b"\n\n"
"""Blank lines. Google's SDK for Python takes a comment for half a JSON text, and fails."""

_SPOKEN: Final = b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":'
_encode: Final = msgspec.json.Encoder().encode


class _Open:
    """An item that has begun; ``pieces`` are the arguments of a call."""

    __slots__ = ("gap", "made", "pieces", "signature", "spoken", "start", "tail")

    def __init__(self, start: ItemStart, tail: bytes) -> None:
        self.start = start
        self.tail = tail
        self.pieces: list[str] = []
        self.signature: str | None = None
        self.made: Fields | None = None
        self.spoken = False
        self.gap = False


class GeminiStreamEncoder:
    """See `ppap_core.wire.StreamEncoder`. All chunks name the same answer."""

    def __init__(self, conversation: Conversation) -> None:
        self._model = conversation.model
        self._spelling = Spelling(tool.name for tool in conversation.tools)
        self._identity: Fields = {}
        self._tail = b""
        self._open: dict[ItemKey, _Open] = {}
        self._for_call: dict[int, str] = {}
        self._finishes: list[Finish] = []
        self._usage: Usage | None = None
        self._over = False

    def feed(self, events: Sequence[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            if self._over:
                break
            kind = type(event)
            if kind is Delta:
                self._delta(event, out)  # type: ignore[arg-type]
            else:
                _HANDLERS[kind](self, event, out)
        return b"".join(out)

    # --- items --------------------------------------------------------------------------------

    def _item_start(self, event: ItemStart, out: list[bytes]) -> None:
        thought = b',"thought":true' if event.kind == "reasoning" else b""
        self._open[event.key] = _Open(event, thought + self._ending(event.choice))

    def _delta(self, event: Delta, out: list[bytes]) -> None:
        opened = self._open[event.key]
        if event.kind == "tool_call":
            opened.pieces.append(event.text)
        elif event.kind != "server_tool":
            if not opened.spoken:
                opened.spoken = True
                self._flush_signature(opened.start.choice, out)
            text = "\n\n" + event.text if opened.gap else event.text
            opened.gap = False
            out.append(_SPOKEN + _encode(text) + opened.tail)

    def _item_meta(self, event: ItemMeta, out: list[bytes]) -> None:
        opened = self._open[event.key]
        opened.signature = event.signature or opened.signature
        opened.gap = opened.gap or (event.segment and opened.spoken)
        if opened.start.kind == "server_tool":
            self._made(opened, event, out)

    def _item_end(self, event: ItemEnd, out: list[bytes]) -> None:
        opened = self._open.pop(event.key)
        start, choice = opened.start, opened.start.choice
        if start.kind == "tool_call":
            self._call(opened, out)
        elif opened.signature and opened.spoken:
            out.append(self._chunk(choice, _signature_part(opened.signature)))
        elif opened.signature:
            self._flush_signature(choice, out)
            self._for_call[choice] = opened.signature

    def _made(self, opened: _Open, event: ItemMeta, out: list[bytes]) -> None:
        """A picture at once, and again in each newer state of it."""
        item = ServerToolItem(format=event.origin or "", value=event.native or {}, image=event.image)
        part = made_part(item)
        if part and part != opened.made:
            opened.made = part
            self._flush_signature(opened.start.choice, out)
            out.append(self._chunk(opened.start.choice, part))

    def _call(self, opened: _Open, out: list[bytes]) -> None:
        start = opened.start
        call = ToolCall(
            call_id=start.call_id or "",
            name=start.name or "",
            arguments="".join(opened.pieces),
            kind=start.tool_kind,
        )
        part: Fields = {"functionCall": call_object(call, self._spelling)}
        if signature := self._for_call.pop(start.choice, None):
            part["thoughtSignature"] = signature
        out.append(self._chunk(start.choice, part))

    def _flush_signature(self, choice: int, out: list[bytes]) -> None:
        """A signature without a thought that no call followed stands by itself."""
        if signature := self._for_call.pop(choice, None):
            out.append(self._chunk(choice, _signature_part(signature)))

    # --- the answer ---------------------------------------------------------------------------

    def _start(self, event: Start, out: list[bytes]) -> None:
        if not self._identity:
            self._identity = identity(event.id, event.created, self._model)

    def _ending(self, choice: int) -> bytes:
        """What follows the text of a chunk."""
        if not self._tail:
            self._start(Start(), [])
            self._tail = b"," + _encode(self._identity)[1:] + b"\n\n"
        return b'}]},"index":%d}]' % choice + self._tail

    def _chunk(self, choice: int, part: Fields) -> bytes:
        content = {"role": "model", "parts": [part]}
        return self._written({"candidates": [{"content": content, "index": choice}]})

    def _written(self, fields: Fields) -> bytes:
        self._start(Start(), [])
        return b"data: %b\n\n" % _encode({**fields, **self._identity})

    def _usage_update(self, event: UsageUpdate, out: list[bytes]) -> None:
        self._usage = self._usage.updated(event.usage) if self._usage else event.usage

    def _finish(self, event: Finish, out: list[bytes]) -> None:
        """Remembered: usage may still come, and other choices may not be finished."""
        self._finishes.append(event)

    def _end(self, event: End, out: list[bytes]) -> None:
        """Without a finish the stream was cut short, and must not look like a whole one (pain 13)."""
        self._over = True
        if not self._finishes:
            return
        for finish in self._finishes:
            self._flush_signature(finish.choice, out)
        fields: Fields = {
            "candidates": [
                {
                    "content": {"role": "model", "parts": [{"text": ""}]},
                    "finishReason": WORD_OF_FINISH[finish.reason],
                    "index": finish.choice,
                }
                for finish in sorted(self._finishes, key=lambda finish: finish.choice)
            ]
        }
        if self._usage is not None:
            fields["usageMetadata"] = usage_object(self._usage)
        out.append(self._written(fields))

    def _ping(self, event: Ping, out: list[bytes]) -> None:
        out.append(KEEP_ALIVE)

    def _stream_error(self, event: StreamError, out: list[bytes]) -> None:
        """Calls that are not whole are left out: they must not be run."""
        self._over = True
        out.append(error_frame(event.error))


def _signature_part(signature: str) -> Fields:
    return {"text": "", "thought": True, "thoughtSignature": signature}


_Handler = Callable[[GeminiStreamEncoder, Any, list[bytes]], None]
_HANDLERS: Final[Mapping[type, _Handler]] = {
    Start: GeminiStreamEncoder._start,
    ItemStart: GeminiStreamEncoder._item_start,
    ItemMeta: GeminiStreamEncoder._item_meta,
    ItemEnd: GeminiStreamEncoder._item_end,
    UsageUpdate: GeminiStreamEncoder._usage_update,
    Finish: GeminiStreamEncoder._finish,
    Ping: GeminiStreamEncoder._ping,
    StreamError: GeminiStreamEncoder._stream_error,
    End: GeminiStreamEncoder._end,
}
