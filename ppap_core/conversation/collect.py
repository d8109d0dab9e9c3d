"""A stream of events into one reply, and one reply back into events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from .events import (
    Delta,
    End,
    Event,
    Finish,
    ItemEnd,
    ItemKey,
    ItemKind,
    ItemMeta,
    ItemStart,
    Start,
    StreamError,
    UsageUpdate,
)
from .reply import ErrorDetail, Reply
from .request import Image, Item, Message, Part, Reasoning, Refusal, ServerToolItem, Text, ToolCall
from .usage import Usage


@attrs.define
class _OpenItem:
    start: ItemStart
    segments: list[list[str]] = attrs.field(factory=lambda: [[]])
    meta: ItemMeta | None = None
    annotations: list[object] = attrs.field(factory=list)

    def closed(self) -> Item:
        texts = ["".join(segment) for segment in self.segments]
        return _ITEM_OF_KIND[self.start.kind](self, texts)


def _text(opened: _OpenItem, texts: list[str]) -> Item:
    part = Text("".join(texts), annotations=tuple(opened.annotations))  # type: ignore[arg-type]
    return Message(role="assistant", parts=(part,))


def _refusal(opened: _OpenItem, texts: list[str]) -> Item:
    return Message(role="assistant", parts=(Refusal("".join(texts)),))


def _reasoning(opened: _OpenItem, texts: list[str]) -> Item:
    meta = opened.meta
    return Reasoning(
        segments=tuple(text for text in texts if text),
        signature=meta.signature if meta else None,
        redacted_data=meta.redacted_data if meta else None,
        origin=meta.origin if meta else None,
    )


def _tool_call(opened: _OpenItem, texts: list[str]) -> Item:
    start = opened.start
    return ToolCall(
        call_id=start.call_id or "",
        name=start.name or "",
        arguments="".join(texts),
        kind=start.tool_kind,
    )


def _server_tool(opened: _OpenItem, texts: list[str]) -> Item:
    """A picture that no tool of any format stands for is one of the model's own words."""
    meta = opened.meta
    if meta is not None and meta.native is None and meta.image is not None:
        return Message(role="assistant", parts=(meta.image,))
    return ServerToolItem(
        format=(meta.origin or "") if meta else "",
        value=(meta.native or {}) if meta else {},
        image=meta.image if meta else None,
        search=meta.search if meta else None,
    )


_ITEM_OF_KIND = {
    "text": _text,
    "refusal": _refusal,
    "reasoning": _reasoning,
    "tool_call": _tool_call,
    "server_tool": _server_tool,
}


class ReplyCollector:
    """Gathers the events of one stream. ``error`` is set if the stream reported a failure."""

    def __init__(self) -> None:
        self.error: ErrorDetail | None = None
        self.finished = False
        self._start = Start()
        self._open: dict[ItemKey, _OpenItem] = {}
        self._items: dict[int, list[_OpenItem]] = {}
        self._finish: dict[int, Finish] = {}
        self._usage: Usage | None = None

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            self._add_one(event)

    def reply(self) -> Reply:
        """The answer so far; items that never ended are included as far as they came."""
        choices = sorted({0, *self._items, *self._finish})
        first, *others = (self._choice(choice) for choice in choices)
        return attrs.evolve(first, alternatives=tuple(others), usage=self._usage)

    def _choice(self, choice: int) -> Reply:
        finish = self._finish.get(choice)
        return Reply(
            id=self._start.id,
            model=self._start.model,
            created=self._start.created,
            items=tuple(opened.closed() for opened in self._items.get(choice, ())),
            finish=finish.reason if finish else "unknown",
            stop_sequence=finish.stop_sequence if finish else None,
        )

    def _add_one(self, event: Event) -> None:
        match event:
            case Delta(key, _, text):
                self._open[key].segments[-1].append(text)
            case ItemStart():
                opened = self._open[event.key] = _OpenItem(event)
                self._items.setdefault(event.choice, []).append(opened)
            case ItemMeta():
                self._note(self._open[event.key], event)
            case UsageUpdate(usage):
                self._usage = self._usage.updated(usage) if self._usage else usage
            case Finish():
                self._finish[event.choice] = event
                self.finished = True
            case Start():
                self._start = event
            case StreamError(error):
                self.error = error
            case _:
                pass

    @staticmethod
    def _note(opened: _OpenItem, meta: ItemMeta) -> None:
        if meta.segment and opened.segments[-1]:
            opened.segments.append([])
        if meta.annotation is not None:
            opened.annotations.append(meta.annotation)
        if meta.signature or meta.redacted_data or meta.native or meta.image or meta.search:
            known = opened.meta or meta
            opened.meta = ItemMeta(
                meta.key,
                signature=meta.signature or known.signature,
                redacted_data=meta.redacted_data or known.redacted_data,
                origin=meta.origin or known.origin,
                native=meta.native or known.native,
                image=meta.image or known.image,
                search=meta.search or known.search,
            )


def events_of(reply: Reply) -> list[Event]:
    """The stream that would have brought this reply, its text in one delta per item."""
    events: list[Event] = [Start(reply.id, reply.model, reply.created)]
    keys = iter(range(1_000_000))
    for choice, answer in enumerate((reply, *reply.alternatives)):
        for item in answer.items:
            events += _item_events(item, keys, choice)
        events.append(Finish(answer.finish, answer.stop_sequence, choice))
    if reply.usage is not None:
        events.append(UsageUpdate(reply.usage))
    events.append(End())
    return events


def _item_events(item: Item, keys: Iterator[int], choice: int) -> list[Event]:
    match item:
        case Message(parts=parts):
            return [event for part in parts for event in _part_events(part, keys, choice)]
        case Reasoning():
            return _reasoning_events(item, next(keys), choice)
        case ToolCall():
            key = next(keys)
            start = ItemStart(key, "tool_call", item.call_id, item.name, item.kind, choice)
            deltas = [Delta(key, "tool_call", item.arguments)] if item.arguments else []
            return [start, *deltas, ItemEnd(key)]
        case ServerToolItem(format=origin, value=value, image=image, search=search):
            key = next(keys)
            return [
                ItemStart(key, "server_tool", choice=choice),
                ItemMeta(key, origin=origin, native=value, image=image, search=search),
                ItemEnd(key),
            ]
        case _:
            return []


def _part_events(part: Part, keys: Iterator[int], choice: int) -> list[Event]:
    """A picture comes as one that a tool made; what else is no text cannot be told in a stream."""
    if isinstance(part, Image):
        key = next(keys)
        return [
            ItemStart(key, "server_tool", choice=choice),
            ItemMeta(key, image=part),
            ItemEnd(key),
        ]
    if not isinstance(part, Text | Refusal) or not part.text:
        return []
    key = next(keys)
    kind: ItemKind = "text" if isinstance(part, Text) else "refusal"
    notes = [ItemMeta(key, annotation=note) for note in part.annotations] if isinstance(part, Text) else []
    return [ItemStart(key, kind, choice=choice), Delta(key, kind, part.text), *notes, ItemEnd(key)]


def _reasoning_events(item: Reasoning, key: int, choice: int) -> list[Event]:
    events: list[Event] = [ItemStart(key, "reasoning", choice=choice)]
    for index, segment in enumerate(item.segments):
        if index:
            events.append(ItemMeta(key, segment=True))
        if segment:
            events.append(Delta(key, "reasoning", segment))
    if item.signature or item.redacted_data:
        events.append(
            ItemMeta(
                key,
                signature=item.signature,
                redacted_data=item.redacted_data,
                origin=item.origin,
            )
        )
    return [*events, ItemEnd(key)]
