"""The formats of the matrix by name: how each is spoken here, and the product's own that is guarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from ppap_claude.messages import MESSAGES
from ppap_gemini.generate import GEMINI
from ppap_openai.chat import CHAT
from ppap_openai.responses import RESPONSES

from ppap_core.testing import ReceivedRequest
from ppap_core.wire import Guarded

from . import chat, gemini, messages, responses
from .asking import Request
from .facts import Facts

Json = dict[str, Any]


class Format(Protocol):
    """What each format's module has."""

    def path(self, model: str, stream: bool) -> str:
        """Where a client sends its request."""
        ...

    def ask(self, request: Request, model: str, stream: bool, replay: Json | None) -> Json:
        """The body; ``replay`` is the answer before, and stands before the last message."""
        ...

    def collect(self, stream: bytes) -> Json:
        """The whole answer that a client has after a stream."""
        ...

    def hear(self, answer: Json) -> Facts:
        """What it says."""
        ...

    def read(self, request: ReceivedRequest) -> Facts:
        """What an upstream hears."""
        ...


FORMATS: Final[Mapping[str, Format]] = {
    "chat": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
}
GUARDED: Final[Mapping[str, Guarded]] = {
    "chat": CHAT,
    "responses": RESPONSES,
    "messages": MESSAGES,
    "gemini": GEMINI,
}
