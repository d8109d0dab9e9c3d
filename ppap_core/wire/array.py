"""A JSON array edited without re-serialising it: what `JsonBody` is for objects.

Elements that stay keep every byte, so signatures, number spelling and escapes survive (pain 23).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from ..errors import InvalidRequest

_decode: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_BETWEEN: Final = b" \t\r\n,"


class JsonArray:
    """Raises `InvalidRequest` when `data` is not a JSON array; `name` is what the message calls it."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        try:
            self._elements = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(f"Invalid request: `{name}`: {error}", param=name) from None

    def __len__(self) -> int:
        return len(self._elements)

    def __getitem__(self, index: int) -> bytes:
        """The JSON text of an element."""
        return bytes(self._elements[index])

    def __iter__(self) -> Iterator[bytes]:
        return map(bytes, self._elements)

    def edited(self, changes: Mapping[int, bytes | None]) -> bytes:
        """The array with elements replaced (JSON text) or removed (``None``), by index from 0."""
        if not changes:
            return self.data
        view = memoryview(self.data)
        parts: list[bytes | memoryview] = []
        copied = 0
        kept = False
        for index, (gap, start, end) in enumerate(self._spans()):
            if index not in changes and (kept or not index):
                kept = True
                continue
            parts.append(view[copied:gap])
            text = changes.get(index, view[start:end])
            if text is not None:
                before = self.data[gap:start]
                parts += (before if kept else before.replace(b",", b"", 1), text)
                kept = True
            copied = end
        return b"".join((*parts, view[copied:]))

    def _spans(self) -> Iterator[tuple[int, int, int]]:
        """Offsets of each element: of what parts it from the one before, of its start, of its end."""
        data = self.data
        end = data.index(b"[") + 1
        for element in self._elements:
            gap = start = end
            while data[start] in _BETWEEN:
                start += 1
            end = start + len(element)
            yield gap, start, end
