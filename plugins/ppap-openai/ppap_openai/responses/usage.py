"""Token usage of a response (translation spec, C.9)."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from ppap_core.conversation import ToolUsage, Usage

from ..chat.usage import WireUsage
from ..chat.usage import read_usage as read_counts
from ..image_tool import DEFAULT_MODEL, TOOL
from .name import JsonObject


def read_usage(value: Any) -> Usage | None:
    """Canonical usage; ``None`` when nothing is reported. A count left out is not 0 (pain 29)."""
    try:
        counts = msgspec.convert(value, WireUsage, strict=False)
    except msgspec.ValidationError:
        return None
    return read_counts(counts)


def usage_of(response: JsonObject) -> Usage | None:
    """What a response took, the tool that draws apart (B.3.2); ``None`` when nothing is reported."""
    usage = read_usage(response.get("usage"))
    tool_usage = response.get("tool_usage")
    drawing = tool_usage.get("image_gen") if isinstance(tool_usage, dict) else None
    if not isinstance(drawing, dict):
        return usage
    drawn = ToolUsage(model=_drawn_by(response), usage=read_usage(drawing) or Usage(), told=drawing)
    return attrs.evolve(usage or Usage(), by_tools=(drawn,))


def _drawn_by(response: JsonObject) -> str:
    """The model of the tool, as a response repeats the tools that it was given."""
    tools = response.get("tools")
    given = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    model = next((tool.get("model") for tool in given if tool.get("type") == TOOL), None)
    return model if isinstance(model, str) and model else DEFAULT_MODEL


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
