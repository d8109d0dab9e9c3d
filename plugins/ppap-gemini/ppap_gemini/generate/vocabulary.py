"""Words of the format: its name, and why an answer ended (Gemini spec, 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ppap_core.conversation import FinishReason

NAME: Final = "gemini"
FAMILY: Final = "google"
"""Of all formats by the same makers."""
SESSION: Final = "session_id"
"""A field that clients tell a proxy; Google's public APIs refuse it."""

WORD_OF_FINISH: Final[Mapping[FinishReason, str]] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "STOP",
    "context_exceeded": "MAX_TOKENS",
    "unknown": "STOP",
}

FINISH_OF_WORD: Final[Mapping[str, FinishReason]] = {
    "STOP": "stop",
    "FINISH_REASON_UNSPECIFIED": "stop",
    "UNKNOWN": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "LANGUAGE": "content_filter",
    "MALFORMED_FUNCTION_CALL": "stop",
    "UNEXPECTED_TOOL_CALL": "stop",
    "OTHER": "stop",
}


def finish_reason(word: str, *, called: bool) -> FinishReason:
    """The canonical reason. An answer with a call ended for the call, whatever word came with it."""
    return "tool_calls" if called else FINISH_OF_WORD.get(word, "stop")
