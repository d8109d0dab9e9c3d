"""Events → a chat stream for the client (translation spec, B.1.3, B.1.4, C.8, C.11).

Chunks are put together from byte templates made once per item: only the text itself is encoded
for each delta.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
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
    Start,
    StreamError,
    ToolKind,
    Usage,
    UsageUpdate,
)
from ppap_core.wire.sse import data_frame

from .annotations import write_annotation
from .content import url_of_image
from .errors import error_body
from .finish import WORDS
from .reply import write_image
from .signed_calls import ORIGIN, extra_content
from .tool_names import free_text_names, unwrapped
from .usage import write_usage

DONE_FRAME: Final = b"data: [DONE]\n\n"
_encode: Final = msgspec.json.encode
_UNFINISHED: Final = b',"logprobs":null,"finish_reason":null}]}\n\n'
_DELTA_KEYS: Final = {"text": b"content", "reasoning": b"reasoning_content", "refusal": b"refusal"}
_NO_TEMPLATE: Final = (b"", b"")


@attrs.define
class _Answer:
    """One choice of the stream so far, with the tool calls announced and the images shown in it."""

    calls: int = 0
    images: int = 0
    reasoned: bool = False
    signature: str | None = None
    """What the next call has to carry."""
    finish: Finish | None = None


class ChatStreamEncoder:
    """A `StreamEncoder`: the state of one client stream.

    The finish chunk is held back until the end when it is to carry the usage, because upstreams
    report usage after it.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._model = _encode(conversation.model)
        self._separate_usage = conversation.include_usage
        self._head = b""
        self._answers: dict[int, _Answer] = {}
        self._choice_of: dict[ItemKey, int] = {}
        self._deltas: dict[ItemKey, tuple[bytes, bytes]] = {}
        self._silent_calls: dict[ItemKey, bytes] = {}
        self._free_text = free_text_names(conversation.tools)
        self._wrapped: dict[ItemKey, tuple[bytes, list[str], bytes]] = {}
        """Calls of free-text tools by models that know functions only, with what was said of each (C.16)."""
        self._unspoken: set[ItemKey] = set()
        """Reasoning of which nothing, or nothing of a new segment, has been told."""
        self._usage: Usage | None = None
        self._ended = False

    def feed(self, events: Sequence[Event]) -> bytes:
        written: list[bytes] = []
        for event in events:
            if type(event) is Delta:
                before, after = self._deltas[event.key]
                if self._unspoken and event.key in self._unspoken:
                    self._first_words(event.key, written)
                if before:
                    written += (before, _encode(event.text), after)
                elif self._wrapped and event.key in self._wrapped:
                    self._wrapped[event.key][1].append(event.text)
                if self._silent_calls:
                    self._silent_calls.pop(event.key, None)
            elif not self._ended and (handle := _HANDLERS.get(type(event))) is not None:
                handle(self, event, written)
        return b"".join(written)

    # --- one method for each kind of event; each appends what it has to say ---------------------

    def _start(self, event: Start, written: list[bytes]) -> None:
        if not self._head:
            self._open(event, written)

    def _item_start(self, event: ItemStart, written: list[bytes]) -> None:
        answer = self._answer(event.choice, written)
        self._choice_of[event.key] = event.choice
        if event.kind == "tool_call":
            self._call_start(event, answer, written)
        elif (key := _DELTA_KEYS.get(event.kind)) is not None:
            self._deltas[event.key] = (b'%b{"%b":' % (self._before(event.choice), key), b"}" + _UNFINISHED)
            if event.kind == "reasoning":
                self._unspoken.add(event.key)
        else:
            self._deltas[event.key] = _NO_TEMPLATE

    def _call_start(self, event: ItemStart, answer: _Answer, written: list[bytes]) -> None:
        kind: ToolKind = "custom" if event.name in self._free_text else event.tool_kind
        field, text = _CALL_FIELDS[kind]
        index = answer.calls
        answer.calls += 1
        announced = {
            "index": index,
            "id": event.call_id or f"call_{uuid.uuid4().hex[:24]}",
            "type": kind,
            field: {"name": event.name or "", text: ""},
            **extra_content(answer.signature),
        }
        answer.signature = None
        self._chunk(event.choice, {"tool_calls": [announced]}, written)
        before = b'%b{"tool_calls":[{"index":%d,"%b":{"%b":' % (
            self._before(event.choice),
            index,
            field.encode(),
            text.encode(),
        )
        after = b"}}]}" + _UNFINISHED
        self._deltas[event.key] = (before, after)
        if kind != event.tool_kind:
            self._deltas[event.key] = _NO_TEMPLATE
            self._wrapped[event.key] = (before, [], after)
        elif kind == "function":
            self._silent_calls[event.key] = before + b'"{}"' + after

    def _item_meta(self, event: ItemMeta, written: list[bytes]) -> None:
        choice = self._choice_of[event.key]
        if event.segment:
            self._unspoken.add(event.key)
        if event.signature is not None and event.origin == ORIGIN:
            self._answers[choice].signature = event.signature
        if event.annotation is not None and (annotation := write_annotation(event.annotation)):
            self._chunk(choice, {"annotations": [annotation]}, written)
        if event.image is not None and (url := url_of_image(event.image)) is not None:
            answer = self._answers[choice]
            self._chunk(choice, {"images": [write_image(url, answer.images)]}, written)
            answer.images += 1

    def _first_words(self, key: ItemKey, written: list[bytes]) -> None:
        """A blank line between two pieces of reasoning, which Chat has in one field (B.1.3)."""
        self._unspoken.discard(key)
        answer = self._answers[self._choice_of[key]]
        if answer.reasoned:
            before, after = self._deltas[key]
            written += (before, b'"\\n\\n"', after)
        answer.reasoned = True

    def _item_end(self, event: ItemEnd, written: list[bytes]) -> None:
        if event.key in self._silent_calls:
            written.append(self._silent_calls.pop(event.key))
        if event.key in self._wrapped:
            before, said, after = self._wrapped.pop(event.key)
            written += (before, _encode(unwrapped("".join(said))), after)
        self._unspoken.discard(event.key)
        del self._deltas[event.key]

    def _usage_update(self, event: UsageUpdate, written: list[bytes]) -> None:
        self._usage = self._usage.updated(event.usage) if self._usage else event.usage

    def _finish(self, event: Finish, written: list[bytes]) -> None:
        answer = self._answer(event.choice, written)
        answer.finish = event
        if self._separate_usage:
            self._finish_chunk(event, written)

    def _error(self, event: StreamError, written: list[bytes]) -> None:
        """An error is the last thing a client hears: no finish, no ``[DONE]`` (pain 13)."""
        written.append(data_frame(error_body(event.error)))
        self._ended = True

    def _end(self, event: End, written: list[bytes]) -> None:
        """``[DONE]`` only if every choice has finished: half an answer must not look whole (pain 13)."""
        self._ended = True
        finishes = [answer.finish for answer in self._answers.values() if answer.finish]
        if not finishes or len(finishes) < len(self._answers):
            return
        if self._separate_usage:
            self._usage_chunk(written)
        else:
            for finish in finishes[:-1]:
                self._finish_chunk(finish, written)
            self._finish_chunk(finishes[-1], written, self._usage)
        written.append(DONE_FRAME)

    # --- chunks ---------------------------------------------------------------------------------

    def _open(self, start: Start, written: list[bytes]) -> None:
        self._head = b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,' % (
            _encode(start.id or f"chatcmpl-{uuid.uuid4().hex}"),
            start.created or int(time.time()),
            self._model,
        )
        self._answer(0, written)

    def _answer(self, choice: int, written: list[bytes]) -> _Answer:
        """The state of a choice; its first mention writes the chunk with the role."""
        if not self._head:
            self._open(Start(), written)
        answer = self._answers.get(choice)
        if answer is None:
            answer = self._answers[choice] = _Answer()
            self._chunk(choice, {"role": "assistant", "content": ""}, written)
        return answer

    def _before(self, choice: int) -> bytes:
        return b'%b"choices":[{"index":%d,"delta":' % (self._head, choice)

    def _chunk(self, choice: int, delta: dict[str, Any], written: list[bytes]) -> None:
        written += (self._before(choice), _encode(delta), _UNFINISHED)

    def _finish_chunk(self, finish: Finish, written: list[bytes], usage: Usage | None = None) -> None:
        called = self._answers[finish.choice].calls > 0
        reason = finish.reason if called or finish.reason != "tool_calls" else "stop"
        written.append(
            b'%b{},"logprobs":null,"finish_reason":"%b"}]'
            % (self._before(finish.choice), WORDS[reason].encode())
        )
        if usage is not None:
            written += (b',"usage":', _encode(write_usage(usage)))
        written.append(b"}\n\n")

    def _usage_chunk(self, written: list[bytes]) -> None:
        if self._usage is not None:
            usage = _encode(write_usage(self._usage))
            written += (self._head, b'"choices":[],"usage":', usage, b"}\n\n")


_CALL_FIELDS: Final = {"function": ("function", "arguments"), "custom": ("custom", "input")}
"""Kind of tool → the field of a call that names it, and the field in there that has the text."""

_HANDLERS: Final[dict[type, Callable[[ChatStreamEncoder, Any, list[bytes]], None]]] = {
    Start: ChatStreamEncoder._start,
    ItemStart: ChatStreamEncoder._item_start,
    ItemMeta: ChatStreamEncoder._item_meta,
    ItemEnd: ChatStreamEncoder._item_end,
    UsageUpdate: ChatStreamEncoder._usage_update,
    Finish: ChatStreamEncoder._finish,
    StreamError: ChatStreamEncoder._error,
    End: ChatStreamEncoder._end,
}
"""`Ping` says nothing here: a keep-alive is the server's to send."""
