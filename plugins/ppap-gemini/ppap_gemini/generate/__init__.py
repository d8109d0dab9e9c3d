"""The wire format of Gemini's ``generateContent``, bare and in Code Assist's envelope."""

from .code_assist import CODE_ASSIST
from .format import GEMINI

__all__ = ["CODE_ASSIST", "GEMINI"]
