"""The codec of Anthropic's Messages API. Source: platform.claude.com/docs, read 2026-11-22."""

from .format import MESSAGES, MessagesFormat
from .vocabulary import NAME

__all__ = ["MESSAGES", "NAME", "MessagesFormat"]
