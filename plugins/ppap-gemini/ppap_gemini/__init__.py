"""Gemini for PPAP: wire format, endpoints, and upstreams that are used by API key."""

from .generate import CODE_ASSIST, GEMINI

__all__ = ["CODE_ASSIST", "GEMINI"]
