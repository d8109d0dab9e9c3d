"""What the stub upstream answers: chosen by the model of the request, rendered once.

The stub speaks Chat Completions, as documented at
https://platform.openai.com/docs/api-reference/chat (read 2026-11-22).
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import orjson

MARK: Final = b"~"
"""Stands once in every event's text and nowhere else in an answer.

One byte cannot be cut in two by the end of a read, and a proxy that frames, wraps or translates an
event keeps its text: counting this byte counts the upstream events that arrived, exactly.
"""

JSON_MODEL: Final = "bench"
BURST_MODEL: Final = "bench-burst"
PACED_MODEL: Final = "bench-paced"
HELD_MODEL: Final = "bench-held"

BURST_EVENTS: Final = 300
END: Final = b"0\r\n\r\n"  # the last chunk of a chunked body

_CREATED: Final = 1_700_000_000
_USAGE: Final = {"prompt_tokens": 230, "completion_tokens": 300, "total_tokens": 530}
_REPLY_TEXT: Final = (
    "The queue drops an item when two workers finish at once. Take the lock before reading the index, "
    "not after:\n\n```python\nwith self._lock:\n    item = self._items[self._next]\n```\n"
    "Then the second worker sees the index the first one wrote. "
)


@attrs.frozen(kw_only=True)
class Paced:
    """A stream of one event per interval; the first leaves at once, together with the head.

    `before` and `after` surround the time stamp in each event's chunk; `end` follows the last event.
    """

    head: bytes
    before: bytes
    after: bytes
    end: bytes
    events: int
    interval: float
    """Seconds from one event to the next."""

    def event(self, sent_at: int) -> bytes:
        """One event in its own chunk; `sent_at` in nanoseconds of the monotonic clock."""
        return b"%b%019d%b" % (self.before, sent_at, self.after)


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _frame(model: str, choices: list[dict[str, Any]], **more: object) -> bytes:
    chunk = {
        "id": "chatcmpl-bench0123456789",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": model,
        "choices": choices,
        **more,
    }
    return b"data: %b\n\n" % orjson.dumps(chunk)


def _chunked(frame: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(frame), frame)


def _stream_head() -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _stream_end(model: str) -> bytes:
    frames = (
        _frame(model, [_choice({}, "stop")]),
        _frame(model, [], usage=_USAGE),
        b"data: [DONE]\n\n",
    )
    return b"".join(map(_chunked, frames)) + END


def _whole(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _json_reply() -> bytes:
    message = {"role": "assistant", "content": _REPLY_TEXT * 3}
    reply = {
        "id": "chatcmpl-bench0123456789",
        "object": "chat.completion",
        "created": _CREATED,
        "model": JSON_MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _USAGE,
    }
    return _whole(b"200 OK", orjson.dumps(reply))


def _burst() -> bytes:
    """All events in one write, each in a chunk of its own, as servers that flush every event send them."""
    first = _frame(BURST_MODEL, [_choice({"role": "assistant", "content": "~ so, "})])
    later = _frame(BURST_MODEL, [_choice({"content": "~ some words"})])
    events = [first] + [later] * (BURST_EVENTS - 1)
    return _stream_head() + b"".join(map(_chunked, events)) + _stream_end(BURST_MODEL)


def _paced(model: str, events: int, interval: float) -> Paced:
    stamp = "0" * 19
    chunk = _chunked(_frame(model, [_choice({"content": f"~{stamp};"})]))
    before, _, after = chunk.partition(stamp.encode())
    return Paced(
        head=_stream_head(),
        before=before,
        after=after,
        end=_stream_end(model),
        events=events,
        interval=interval,
    )


ANSWERS: Final[dict[str, bytes | Paced]] = {
    JSON_MODEL: _json_reply(),
    BURST_MODEL: _burst(),
    PACED_MODEL: _paced(PACED_MODEL, events=1000, interval=0.01),
    HELD_MODEL: _paced(HELD_MODEL, events=60, interval=2.0),
}
"""Model → the bytes of the response, or a stream over time."""

UNKNOWN_MODEL: Final = _whole(b"404 Not Found", b'{"error":{"message":"the stub does not know this model"}}')
