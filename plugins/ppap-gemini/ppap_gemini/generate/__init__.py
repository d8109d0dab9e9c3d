"""The wire format of Gemini's ``generateContent``, for clients and for upstreams."""

from .format import GEMINI

__all__ = ["GEMINI"]
