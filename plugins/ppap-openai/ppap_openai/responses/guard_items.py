"""What the events of one output item may say, and in which order (translation spec, B.2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from ppap_core.wire.alike import Digest, Told, digest, inner_text
from ppap_core.wire.guard import shown

from .name import JsonObject


class GuardedItem:
    """An item from ``output_item.added`` to ``output_item.done``.

    The methods yield what is wrong; nothing if all is well. What was told is kept as digests only.
    """

    def __init__(self, item: JsonObject) -> None:
        self.type = str(item.get("type"))
        self.done: Digest | None = None
        self._id = item.get("id")

    def event(self, kind: str, event: JsonObject) -> Iterator[str]:
        """An event between the two."""
        if self.done is not None:
            yield f"{shown(kind)} after the item was done"
        if event.get("item_id") != self._id:
            yield f"{shown(kind)} has another item_id than the item"
        yield from self._inner(kind, event)

    @property
    def heard(self) -> Told | None:
        """Where the deltas of what is being told go."""
        return None

    def end(self, item: JsonObject) -> Iterator[str]:
        if self.done is not None:
            yield "the item is done twice"
        if item.get("type") != self.type or item.get("id") != self._id:
            yield f"a {shown(self.type)} ends as another item"
        self.done = digest(item)
        yield from self._ended(item)

    def _inner(self, kind: str, event: JsonObject) -> Iterator[str]:
        """By default, items of tools that the provider runs: events of their own kind only."""
        if not kind.startswith(f"response.{self.type}."):
            yield f"{shown(kind)} inside of a {shown(self.type)}"

    def _ended(self, item: JsonObject) -> Iterator[str]:
        yield from ()


class _Parts(GuardedItem):
    """Items that consist of parts: one is open at a time, numbered from 0."""

    _WORDS: ClassVar[Mapping[str, tuple[str, str]]]
    """Type of a part → what the names of its events begin with, and its field of text."""
    _PART: ClassVar[str]
    """What the names of the events begin with that open and close a part."""
    _INDEX: ClassVar[str]
    _LIST: ClassVar[str]
    """Where the item has its parts."""

    def __init__(self, item: JsonObject) -> None:
        super().__init__(item)
        self._closed: list[Digest] = []
        self._part: JsonObject | None = None
        self._text = Told()
        self._told: Digest | None = None
        self._begun_with = item.get(self._LIST)

    @property
    def heard(self) -> Told | None:
        return self._text

    def _inner(self, kind: str, event: JsonObject) -> Iterator[str]:
        if event.get(self._INDEX) != len(self._closed):
            yield f"{shown(kind)} has {self._INDEX} {shown(event.get(self._INDEX))}, not {len(self._closed)}"
        if kind == f"{self._PART}.added":
            yield from self._opened(event)
        elif self._part is None:
            yield f"{shown(kind)} while no part is open"
        elif kind == f"{self._PART}.done":
            yield from self._closed_by(event)
        else:
            yield from self._said(kind, event, self._part)

    def _opened(self, event: JsonObject) -> Iterator[str]:
        if self._part is not None:
            yield "a part begins inside of another"
        part = event.get("part")
        if not isinstance(part, dict) or str(part.get("type")) not in self._WORDS:
            yield f"a part of an unknown type in a {self.type}"
            return
        if part.get(self._WORDS[part["type"]][1]) != "":
            yield "a part begins with text"
        self._part, self._text, self._told = part, Told(), None

    def _said(self, kind: str, event: JsonObject, part: JsonObject) -> Iterator[str]:
        word, field = self._WORDS[part["type"]]
        if kind == f"{word}.delta":
            if self._told is not None:
                yield f"{shown(kind)} after the text was done"
            if not event.get("delta"):
                yield f"{shown(kind)} without text"
            self._text.add(inner_text(str(event.get("delta", ""))))
        elif kind == f"{word}.done":
            self._told = self._text.digest
            if digest(event.get(field)) != self._told:
                yield f"{shown(kind)} tells another text than its deltas"
        elif kind != f"{word}.annotation.added":
            yield f"{shown(kind)} inside of a part of type {part['type']}"

    def _closed_by(self, event: JsonObject) -> Iterator[str]:
        part = event.get("part")
        assert self._part is not None
        if self._told is None:
            yield "a part is done before its text"
        if not isinstance(part, dict) or part.get("type") != self._part["type"]:
            yield "a part is done as one of another type"
        elif digest(part.get(self._WORDS[part["type"]][1])) != self._told:
            yield "a part is done with another text than was told"
        self._closed.append(digest(part))
        self._part = None

    def _ended(self, item: JsonObject) -> Iterator[str]:
        if self._begun_with != []:
            yield f"a {self.type} begins with {self._LIST}"
        if self._part is not None:
            yield "the item is done while a part is open"
        if digests(item.get(self._LIST)) != self._closed:
            yield f"the {self._LIST} of a {self.type} differs from its parts"


class _Message(_Parts):
    _WORDS: ClassVar = {
        "output_text": ("response.output_text", "text"),
        "refusal": ("response.refusal", "refusal"),
    }
    _PART = "response.content_part"
    _INDEX = "content_index"
    _LIST = "content"


class _Reasoning(_Parts):
    _WORDS: ClassVar = {"summary_text": ("response.reasoning_summary_text", "text")}
    _PART = "response.reasoning_summary_part"
    _INDEX = "summary_index"
    _LIST = "summary"


class _Call(GuardedItem):
    """Its text comes in deltas, then whole, then in the item."""

    def __init__(self, item: JsonObject) -> None:
        super().__init__(item)
        self._word, self._field = CALL_WORDS[self.type]
        self._names = {key: item.get(key) for key in ("call_id", "name", "namespace")}
        self._begun_with = item.get(self._field)
        self._text = Told()
        self._told: Digest | None = None

    @property
    def heard(self) -> Told | None:
        return self._text

    def _inner(self, kind: str, event: JsonObject) -> Iterator[str]:
        if self._told is not None:
            yield f"{shown(kind)} after the {self._field} were done"
        if kind == f"{self._word}.delta":
            if not event.get("delta"):
                yield f"{shown(kind)} without text"
            self._text.add(inner_text(str(event.get("delta", ""))))
        elif kind == f"{self._word}.done":
            self._told = digest(event.get(self._field))
            if self._told != (self._text.digest if self._text else digest(self._empty)):
                yield f"{shown(kind)} tells another text than its deltas"
        else:
            yield f"{shown(kind)} inside of a {shown(self.type)}"

    @property
    def _empty(self) -> str:
        return "{}" if self._field == "arguments" else ""

    def _ended(self, item: JsonObject) -> Iterator[str]:
        if not self._names["call_id"] or not self._names["name"]:
            yield f"a {self.type} begins without its name or its call_id"
        if self._begun_with != "":
            yield f"a {self.type} begins with {self._field}"
        if {key: item.get(key) for key in self._names} != self._names:
            yield f"a {self.type} ends under another name or id"
        if self._told is None or digest(item.get(self._field)) != self._told:
            yield f"a {self.type} is done with other {self._field} than were told"


CALL_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}
_GUARDS: Final[Mapping[str, type[GuardedItem]]] = {
    "message": _Message,
    "reasoning": _Reasoning,
    **dict.fromkeys(CALL_WORDS, _Call),
}


def digests(values: object) -> list[Digest] | None:
    """Those of the items or parts in a list; ``None``: it is none."""
    return list(map(digest, values)) if isinstance(values, list) else None


def guarded(item: JsonObject) -> GuardedItem:
    """The guard of an item that begins."""
    return _GUARDS.get(str(item.get("type")), GuardedItem)(item)
