"""The upstream kinds in the words of their own vendors: what a stub answers and looks for.

Written by hand from the vendors' API references and independent of the project's codecs, so that a
mistake in a codec cannot hide in the traffic that it is tested with.
"""

from collections.abc import Mapping
from typing import Final

from . import chat, gemini, messages, responses
from .turn import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    THOUGHT,
    Call,
    Dialect,
    Ending,
    Tokens,
    Turn,
    answer,
)

__all__ = [
    "CACHED_TOKENS",
    "DIALECTS",
    "INPUT_TOKENS",
    "OUTPUT_TOKENS",
    "THOUGHT",
    "Call",
    "Dialect",
    "Ending",
    "Tokens",
    "Turn",
    "answer",
    "chat",
    "gemini",
    "messages",
    "responses",
]

DIALECTS: Final[Mapping[str, Dialect]] = {
    "chat": chat.Chat(),
    "responses": responses.Responses(),
    "messages": messages.Messages(),
    "gemini": gemini.Gemini(),
    "vertex": gemini.Gemini("vertex", with_ids=False),
}
