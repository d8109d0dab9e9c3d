"""A strict reading of an outgoing stream: what a client may rely on (translation spec, B.2.3, B.5).

Real clients are lenient in different places, so nothing is left to them: every pair of events,
every number and every text must agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from ppap_core.errors import MalformedStream
from ppap_core.wire.sse import FrameSplitter

from .guard_items import GuardedItem, guarded
from .name import JsonObject

TERMINALS: Final[Mapping[str, str]] = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
"""Last events → the status of the response in them. An ``error`` ends a stream too."""
_OPENINGS: Final = ("response.created", "response.in_progress")
_COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens")


class ResponsesGuard:
    """Fed with what is sent to a client; tells what is wrong with it, in words of its own.

    Violations never hold text of the stream. After the last event of the format, everything but a
    comment is one.
    """

    def __init__(self) -> None:
        self._frames = FrameSplitter()
        self._events = 0
        self._over = False
        self._response_id: Any = None
        self._items: list[GuardedItem] = []

    def feed(self, data: bytes) -> list[str]:
        """The violations in the frames that these bytes complete."""
        try:
            block = self._frames.feed(data)
        except MalformedStream as error:
            return [str(error)]
        frames = block.replace(b"\r\n", b"\n").split(b"\n\n") if block else ()
        return [f"event {self._events}: {wrong}" for frame in frames for wrong in self._frame(frame)]

    def close(self) -> list[str]:
        """The stream ended: the violations that only its end shows."""
        wrong = ["the stream ends inside of a frame"] if self._frames.close().strip() else []
        return wrong if self._over else [*wrong, "the stream ends without a last event"]

    def _frame(self, frame: bytes) -> Iterator[str]:
        lines = [line for line in frame.split(b"\n") if line and not line.startswith(b":")]
        if not lines:
            return
        names = [line[6:].strip() for line in lines if line.startswith(b"event:")]
        data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        if len(names) != 1 or not data:
            yield "a frame without exactly one event name, and data"
            return
        try:
            event = msgspec.json.decode(b"\n".join(data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            event = None
        if not isinstance(event, dict):
            yield "data that is no JSON object"
            return
        if event.get("type") != names[0].decode("utf-8", "replace"):
            yield "the type in the data is not the event's name"
        yield from self._event(str(event.get("type")), event)

    def _event(self, kind: str, event: JsonObject) -> Iterator[str]:
        if self._over:
            yield f"{kind} after the last event"
        if event.get("sequence_number") != self._events:
            yield f"{kind} has sequence_number {event.get('sequence_number')!r}, not {self._events}"
        number = self._events
        self._events += 1
        if kind == "error":
            yield from self._failed(event)
        elif number < len(_OPENINGS):
            yield from self._opening(kind, event, _OPENINGS[number])
        elif kind in TERMINALS:
            yield from self._ended(kind, event)
        else:
            yield from self._inside(kind, event)

    def _failed(self, event: JsonObject) -> Iterator[str]:
        self._over = True
        if not event.get("message") or "code" not in event:
            yield "an error without message or code"
        if "error" in event:
            yield "an error inside of an error event; clients want it flat"

    def _opening(self, kind: str, event: JsonObject, expected: str) -> Iterator[str]:
        if kind != expected:
            yield f"{kind} in the place of {expected}"
        yield from self._response(event, "in_progress")

    def _response(self, event: JsonObject, status: str) -> Iterator[str]:
        response = event.get("response")
        if not isinstance(response, dict):
            yield "no response in it"
            return
        self._response_id = self._response_id or response.get("id")
        if not response.get("id") or response["id"] != self._response_id:
            yield "the id of the response is missing, or changes"
        if response.get("object") != "response" or response.get("status") != status:
            yield f"a response of status {response.get('status')!r}, not {status}"
        if not isinstance(response.get("model"), str) or not isinstance(response.get("created_at"), int):
            yield "a response without model or created_at"
        if not isinstance(response.get("output"), list):
            yield "a response without output"

    def _ended(self, kind: str, event: JsonObject) -> Iterator[str]:
        self._over = True
        status = TERMINALS[kind]
        yield from self._response(event, status)
        response = event.get("response")
        if not isinstance(response, dict) or status == "failed":
            return
        if [item.done for item in self._items] != response.get("output"):
            yield "the output differs from the items that were told, or one of them is not done"
        usage = response.get("usage")
        if not isinstance(usage, dict) or not all(isinstance(usage.get(key), int) for key in _COUNTS):
            yield "a response without usage"
        if (status == "incomplete") != bool(response.get("incomplete_details")):
            yield f"incomplete_details do not fit the status {status}"

    def _inside(self, kind: str, event: JsonObject) -> Iterator[str]:
        index = event.get("output_index")
        if kind == "response.output_item.added":
            item = event.get("item")
            if index != len(self._items):
                yield f"an item is added with output_index {index!r}, not {len(self._items)}"
            self._items.append(guarded(item if isinstance(item, dict) else {}))
        elif not isinstance(index, int) or not 0 <= index < len(self._items):
            yield f"{kind} has output_index {index!r}, where no item is"
        elif kind == "response.output_item.done":
            item = event.get("item")
            yield from self._items[index].end(item if isinstance(item, dict) else {})
        else:
            yield from self._items[index].event(kind, event)
