"""Long text that stays in the client's own JSON until somebody reads it.

Python keeps a text in one, two or four bytes for each character, by the widest one in it: a file with
one emoji takes four times its size, once more as UTF-8 while it is written. Most long texts of a
request are results of tools that go from one body to another as they are. `kept` leaves them where
they stand; what is written instead of the text is its JSON, which `msgspec` copies.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

LONG: Final = 1024
"""Bytes of JSON from which on a text is left in there."""

Kept: TypeAlias = str | msgspec.Raw
"""A text, or the JSON string that says it."""

_text: Final = msgspec.json.Decoder(str).decode


def kept(raw: msgspec.Raw) -> Kept:
    """A JSON string, read or, if it is long, left as it is. Raises `msgspec.MsgspecError` and
    `UnicodeDecodeError` for anything else: what is left can always be read."""
    text = _text(raw)
    return text if len(raw) < LONG else raw


def text_of(said: Kept) -> str:
    return said if isinstance(said, str) else _text(said)
