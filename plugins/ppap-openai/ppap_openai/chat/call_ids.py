"""Ids for tool calls whose upstream gave none (translation spec, C.2, C.8)."""

from __future__ import annotations

import hashlib
import uuid


def made_up_id(answer_id: str | None, choice: int, place: int) -> str:
    """Unique among conversations, and the same each time one answer is read."""
    whole = f"{answer_id or uuid.uuid4().hex}/{choice}/{place}"
    return f"call_{hashlib.sha256(whole.encode()).hexdigest()[:24]}"
