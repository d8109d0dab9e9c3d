"""PPAP plugin: upstreams that speak Responses as the ChatGPT backend does, by API key."""

from .dialect import CODEX

__all__ = ["CODEX"]
