"""PPAP plugin: OpenAI's formats for clients and upstreams, and `openai-compatibility` accounts."""

from .chat import CHAT
from .completions import COMPLETIONS
from .responses import RESPONSES

__all__ = ["CHAT", "COMPLETIONS", "RESPONSES"]
