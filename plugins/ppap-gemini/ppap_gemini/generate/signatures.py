"""Whose thought signature a part carries, and what stands in for a missing one (Gemini spec, 6; pain 23)."""

from __future__ import annotations

import binascii
import re
from typing import Final

SKIP_VALIDATION: Final = "skip_thought_signature_validator"
"""Tells the upstream that the call was made elsewhere. Google documents it for exactly that."""
SENTINELS: Final = frozenset({SKIP_VALIDATION, "context_engineering_is_the_way_to_go"})
"""Both that Google documents; only the first is ever written."""

MAX_LENGTH: Final = 32 * 1024 * 1024
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_FOREIGN_STARTS: Final = ("E", "R")
_UUID: Final = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LONGEST_UUID: Final = 48
"""Characters of a UUID in base64."""


def is_own_signature(signature: str | None) -> bool:
    """Whether an upstream of this format can have issued it: well-formed, and not known as foreign."""
    if not signature or len(signature) > MAX_LENGTH or signature.startswith(_FOREIGN_STARTS):
        return False
    if len(signature) % 4 or _BASE64.fullmatch(signature) is None:
        return False
    return not (len(signature) <= _LONGEST_UUID and _UUID.fullmatch(binascii.a2b_base64(signature)))


def without_sentinel(signature: str | None) -> str | None:
    """A signature to keep: ``None`` for an absent one, and for one that only says "none"."""
    return None if not signature or signature in SENTINELS else signature
