"""The kinds of clients and upstreams, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..dialects import DIALECTS, Dialect, gemini, messages, responses

CLIENTS: Final = ("chat", "responses", "messages", "gemini")
UPSTREAMS: Final[Mapping[str, str]] = {
    "chat": "chat",
    "codex": "responses",
    "messages": "messages",
    "gemini": "gemini",
    "vertex": "gemini",
}
"""Upstream kind → the format it speaks."""
SIGNATURES: Final[Mapping[str, str | None]] = {
    "chat": None,
    "codex": responses.ENCRYPTED,
    "messages": messages.SIGNATURE,
    "gemini": gemini.SIGNATURE,
    "vertex": gemini.SIGNATURE,
}
"""Upstream kind → what it signs its thoughts with."""


def dialect_of(upstream: str) -> Dialect:
    """What a stub says that stands for an upstream of that kind."""
    return DIALECTS.get(upstream) or DIALECTS[UPSTREAMS[upstream]]
