"""The blocks of an outgoing stream: each writes the frames of one item, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec

from ppap_core.conversation import ItemMeta, ToolKind, WebSearch

from .arguments import object_text
from .content import citation_of
from .identifiers import CallIds
from .vocabulary import NAME
from .web_search import search_blocks

encode: Final = msgspec.json.Encoder().encode
_START: Final = (
    b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
)
_DELTA: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
)
_DELTA_END: Final = b"}}\n\n"
_STOP: Final = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'


class Block(Protocol):
    """One item on its way out. Frames are appended to ``out``; `numbers` gives block indexes."""

    def begin(self, out: list[bytes]) -> None:
        """It is this item's turn."""
        ...

    def delta(self, text: str, out: list[bytes]) -> None: ...

    def meta(self, meta: ItemMeta, out: list[bytes]) -> None: ...

    def end(self, out: list[bytes]) -> None:
        """The item is whole."""
        ...


class TextBlock:
    """Words for the user. No words, no block."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._index = -1
        self._prefix = b""

    def begin(self, out: list[bytes]) -> None:
        pass

    def delta(self, text: str, out: list[bytes]) -> None:
        if not self._prefix:
            self._open(out)
        out.append(self._prefix + encode(text) + _DELTA_END)

    def meta(self, meta: ItemMeta, out: list[bytes]) -> None:
        citation = citation_of(meta.annotation) if meta.annotation is not None else None
        if citation is not None:
            if not self._prefix:
                self._open(out)
            head = _DELTA % (self._index, b"citations_delta", b"citation")
            out.append(head + encode(citation) + _DELTA_END)

    def end(self, out: list[bytes]) -> None:
        if self._prefix:
            out.append(_STOP % self._index)

    def _open(self, out: list[bytes]) -> None:
        self._index = next(self._numbers)
        self._prefix = _DELTA % (self._index, b"text_delta", b"text")
        out.append(_START % (self._index, b'{"type":"text","text":""}'))


class ThinkingBlock:
    """Thinking, its signature exactly once before the stop, or what replaces it when redacted.

    The start has no ``signature`` key: clients would take an empty one for the real one.
    """

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._index = -1
        self._prefix = b""
        self._gap = False
        self._signature = ""
        self._redacted = ""

    def begin(self, out: list[bytes]) -> None:
        pass

    def delta(self, text: str, out: list[bytes]) -> None:
        if not self._prefix:
            self._open(out)
        if self._gap:
            self._gap = False
            text = "\n\n" + text
        out.append(self._prefix + encode(text) + _DELTA_END)

    def meta(self, meta: ItemMeta, out: list[bytes]) -> None:
        self._gap = self._gap or (meta.segment and bool(self._prefix))
        self._signature = meta.signature or self._signature
        self._redacted = meta.redacted_data or self._redacted

    def end(self, out: list[bytes]) -> None:
        if self._signature:
            if not self._prefix:
                self._open(out)
            head = _DELTA % (self._index, b"signature_delta", b"signature")
            out.append(head + encode(self._signature) + _DELTA_END)
        if self._prefix:
            out.append(_STOP % self._index)
        if self._redacted:
            write_whole({"type": "redacted_thinking", "data": self._redacted}, self._numbers, out)

    def _open(self, out: list[bytes]) -> None:
        self._index = next(self._numbers)
        self._prefix = _DELTA % (self._index, b"thinking_delta", b"thinking")
        out.append(_START % (self._index, b'{"type":"thinking","thinking":""}'))


class ToolBlock:
    """A tool call. Its arguments go out in one piece, when they are whole and can be checked (C.8)."""

    def __init__(self, numbers: Iterator[int], call_id: str, name: str, kind: ToolKind) -> None:
        self._index = next(numbers)
        self._call = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        self._kind = kind
        self._arguments: list[str] = []
        self.whole = False

    def begin(self, out: list[bytes]) -> None:
        out.append(_START % (self._index, encode(self._call)))

    def delta(self, text: str, out: list[bytes]) -> None:
        self._arguments.append(text)

    def meta(self, meta: ItemMeta, out: list[bytes]) -> None:
        pass

    def end(self, out: list[bytes]) -> None:
        arguments = "".join(self._arguments)
        text = encode({"input": arguments}).decode() if self._kind == "custom" else object_text(arguments)
        self.whole = text is not None or not arguments.strip()
        if text is not None:
            write_input(self._index, text, out)
        self.stop(out)

    def stop(self, out: list[bytes]) -> None:
        out.append(_STOP % self._index)


class NativeBlock:
    """A server tool's block as this format wrote it, or the search of another; all else is hidden."""

    def __init__(self, numbers: Iterator[int], ids: CallIds) -> None:
        self._numbers = numbers
        self._ids = ids
        self._native: Mapping[str, Any] | None = None
        self._search: WebSearch | None = None

    def begin(self, out: list[bytes]) -> None:
        pass

    def delta(self, text: str, out: list[bytes]) -> None:
        pass

    def meta(self, meta: ItemMeta, out: list[bytes]) -> None:
        if meta.origin == NAME and meta.native is not None:
            self._native = meta.native
        self._search = meta.search or self._search

    def end(self, out: list[bytes]) -> None:
        if self._native is not None:
            write_whole(self._native, self._numbers, out)
        elif self._search is not None:
            for block in search_blocks(self._search, self._ids):
                write_whole(block, self._numbers, out)


def write_whole(block: Mapping[str, Any], numbers: Iterator[int], out: list[bytes]) -> None:
    """A block that is known in full. The input of a call comes as a delta, where clients look for it."""
    index = next(numbers)
    arguments = block.get("input")
    if isinstance(arguments, Mapping) and arguments:
        out.append(_START % (index, encode({**block, "input": {}})))
        write_input(index, encode(arguments).decode(), out)
    else:
        out.append(_START % (index, encode(block)))
    out.append(_STOP % index)


def write_input(index: int, text: str, out: list[bytes]) -> None:
    out.append(_DELTA % (index, b"input_json_delta", b"partial_json") + encode(text) + _DELTA_END)
