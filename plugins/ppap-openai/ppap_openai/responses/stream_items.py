"""The items of an outgoing stream: each writes its own events (translation spec, B.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.conversation import Image, ItemKey, ItemKind, ItemMeta, ToolKind
from ppap_core.wire.sse import event_frame

from ..chat.tool_names import unwrapped
from . import output_items
from .annotations import write_annotation
from .identifiers import ItemIds
from .name import FORMAT, JsonObject
from .output_items import CALL_FIELDS, ItemStatus
from .signatures import Opaque, write_opaque
from .tool_names import CalledTool
from .web_search import write_search

_encode: Final = msgspec.json.Encoder().encode
_DELTA: Final = b'event: %b\ndata: {"type":"%b","item_id":%b,"output_index":%d,%b"delta":'


class Outgoing:
    """The events of one stream: numbered from 0, gathered in ``out`` for the next write."""

    __slots__ = ("number", "out")

    def __init__(self) -> None:
        self.number = 0
        self.out: list[bytes] = []

    def event(self, kind: str, **fields: Any) -> None:
        told = {"type": kind, "sequence_number": self.number, **fields}
        self.out.append(event_frame(kind, _encode(told)))
        self.number += 1

    def delta(self, before: bytes, text: str, after: bytes) -> None:
        """An event put together from what stays the same and the one text that does not."""
        self.out.append(b'%b%b%b,"sequence_number":%d}\n\n' % (before, _encode(text), after, self.number))
        self.number += 1


class Item:
    """What all items have: a place in ``output``, an id, and a beginning and an end that are told."""

    def __init__(self, outgoing: Outgoing, index: int, item_id: str) -> None:
        self.open = True
        self.index = index
        self._outgoing = outgoing
        self._id = item_id

    def end(self, status: ItemStatus) -> JsonObject:
        """Tells what is still to be told; the item as it stands in ``output``."""
        self.open = False
        item = self._complete(status)
        self._outgoing.event("response.output_item.done", output_index=self.index, item=item)
        return item

    def _complete(self, status: ItemStatus) -> JsonObject:
        raise NotImplementedError

    def _added(self, item: JsonObject) -> None:
        self._outgoing.event("response.output_item.added", output_index=self.index, item=item)

    def _tell(self, kind: str, **fields: Any) -> None:
        self._outgoing.event(kind, item_id=self._id, output_index=self.index, **fields)

    def _before_delta(self, kind: str, place: bytes) -> bytes:
        word = kind.encode()
        return _DELTA % (word, word, _encode(self._id), self.index, place)


class _Part:
    """A content part of a message while it is told; ``key`` is that of its canonical item."""

    __slots__ = ("annotations", "before", "key", "kind", "place", "texts")

    def __init__(self, key: ItemKey, kind: ItemKind, place: int) -> None:
        self.key = key
        self.kind = kind
        self.place = place
        self.before = b""
        self.texts: list[str] = []
        self.annotations: list[JsonObject] = []

    def complete(self) -> JsonObject:
        text = "".join(self.texts)
        if self.kind == "refusal":
            return output_items.refusal_part(text)
        return output_items.text_part(text, self.annotations)


class MessageItem(Item):
    """Texts and refusals that follow each other, a content part each."""

    def __init__(self, outgoing: Outgoing, index: int, item_id: str) -> None:
        super().__init__(outgoing, index, item_id)
        self._parts: list[JsonObject] = []
        self._part: _Part | None = None
        self._added(output_items.message(item_id, (), "in_progress"))

    def say(self, key: ItemKey, kind: ItemKind, text: str) -> None:
        part = self._part
        if part is None or part.key != key:
            part = self._opened(key, kind)
        part.texts.append(text)
        self._outgoing.delta(part.before, text, b"" if kind == "refusal" else b',"logprobs":[]')

    def note(self, key: ItemKey, kind: ItemKind, annotation: Mapping[str, Any]) -> None:
        written = write_annotation(annotation)
        if written is None:
            return
        part = self._part
        if part is None or part.key != key:
            part = self._opened(key, kind)
        self._tell(
            "response.output_text.annotation.added",
            content_index=part.place,
            annotation_index=len(part.annotations),
            annotation=written,
        )
        part.annotations.append(written)

    def _opened(self, key: ItemKey, kind: ItemKind) -> _Part:
        self._close_part()
        part = self._part = _Part(key, kind, len(self._parts))
        word = "response.refusal.delta" if kind == "refusal" else "response.output_text.delta"
        part.before = self._before_delta(word, b'"content_index":%d,' % part.place)
        self._tell("response.content_part.added", content_index=part.place, part=part.complete())
        return part

    def _close_part(self) -> None:
        part = self._part
        if part is None:
            return
        told = part.complete()
        place = part.place
        if part.kind == "refusal":
            self._tell("response.refusal.done", content_index=place, refusal=told["refusal"])
        else:
            self._tell("response.output_text.done", content_index=place, text=told["text"], logprobs=[])
        self._tell("response.content_part.done", content_index=place, part=told)
        self._parts.append(told)
        self._part = None

    def _complete(self, status: ItemStatus) -> JsonObject:
        self._close_part()
        return output_items.message(self._id, self._parts, status)


class ReasoningItem(Item):
    """Thoughts, a summary part for each segment, and what lets the model go on from them."""

    def __init__(self, outgoing: Outgoing, index: int, item_id: str) -> None:
        super().__init__(outgoing, index, item_id)
        self._segments: list[str] = []
        self._texts: list[str] = []
        self._before = b""
        self._opaque = Opaque()
        self._added(output_items.reasoning(item_id, (), None))

    def say(self, key: ItemKey, kind: ItemKind, text: str) -> None:
        if not self._before:
            self._open_part()
        self._texts.append(text)
        self._outgoing.delta(self._before, text, b"")

    def sign(self, meta: ItemMeta) -> None:
        if meta.segment:
            self._close_part()
        if meta.signature or meta.redacted_data is not None:
            self._opaque = Opaque(
                signature=meta.signature, redacted_data=meta.redacted_data, origin=meta.origin
            )

    def _open_part(self) -> None:
        place = len(self._segments)
        word = "response.reasoning_summary_text.delta"
        self._before = self._before_delta(word, b'"summary_index":%d,' % place)
        part = output_items.summary_part("")
        self._tell("response.reasoning_summary_part.added", summary_index=place, part=part)

    def _close_part(self) -> None:
        if not self._before:
            return
        place, text = len(self._segments), "".join(self._texts)
        self._tell("response.reasoning_summary_text.done", summary_index=place, text=text)
        part = output_items.summary_part(text)
        self._tell("response.reasoning_summary_part.done", summary_index=place, part=part)
        self._segments.append(text)
        self._texts.clear()
        self._before = b""

    def _complete(self, status: ItemStatus) -> JsonObject:
        self._close_part()
        return output_items.reasoning(self._id, self._segments, write_opaque(self._opaque))


_DELTA_OF_KIND: Final[Mapping[ToolKind, str]] = {
    "function": "response.function_call_arguments.delta",
    "custom": "response.custom_tool_call_input.delta",
}
_DONE_OF_KIND: Final[Mapping[ToolKind, str]] = {
    "function": "response.function_call_arguments.done",
    "custom": "response.custom_tool_call_input.done",
}


class CallItem(Item):
    """A call of one of the client's tools. No arguments at all are an empty object (C.8)."""

    def __init__(
        self, outgoing: Outgoing, index: int, item_id: str, call_id: str, tool: CalledTool, kind: ToolKind
    ) -> None:
        super().__init__(outgoing, index, item_id)
        self._call_id = call_id
        self._tool = tool
        self._kind = kind
        self._texts: list[str] = []
        self._before = self._before_delta(_DELTA_OF_KIND[kind], b"")
        self._added(output_items.call(item_id, call_id, kind, tool, "", "in_progress"))

    def say(self, key: ItemKey, kind: ItemKind, text: str) -> None:
        self._texts.append(text)
        self._outgoing.delta(self._before, text, b"")

    def _complete(self, status: ItemStatus) -> JsonObject:
        given = "".join(self._texts) or ("{}" if self._kind == "function" else "")
        self._tell(_DONE_OF_KIND[self._kind], **{CALL_FIELDS[self._kind]: given})
        return output_items.call(self._id, self._call_id, self._kind, self._tool, given, status)


