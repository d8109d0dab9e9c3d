"""Mending Responses streams: what was told is also told as done (translation spec, B.2.3; clients spec, 3).

Clients take texts and calls from ``output_item.done``. An upstream that leaves it out still has the
item in its last event, and is believed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody
from ppap_core.wire.guard import JsonObject
from ppap_core.wire.mender import FrameMender, named_frame
from ppap_core.wire.sse import payload

from .guard import OPENINGS, TERMINALS
from .guard_items import CALL_WORDS
from .repair import reframed

_PARTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "message": ("response.content_part", "content_index", "content"),
    "reasoning": ("response.reasoning_summary_part", "summary_index", "summary"),
}
"""Type of an item → what the names of the events of its parts begin with, their index, their list."""
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "output_text": ("response.output_text", "text"),
    "refusal": ("response.refusal", "refusal"),
    "summary_text": ("response.reasoning_summary_text", "text"),
}
"""Type of a part → what the names of the events of its text begin with, and its field."""


@attrs.define
class _Open:
    """An item that is not done. ``part``: the index of its open part; ``told``: its text is done."""

    item: JsonObject
    part: int | None = None
    told: bool = False


class ResponsesMender(FrameMender):
    """A `StreamMender`. Events are numbered anew where numbers are missing, or events came or went."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._opened: dict[str, Any] = {}
        self._open: dict[int, _Open] = {}

    def _event(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        kind = str(event.get("type"))
        if kind in OPENINGS:
            if kind in self._opened:
                self.mended.append(f"left out a second {kind}")
                return
            self._opened[kind] = event.get("response")
        elif len(self._opened) == 1 and isinstance(response := self._opened.get(OPENINGS[0]), dict):
            self._opened[OPENINGS[1]] = response
            yield self._added(OPENINGS[1], self._made(OPENINGS[1], {"response": response}))
        self._note(kind, event)
        if kind in TERMINALS or kind == "error":
            self._over = True
            yield from self._dones(event.get("response"))
        yield self._numbered(event, frame)

    def _note(self, kind: str, event: JsonObject) -> None:
        index = event.get("output_index")
        if not isinstance(index, int):
            return
        if kind == "response.output_item.added" and isinstance(event.get("item"), dict):
            self._open[index] = _Open(event["item"])
        elif kind == "response.output_item.done":
            self._open.pop(index, None)
        elif (opened := self._open.get(index)) is None:
            return
        elif kind.endswith("_part.added"):
            part = event.get("content_index", event.get("summary_index"))
            opened.part, opened.told = (part if isinstance(part, int) else None), False
        elif kind.endswith("_part.done"):
            opened.part = None
        elif kind.endswith(".done"):
            opened.told = True

    def _dones(self, response: Any) -> Iterator[bytes]:
        """The missing ends of items that the last event has whole."""
        output = response.get("output") if isinstance(response, dict) else None
        if not isinstance(output, list):
            return
        for index, opened in sorted(self._open.items()):
            item = output[index] if 0 <= index < len(output) else None
            if isinstance(item, dict) and all(
                item.get(key) == opened.item.get(key) for key in ("type", "id")
            ):
                place = {"item_id": item.get("id"), "output_index": index}
                yield from self._inner_dones(opened, item, place)
                done = {"output_index": index, "item": item}
                yield self._added("output_item.done", self._made("response.output_item.done", done))

    def _inner_dones(self, opened: _Open, item: JsonObject, place: JsonObject) -> Iterator[bytes]:
        if (call := CALL_WORDS.get(str(item.get("type")))) is not None:
            word, field = call
            if not opened.told:
                yield self._made(f"{word}.done", {**place, field: item.get(field, "")})
        elif (parts := _PARTS.get(str(item.get("type")))) is not None and opened.part is not None:
            word, index, field = parts
            told = item.get(field)
            part = told[opened.part] if isinstance(told, list) and 0 <= opened.part < len(told) else None
            part = part if isinstance(part, dict) else {}
            place = {**place, index: opened.part}
            text, said = _TEXTS.get(str(part.get("type")), _TEXTS["output_text"])
            if not opened.told:
                yield self._made(f"{text}.done", {**place, said: part.get(said, "")})
            yield self._made(f"{word}.done", {**place, "part": part})

    def _made(self, kind: str, fields: JsonObject) -> bytes:
        frame = named_frame(kind, {"sequence_number": self._number, **fields})
        self._number += 1
        return frame

    def _numbered(self, event: JsonObject, frame: bytes) -> bytes:
        number = self._number
        self._number += 1
        if event.get("sequence_number") == number:
            return frame
        data = payload(frame.replace(b"\r\n", b"\n").strip(b"\n"))
        try:
            data = JsonBody(data).edited({"sequence_number": msgspec.json.encode(number)})
        except InvalidRequest:
            return frame
        if _NUMBERED not in self.mended:
            self.mended.append(_NUMBERED)
        return reframed(frame, data)


_NUMBERED: Final = "numbered events anew"
