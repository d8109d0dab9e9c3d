"""Anthropic Messages for PPAP: wire format, endpoints, and upstreams that are used by API key."""

from .messages import MESSAGES

__all__ = ["MESSAGES"]
