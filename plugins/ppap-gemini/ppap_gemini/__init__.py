"""Gemini for PPAP: wire format, endpoints, and upstreams that are used by API key."""

from .generate import GEMINI

__all__ = ["GEMINI"]
