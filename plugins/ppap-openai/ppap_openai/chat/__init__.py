"""OpenAI Chat Completions as a wire format."""

from .codec import CHAT, ChatCompletions
from .name import FORMAT

__all__ = ["CHAT", "FORMAT", "ChatCompletions"]
