"""The items of an incoming stream: each turns what is heard of it into events (B.2.4, C.8, C.12).

Upstreams tell an item in deltas, or whole at its end, or both; whatever was not heard in deltas is
taken from the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, Final

from ppap_core.conversation import Delta, Event, Image, ItemEnd, ItemKind, ItemMeta, ItemStart, ToolKind
from ppap_core.wire import NameMap

from ..chat.said import text_of
from .annotations import read_annotation
from .identifiers import new_call_id
from .name import FORMAT, JsonObject
from .output_items import CALL_FIELDS, CALL_TYPES
from .signatures import read_opaque
from .tool_names import flat_name
from .web_search import read_search

MEDIA_OF_FORMAT: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}
"""``output_format`` → media type; PNG for any other word (C.12)."""


class Hearing:
    """What the items of one stream share: keys that are never used twice, and the tool names."""

    def __init__(self, names: NameMap) -> None:
        self.names = names
        self.refused = False
        self._keys: Iterator[int] = count()

    def key(self) -> int:
        return next(self._keys)


class Heard:
    """An item that has begun. ``ended``: what comes for it now comes too late."""

    def __init__(self, hearing: Hearing) -> None:
        self.ended = False
        self._hearing = hearing

    def done(self, item: JsonObject, events: list[Event]) -> None:
        """The upstream told the item whole."""
        raise NotImplementedError

    def end(self, events: list[Event]) -> None:
        """Nothing more comes for it."""
        raise NotImplementedError

    def cut(self, events: list[Event]) -> None:
        """The stream broke off: what was begun ends as it is."""
        self.end(events)


class _Part:
    __slots__ = ("ended", "key", "kind", "noted", "started")

    def __init__(self, key: int, kind: ItemKind) -> None:
        self.key = key
        self.kind = kind
        self.started = False
        self.ended = False
        self.noted = False

    def start(self, events: list[Event]) -> None:
        if not self.started:
            self.started = True
            events.append(ItemStart(self.key, self.kind))

    def end(self, events: list[Event]) -> None:
        if self.started and not self.ended:
            events.append(ItemEnd(self.key))
        self.ended = True


class HeardMessage(Heard):
    """Each of its content parts is a canonical item. One without words is none (C.4)."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__(hearing)
        self._parts: dict[int, _Part] = {}

    def say(self, place: int, kind: ItemKind, text: str, events: list[Event]) -> None:
        part = self._parts.get(place)
        if part is None or part.kind != kind:
            part = self._opened(place, kind, events)
        if not part.ended:
            if not part.started:
                part.start(events)
            events.append(Delta(part.key, kind, text))

    def told(self, place: int, kind: ItemKind, text: str, events: list[Event]) -> None:
        """The whole text of a part: said if nothing of it was."""
        part = self._parts.get(place)
        if text and (part is None or not part.started):
            self.say(place, kind, text, events)

    def part_done(self, place: int, part: JsonObject, events: list[Event]) -> None:
        read = _TEXT_OF_PART.get(part.get("type", "output_text"))
        if read is not None:
            kind, field = read
            self.told(place, kind, text_of(part.get(field)), events)
        if place not in self._parts:
            return
        heard = self._parts[place]
        if not heard.noted:
            notes = part.get("annotations")
            for note in notes if isinstance(notes, list) else ():
                self.note(place, note, events)
        heard.end(events)

    def note(self, place: int, value: Any, events: list[Event]) -> None:
        annotation = read_annotation(value)
        part = self._parts.get(place)
        if annotation is not None and part is not None and part.started and not part.ended:
            part.noted = True
            events.append(ItemMeta(part.key, annotation=annotation))

    def done(self, item: JsonObject, events: list[Event]) -> None:
        content = item.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict):
                self.part_done(place, part, events)
        self.end(events)

    def end(self, events: list[Event]) -> None:
        for part in self._parts.values():
            part.end(events)
        self.ended = True

    def _opened(self, place: int, kind: ItemKind, events: list[Event]) -> _Part:
        for part in self._parts.values():
            part.end(events)  # parts follow each other
        self._hearing.refused = self._hearing.refused or kind == "refusal"
        part = self._parts[place] = _Part(self._hearing.key(), kind)
        return part


_TEXT_OF_PART: Final[Mapping[Any, tuple[ItemKind, str]]] = {
    "output_text": ("text", "text"),
    "text": ("text", "text"),
    "refusal": ("refusal", "refusal"),
}
"""Type of a content part → the canonical kind, and the field with the words."""