class FreeTextCallItem(CallItem):
    """A call of a free-text tool by a model that knows functions only (C.16).

    Its arguments are an object around the text, so they are held back until they are whole.
    """

    def say(self, key: ItemKey, kind: ItemKind, text: str) -> None:
        self._texts.append(text)

    def _complete(self, status: ItemStatus) -> JsonObject:
        text = unwrapped("".join(self._texts))
        self._texts = [text] if text else []
        if text:
            self._outgoing.delta(self._before, text, b"")
        return super()._complete(status)


class ServerToolItem(Item):
    """An item of the provider's own tool, told in one piece."""

    def __init__(self, outgoing: Outgoing, index: int, item: JsonObject) -> None:
        super().__init__(outgoing, index, item["id"])
        self._item = item
        kind = item.get("type", "")
        self._added({key: item[key] for key in ("id", "type") if key in item} | {"status": "in_progress"})
        if kind in _TOLD_AS_THEY_RUN:
            for word in ("in_progress", "completed"):
                self._tell(f"response.{kind}.{word}")

    def _complete(self, status: ItemStatus) -> JsonObject:
        return self._item


_TOLD_AS_THEY_RUN: Final = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"}
)


def server_tool_item(item_id: str, meta: ItemMeta | None, image: Image | None) -> JsonObject | None:
    """What to tell of a provider's tool: its own item, its search, or its picture; ``None``: nothing."""
    if meta is not None and meta.native is not None and meta.origin == FORMAT:
        native = dict(meta.native)
        return native if isinstance(native.get("id"), str) else {**native, "id": item_id}
    if meta is not None and meta.search is not None:
        return write_search(ItemIds.of_call("ws", meta.search.id or item_id), meta.search)
    return None if image is None else output_items.picture(item_id, image)
