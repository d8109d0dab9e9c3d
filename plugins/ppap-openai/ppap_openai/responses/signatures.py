"""What ``encrypted_content`` of a reasoning item holds, and who issued it (translation spec, C.6).

OpenAI's own is a Fernet token. Signatures of other formats travel in the field as they are: only
whoever issued one can tell, so it is read back without an origin. Redacted thinking of another
format carries that format's name, because its bytes alone do not tell it from a signature.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

import attrs

from .name import FORMAT

_REDACTED: Final = re.compile(r"([a-z0-9][a-z0-9-]*)-redacted-thinking:(.*)", re.DOTALL)
_TOKEN: Final = re.compile(r"gAAAA[A-Za-z0-9_-]*={0,2}")
_HEADER_AND_MAC: Final = 57
"""Bytes of a Fernet token around its cipher text, which comes in blocks of 16."""


@attrs.frozen(kw_only=True)
class Opaque:
    """The opaque half of a canonical reasoning item; the fields are those of `Reasoning`."""

    signature: str | None = None
    redacted_data: str | None = None
    origin: str | None = None


NOTHING: Final = Opaque()


def is_own(encrypted_content: str | None) -> bool:
    """Whether OpenAI issued it, by its envelope."""
    token = (encrypted_content or "").strip()
    if not _TOKEN.fullmatch(token):
        return False
    bare = token.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return False
    cipher = len(decoded) - _HEADER_AND_MAC
    return decoded[:1] == b"\x80" and cipher > 0 and cipher % 16 == 0


def read_opaque(encrypted_content: str | None, *, issuer: str | None = None) -> Opaque:
    """`issuer`: who sent it, if that is known to have issued it; ``None``: a client that repeats it."""
    if not encrypted_content:
        return NOTHING
    if (redacted := _REDACTED.fullmatch(encrypted_content)) is not None:
        return Opaque(redacted_data=redacted[2], origin=redacted[1])
    origin = FORMAT if is_own(encrypted_content) else issuer
    return Opaque(signature=encrypted_content, origin=origin)


def write_opaque(opaque: Opaque) -> str | None:
    """``encrypted_content`` for a client; ``None``: there is nothing opaque."""
    if opaque.signature:
        return opaque.signature
    if opaque.redacted_data is not None:
        return f"{opaque.origin}-redacted-thinking:{opaque.redacted_data}"
    return None
