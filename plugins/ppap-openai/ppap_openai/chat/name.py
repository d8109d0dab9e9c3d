"""The name of this wire format, by which extras and opaque parts are marked as its own."""

from __future__ import annotations

from typing import Final

FORMAT: Final = "openai-chat"
PROTOCOL: Final = "openai"
"""What operators' rules call it."""
FAMILY: Final = "openai"
"""All formats of the vendor's, whose clients know the same models (translation spec, D.4)."""
SYSTEM_ANYWHERE: Final = frozenset({FORMAT, "openai-responses"})
"""Formats in which system text may stand anywhere, and means it (translation spec, A.2.1)."""
