"""A JSON array edited without re-serialising it, as `JsonBody` does for objects.

Elements that stay keep every byte, so signatures and number spelling survive (pain 23).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest

_decode: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_BLANKS: Final = b" \t\r\n,"


def elements(data: bytes, name: str) -> list[bytes]:
    """The JSON texts in an array. Raises `InvalidRequest`; `name` is what its message calls the array."""
    try:
        return [bytes(element) for element in _decode(data)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"Invalid request: `{name}`: {error}", param=name) from None


def replaced(data: bytes, changes: Mapping[int, bytes], name: str) -> bytes:
    """The array with some elements replaced by other JSON texts, by index from 0."""
    position = data.index(b"[") + 1
    parts = [data[:position]]
    for index, element in enumerate(elements(data, name)):
        start = position
        while data[start] in _BLANKS:
            start += 1
        parts += (data[position:start], changes.get(index, element))
        position = start + len(element)
    return b"".join((*parts, data[position:]))
