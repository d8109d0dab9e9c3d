"""One of the answers of a chat stream, while it comes (translation spec, C.8, C.10)."""

from __future__ import annotations

from typing import Any

import attrs

from ppap_core.conversation import (
    Delta,
    Event,
    Finish,
    ItemEnd,
    ItemKey,
    ItemKind,
    ItemMeta,
    ItemStart,
    Reasoning,
)
from ppap_core.wire import NameMap

from .annotations import read_annotation
from .call_ids import made_up_id
from .finish import is_whole, reason_of, settled
from .reply import read_image
from .said import Said, WireCall, content_calls, content_pieces
from .signed_calls import thought_before
from .tool_names import free_text_of, unwrapped


@attrs.define
class _Call:
    """A tool call that is being announced or told. ``key`` is set once it was announced."""

    index: int
    id: str = ""
    name: str = ""
    custom: bool = False
    thought: Reasoning | None = None
    """What its signature stands for, told before it."""
    key: ItemKey | None = None
    told: list[str] = attrs.field(factory=list)
    """All argument text so far."""
    unwraps: bool = False
    """Its arguments wrap free text and are held back until they are whole."""


class ChoiceState:
    """One of the answers in a stream: at most one text is open at a time, and any number of calls."""

    def __init__(self, number: int, names: NameMap, answer_id: str | None) -> None:
        self.finished = False
        self.spoke = False
        self._number = number
        self._names = names
        self._free_text = free_text_of(names)
        self._answer_id = answer_id
        self._refused = False
        self._worded = False
        """Whether anything but reasoning and calls was said."""
        self._items = 0
        self._kind: ItemKind | None = None
        self._key: ItemKey = ""
        self._calls: list[_Call] = []
        self._latest: dict[int, _Call] = {}

    def hear(self, said: Said, events: list[Event]) -> None:
        """Everything that one delta says, in the order in which models say it."""
        content = said.content
        thoughtful = said.reasoning_content or said.reasoning or said.reasoning_details
        if thoughtful and (thought := said.thought()):
            self._say("reasoning", thought, events)
        if content:
            if isinstance(content, str):
                self._say("text", content, events)
            elif isinstance(content, list):
                self._hear_parts(content, events)
        if said.refusal:
            self._refused = True
            self._say("refusal", said.refusal, events)
        if said.tool_calls or said.function_call:
            for piece in said.tool_calls or said.calls():
                if (call := self._running(piece)) is not None:
                    self._hear_more(call, piece, events)
                else:
                    self._hear_call(piece, events)
        if said.annotations:
            self._annotate(said.annotations, events)
        if said.images:
            self._show(said.images, events)

    @property
    def whole(self) -> bool:
        """Whether what was said can stand without a reason for its end: words, and no half of a call."""
        if not self._calls:
            return self._worded
        return all(call.told and not call.custom and is_whole("".join(call.told)) for call in self._calls)

    def finish(self, word: str, events: list[Event]) -> None:
        self._hush(events)
        for call in sorted(self._calls, key=lambda each: each.index):
            self._announce_late(call, events)
        announced = [call for call in self._calls if call.key is not None]
        for call in announced:
            self._end_call(call, events)
        last = "".join(announced[-1].told) if announced else None
        reason = settled(reason_of(word, refused=self._refused), last)
        events.append(Finish(reason, choice=self._number))
        self.finished = True

    def cut(self, events: list[Event]) -> None:
        """Ends what is open, without a finish."""
        self._hush(events)
        if not self.finished:
            for call in self._calls:
                if call.key is not None:
                    self._end_call(call, events)
            self.finished = True

    def _say(self, kind: ItemKind, text: str, events: list[Event]) -> None:
        if kind != self._kind:
            self._worded = self._worded or kind != "reasoning"
            self._hush(events)
            self._kind = kind
            self._key = self._next_key()
            events.append(ItemStart(self._key, kind, choice=self._number))
        events.append(Delta(self._key, kind, text))

    def _hush(self, events: list[Event]) -> None:
        if self._kind is not None:
            events.append(ItemEnd(self._key))
            self._kind = None

    def _next_key(self) -> ItemKey:
        self.spoke = True
        self._items += 1
        return f"{self._number}.{self._items}"

    def _hear_parts(self, content: list[Any], events: list[Event]) -> None:
        for kind, text in content_pieces(content):
            if text:
                self._say(kind, text, events)
        for call in content_calls(content):
            self._hear_call(call, events)

    def _annotate(self, annotations: list[Any], events: list[Event]) -> None:
        """Notes on the text that is open; those that come without one cannot be placed."""
        if self._kind != "text":
            return
        read = (read_annotation(each) for each in annotations)
        events += (ItemMeta(self._key, annotation=note) for note in read if note is not None)

    def _show(self, images: list[Any], events: list[Event]) -> None:
        """Pictures come whole, each an item of its own."""
        for image in filter(None, map(read_image, images)):
            self._hush(events)
            self._worded = True
            key = self._next_key()
            start = ItemStart(key, "server_tool", choice=self._number)
            events += (start, ItemMeta(key, image=image), ItemEnd(key))

    def _running(self, piece: WireCall) -> _Call | None:
        """The announced call that a piece continues, where nothing but its index says so."""
        call = self._latest.get(piece.index) if piece.id is None and piece.index is not None else None
        return call if call is not None and call.key is not None else None

    def _hear_more(self, call: _Call, piece: WireCall, events: list[Event]) -> None:
        told = piece.function
        text = told.arguments if told is not None else piece.custom.input if piece.custom else None
        if text:
            call.told.append(text)
            if call.key is not None and not call.unwraps:
                events.append(Delta(call.key, "tool_call", text))

    def _hear_call(self, piece: WireCall, events: list[Event]) -> None:
        call = self._call_of(piece)
        call.id = call.id or piece.id or ""
        call.name = call.name or _name_of(piece)
        call.custom = call.custom or piece.custom is not None
        call.thought = call.thought or thought_before(piece.extra_content)
        self._hear_more(call, piece, events)
        if call.key is None and call.id and call.name:
            self._announce(call, events)

    def _call_of(self, piece: WireCall) -> _Call:
        """The call that a piece belongs to.

        By its index; an index used again with another id and name is another call, as upstreams
        exist that number every call 0 (pain 22). Without an index: by its id, else the last one.
        """
        if piece.index is None:
            return self._call_without_index(piece)
        call = self._latest.get(piece.index)
        if call is None or (call.id and piece.id and piece.id != call.id and _name_of(piece)):
            return self._new_call(piece.index)
        return call

    def _call_without_index(self, piece: WireCall) -> _Call:
        if piece.id:
            known = next((call for call in self._calls if call.id == piece.id), None)
            return known or self._new_call(len(self._calls))
        last = self._calls[-1] if self._calls else None
        if last is None or (last.name and _name_of(piece) not in ("", last.name)):
            return self._new_call(len(self._calls))
        return last

    def _new_call(self, index: int) -> _Call:
        call = self._latest[index] = _Call(index)
        self._calls.append(call)
        return call

    def _announce(self, call: _Call, events: list[Event]) -> None:
        self._hush(events)
        if call.thought is not None:
            self._sign(call.thought, events)
        call.key = self._next_key()
        name = self._names.client_name(call.name)
        call.unwraps = name in self._free_text and not call.custom
        custom = call.custom or call.unwraps
        events.append(
            ItemStart(call.key, "tool_call", call.id, name, "custom" if custom else "function", self._number)
        )
        if call.told and not call.unwraps:
            events.append(Delta(call.key, "tool_call", "".join(call.told)))

    def _sign(self, thought: Reasoning, events: list[Event]) -> None:
        key = self._next_key()
        meta = ItemMeta(key, signature=thought.signature, origin=thought.origin)
        events += (ItemStart(key, "reasoning", choice=self._number), meta, ItemEnd(key))

    def _announce_late(self, call: _Call, events: list[Event]) -> None:
        """At the end, what is missing of a call is made up; one that never said anything is not made."""
        if call.key is None and (call.id or call.name or call.told):
            call.name = call.name or f"tool_{call.index}"
            call.id = call.id or made_up_id(self._answer_id, self._number, self._calls.index(call))
            self._announce(call, events)

    def _end_call(self, call: _Call, events: list[Event]) -> None:
        assert call.key is not None
        if call.unwraps and (text := unwrapped("".join(call.told))):
            events.append(Delta(call.key, "tool_call", text))
        events.append(ItemEnd(call.key))


def _name_of(piece: WireCall) -> str:
    told = piece.custom or piece.function
    return (told.name if told else None) or ""
