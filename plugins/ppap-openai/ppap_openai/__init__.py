"""PPAP plugin: Chat Completions for clients and upstreams, and `openai-compatibility` accounts."""

from .chat import CHAT
from .completions import COMPLETIONS

__all__ = ["CHAT", "COMPLETIONS"]
