"""JSON Schema as Gemini accepts it for the parameters of functions (Gemini spec, 7)."""

from .cleaning import cleaned

__all__ = ["cleaned"]