class HeardReasoning(Heard):
    """Thoughts come as a summary or in their own words; whichever comes first is taken."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__(hearing)
        self._key = hearing.key()
        self._started = False
        self._source = ""
        self._segment = -1
        self._encrypted: str | None = None

    def begin(self, item: JsonObject) -> None:
        """What is opaque at the beginning counts only if the end brings nothing else."""
        self._encrypted = _text(item, "encrypted_content") or self._encrypted

    def say(self, source: str, segment: int, text: str, events: list[Event]) -> None:
        if self._source not in ("", source) or self.ended:
            return
        if not self._started:
            self._start(events)
        if self._source and segment != self._segment:
            events.append(ItemMeta(self._key, segment=True))
        self._source, self._segment = source, segment
        events.append(Delta(self._key, "reasoning", text))

    def told(self, source: str, segment: int, text: str, events: list[Event]) -> None:
        """A whole segment: said if nothing of it was."""
        if text and (not self._source or (self._source == source and segment > self._segment)):
            self.say(source, segment, text, events)

    def done(self, item: JsonObject, events: list[Event]) -> None:
        self.begin(item)
        if not self._source:
            for source in ("summary", "content"):
                segments = item.get(source)
                for place, each in enumerate(segments if isinstance(segments, list) else ()):
                    self.told(source, place, text_of(each), events)
        self.end(events)

    def end(self, events: list[Event]) -> None:
        if self.ended:
            return
        opaque = read_opaque(self._encrypted, issuer=FORMAT)
        if opaque.signature or opaque.redacted_data is not None:
            self._start(events)
            events.append(
                ItemMeta(
                    self._key,
                    signature=opaque.signature,
                    redacted_data=opaque.redacted_data,
                    origin=opaque.origin,
                )
            )
        self.cut(events)

    def cut(self, events: list[Event]) -> None:
        if self._started and not self.ended:
            events.append(ItemEnd(self._key))
        self.ended = True

    def _start(self, events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(ItemStart(self._key, "reasoning"))


class HeardCall(Heard):
    """A call of a client's tool. It is announced once its name and its id are known."""

    def __init__(self, hearing: Hearing, kind: ToolKind, place: int) -> None:
        super().__init__(hearing)
        self.call_id = ""
        self._kind = kind
        self._place = place
        self._key = hearing.key()
        self._name = ""
        self._namespace: str | None = None
        self._announced = False
        self._texts: list[str] = []

    @property
    def arguments(self) -> str:
        return "".join(self._texts)

    @property
    def emitted(self) -> bool:
        return self._announced

    def begin(self, item: JsonObject, events: list[Event]) -> None:
        if self.ended:
            return
        self.call_id = self.call_id or _text(item, "call_id")
        self._name = self._name or _text(item, "name")
        self._namespace = self._namespace or _text(item, "namespace") or None
        if self.call_id and self._name:
            self._announce(events)

    def say(self, text: str, events: list[Event]) -> None:
        if self.ended or not text:
            return
        self._texts.append(text)
        if self._announced:
            events.append(Delta(self._key, "tool_call", text))

    def told(self, text: str, events: list[Event]) -> None:
        """The whole text: only what goes on from the deltas is still said."""
        heard = self.arguments
        if text.startswith(heard):
            self.say(text[len(heard) :], events)

    def done(self, item: JsonObject, events: list[Event]) -> None:
        if self.ended:
            return
        self.begin(item, events)
        given = item.get(CALL_FIELDS[self._kind])
        self.told(given if isinstance(given, str) else "", events)
        self.end(events)

    def end(self, events: list[Event]) -> None:
        """What is missing is made up, unless nothing was ever told of the call (C.8)."""
        if self.ended:
            return
        if not self._announced and (self.call_id or self._name or self._texts):
            self.call_id = self.call_id or new_call_id()
            self._name = self._name or f"tool_{self._place}"
            self._announce(events)
        self.cut(events)

    def cut(self, events: list[Event]) -> None:
        if self._announced and not self.ended:
            events.append(ItemEnd(self._key))
        self.ended = True

    def _announce(self, events: list[Event]) -> None:
        if self._announced:
            return
        self._announced = True
        if self._namespace:
            name = flat_name(self._namespace, self._name)
        else:
            name = self._hearing.names.client_name(self._name)
        events.append(ItemStart(self._key, "tool_call", self.call_id, name, self._kind))
        if self._texts:
            events.append(Delta(self._key, "tool_call", self.arguments))


class HeardServerTool(Heard):
    """An item of a tool that the provider runs, or of one that nobody else knows."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__(hearing)
        self._key = hearing.key()
        self._started = False
        self._shown = ""

    def show(self, data: str, output_format: str, events: list[Event]) -> None:
        """A picture, or a first state of it; the same bytes are shown once."""
        if self.ended or not data or data == self._shown:
            return
        self._shown = data
        self._start(events)
        events.append(ItemMeta(self._key, image=image_of(data, output_format)))

    def shows(self, item: JsonObject) -> bool:
        """Whether an item has a picture that was not shown yet."""
        return bool(_text(item, "result")) and _text(item, "result") != self._shown

    def done(self, item: JsonObject, events: list[Event]) -> None:
        if self.ended:
            return
        self._start(events)
        image = None
        if item.get("type") == "image_generation_call" and self.shows(item):
            self._shown = _text(item, "result")
            image = image_of(self._shown, _text(item, "output_format"))
        events.append(ItemMeta(self._key, origin=FORMAT, native=item, image=image, search=read_search(item)))
        self.end(events)

    def end(self, events: list[Event]) -> None:
        if self._started and not self.ended:
            events.append(ItemEnd(self._key))
        self.ended = True

    def _start(self, events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(ItemStart(self._key, "server_tool"))


def image_of(data: str, output_format: str) -> Image:
    media_type = output_format if "/" in output_format else MEDIA_OF_FORMAT.get(output_format, "image/png")
    return Image(data=data, media_type=media_type)


def _text(item: JsonObject, key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _call_maker(kind: ToolKind) -> Callable[[Hearing, int], Heard]:
    return lambda hearing, place: HeardCall(hearing, kind, place)


MAKERS: Final[Mapping[str, Callable[[Hearing, int], Heard]]] = {
    "message": lambda hearing, place: HeardMessage(hearing),
    "reasoning": lambda hearing, place: HeardReasoning(hearing),
    **{word: _call_maker(kind) for kind, word in CALL_TYPES.items()},
}
"""Type of an item → how it is heard; any other is a server tool's."""


def new_heard(kind: str, hearing: Hearing, place: int) -> Heard:
    make = MAKERS.get(kind)
    return make(hearing, place) if make is not None else HeardServerTool(hearing)
