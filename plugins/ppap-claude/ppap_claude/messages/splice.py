"""A JSON array edited without re-serialising it: what `JsonBody` is for objects.

Elements that stay keep every byte, so signatures, number spelling and escapes survive (pain 23).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest

_decode: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_BEFORE: Final = re.compile(rb"[\s,]*")
_OPENING: Final = re.compile(rb"\s*\[")


class JsonArray:
    """Raises `InvalidRequest` when `data` is not a JSON array; `name` is what the message calls it."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        try:
            self.elements = [bytes(element) for element in _decode(data)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(f"Invalid request: `{name}`: {error}", param=name) from None

    def edited(self, changes: Mapping[int, bytes | None]) -> bytes:
        """The array with elements replaced (JSON text) or removed (``None``), by index from 0."""
        if not changes:
            return self.data
        opening = _OPENING.match(self.data)
        position = opening.end() if opening else 0
        parts = [self.data[:position]]
        for index, element in enumerate(self.elements):
            gap = _BEFORE.match(self.data, position)
            start = gap.end() if gap else position
            text = changes.get(index, element)
            if text is not None:
                before = self.data[position:start]
                parts += (before if len(parts) > 1 else before.replace(b",", b"", 1), text)
            position = start + len(element)
        return b"".join((*parts, self.data[position:]))
