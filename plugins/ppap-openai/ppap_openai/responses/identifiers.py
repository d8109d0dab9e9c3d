"""Ids of answers, items and calls (translation spec, B.2.2, C.2)."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

MAX_ID: Final = 64
"""Characters that OpenAI takes in the ids of a request, to which a client repeats them."""
_KEPT: Final = 47


def new_response_id() -> str:
    """For answers of upstreams that give none."""
    return f"resp_{uuid.uuid4().hex}"


def new_call_id() -> str:
    """For calls of upstreams that give none."""
    return f"call_{uuid.uuid4().hex[:24]}"


def fitting(identifier: str) -> str:
    """The id itself, or its beginning and a digest of it all where it is too long."""
    if len(identifier) <= MAX_ID:
        return identifier
    return f"{identifier[:_KEPT]}_{hashlib.sha256(identifier.encode()).hexdigest()[:16]}"


class ItemIds:
    """Ids for the items of one answer: from the call's own id, or numbered in order."""

    def __init__(self, response_id: str) -> None:
        self._response_id = response_id
        self._next = 0

    def numbered(self, prefix: str) -> str:
        number = self._next
        self._next += 1
        return fitting(f"{prefix}_{self._response_id}_{number}")

    @staticmethod
    def of_call(prefix: str, call_id: str) -> str:
        return fitting(f"{prefix}_{call_id}")
