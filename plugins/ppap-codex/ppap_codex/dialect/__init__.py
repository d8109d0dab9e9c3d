"""Responses as the ChatGPT backend takes them, and as it answers (translation spec, B.3)."""

from .wire import CODEX, CodexResponses

__all__ = ["CODEX", "CodexResponses"]
