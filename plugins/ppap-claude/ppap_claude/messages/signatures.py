"""Whose signature a thinking block carries (translation spec, C.6; pain 23).

Signatures are verified by whoever issued them, and a foreign one makes the whole request fail, so
each is recognised by its envelope: base64 whose first byte is a protobuf tag, once or twice encoded.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_FIRST_BYTES: Final = (0x12, 0x08)
_LAYER: Final = ord("E")
"""First character of an envelope that was encoded once more."""


def is_own_signature(signature: str | None) -> bool:
    """Whether Anthropic's models issued it; false for an absent or empty one."""
    text = (signature or "").strip()
    return len(text) >= 4 and _BASE64.fullmatch(text) is not None and begins_like_own(text[:4])


def begins_like_own(start: str) -> bool:
    """Whether a signature with these first four characters, all of base64, has the envelope."""
    if start[0] not in "ECR":
        return False
    first = binascii.a2b_base64(start.replace("-", "+").replace("_", "/"))[0]
    return first == _LAYER if start[0] == "R" else first in _FIRST_BYTES
