"""A strict reading of an outgoing stream: what a client may rely on (translation spec, B.2.3, B.5).

Real clients are lenient in different places, so nothing is left to them: every pair of events,
every number and every text must agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ppap_core.wire.alike import Alike, alike
from ppap_core.wire.guard import FrameGuard, shown

from .guard_items import GuardedItem, digests, guarded
from .name import JsonObject

TERMINALS: Final[Mapping[str, str]] = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
}
"""Last events → the status of the response in them. An ``error`` ends a stream too."""
OPENINGS: Final = ("response.created", "response.in_progress")
_COUNTS: Final = ("input_tokens", "output_tokens", "total_tokens")


class ResponsesGuard(FrameGuard):
    """A `StreamGuard`. After the last event of the format, everything but a comment is wrong."""

    _NAMED = True

    def __init__(self) -> None:
        super().__init__()
        self._response_id: Any = None
        self._items: list[GuardedItem] = []

    def _event(self, event: JsonObject) -> Iterator[str]:
        kind, number = str(event.get("type")), self._events - 1
        if event.get("sequence_number") != number:
            yield f"{shown(kind)} has sequence_number {shown(event.get('sequence_number'))}, not {number}"
        if kind == "error":
            yield from self._failed(event)
        elif number < len(OPENINGS):
            yield from self._opening(kind, event, OPENINGS[number])
        elif kind in TERMINALS:
            yield from self._finished(kind, event)
        else:
            yield from self._inside(kind, event)

    def _repeatable(self, event: JsonObject, frame: bytes) -> Alike | None:
        index = event.get("output_index")
        if not str(event.get("type")).endswith(".delta") or not isinstance(index, int):
            return None
        heard = self._items[index].heard
        return alike(frame, "delta", heard=heard, least=1, number_key="sequence_number")

    def _failed(self, event: JsonObject) -> Iterator[str]:
        self._over = True
        if not event.get("message") or "code" not in event:
            yield "an error without message or code"
        if "error" in event:
            yield "an error inside of an error event; clients want it flat"

    def _opening(self, kind: str, event: JsonObject, expected: str) -> Iterator[str]:
        if kind != expected:
            yield f"{shown(kind)} in the place of {expected}"
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
            yield f"a response of status {shown(response.get('status'))}, not {status}"
        if not isinstance(response.get("model"), str) or not isinstance(response.get("created_at"), int):
            yield "a response without model or created_at"
        if not isinstance(response.get("output"), list):
            yield "a response without output"

    def _finished(self, kind: str, event: JsonObject) -> Iterator[str]:
        self._over = True
        status = TERMINALS[kind]
        yield from self._response(event, status)
        response = event.get("response")
        if not isinstance(response, dict) or status == "failed":
            return
        if [item.done for item in self._items] != digests(response.get("output")):
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
                yield f"an item is added with output_index {shown(index)}, not {len(self._items)}"
            self._items.append(guarded(item if isinstance(item, dict) else {}))
        elif not isinstance(index, int) or not 0 <= index < len(self._items):
            yield f"{shown(kind)} has output_index {shown(index)}, where no item is"
        elif kind == "response.output_item.done":
            item = event.get("item")
            yield from self._items[index].end(item if isinstance(item, dict) else {})
        else:
            yield from self._items[index].event(kind, event)
