"""Token usage of a response (translation spec, C.9)."""

from __future__ import annotations

from typing import Any

import msgspec

from ppap_core.conversation import Usage

from ..chat.usage import WireUsage
from ..chat.usage import read_usage as read_counts


def read_usage(value: Any) -> Usage | None:
    """Canonical usage; ``None`` when nothing is reported. A count left out is not 0 (pain 29)."""
    try:
        counts = msgspec.convert(value, WireUsage, strict=False)
    except msgspec.ValidationError:
        return None
    return read_counts(counts)


def read_drawing(tool_usage: Any) -> dict[str, Any] | None:
    """What the tool that draws took, as ``tool_usage`` has it (B.3.2)."""
    drawing = tool_usage.get("image_gen") if isinstance(tool_usage, dict) else None
    return drawing if isinstance(drawing, dict) else None


def write_usage(usage: Usage | None) -> dict[str, Any]:
    """The ``usage`` object, always whole: 0 for what nobody reported.

    The format's own types demand every count, and opencode asks again without end when a response
    has no usage (clients spec, 6). What is metered is the canonical usage, which keeps the difference.
    """
    known = usage or Usage()
    return {
        "input_tokens": known.input_total or 0,
        "input_tokens_details": {
            "cached_tokens": known.cache_read or 0,
            "cache_write_tokens": known.cache_write or 0,
        },
        "output_tokens": known.output_total or 0,
        "output_tokens_details": {"reasoning_tokens": known.reasoning or 0},
        "total_tokens": known.billed_total or 0,
    }
