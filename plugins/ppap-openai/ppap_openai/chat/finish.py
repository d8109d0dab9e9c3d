"""Why an answer ended: Chat's words and the canonical ones (translation spec, C.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ppap_core.conversation import FinishReason

WORDS: Final[Mapping[FinishReason, str]] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "context_exceeded": "length",
    "unknown": "stop",
}
"""Canonical → ``finish_reason``."""

REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "completed": "stop",
    "end_turn": "stop",
    "eos": "stop",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "refusal": "refusal",
    "pause_turn": "pause",
    "model_context_window_exceeded": "context_exceeded",
}
"""``finish_reason`` in every spelling that upstreams were seen to use → canonical."""

FAILED: Final = "error"
"""Not a reason but a failure, which some aggregators report in place of one."""

_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<end>"|\\?\Z)', re.DOTALL)
"""A JSON string, or what there is of one that was cut off. It never goes back: calls may be long."""
_CUT: Final[frozenset[FinishReason]] = frozenset({"length", "content_filter"})


def reason_of(word: str, *, refused: bool = False) -> FinishReason:
    """The reason that a word stands for. OpenAI calls a refusal ``stop``: ``refused`` tells it apart."""
    reason = REASONS.get(word.strip().lower(), "unknown")
    return "refusal" if refused and reason == "stop" else reason


def settled(reason: FinishReason, last_call: str | None) -> FinishReason:
    """The reason that holds once it is known which calls were made.

    A call wins over any reason, unless the answer was cut off inside the last one; without a call
    nothing waits for a tool. ``last_call`` is its argument text, ``None`` when none was made.
    """
    if last_call is None:
        return "stop" if reason == "tool_calls" else reason
    if reason in _CUT and not is_whole(last_call):
        return reason
    return "tool_calls"


def is_whole(arguments: str) -> bool:
    """Whether argument text was not cut off. None at all stands for ``{}``, and is whole."""
    bare = _STRING.sub(lambda found: "" if found["end"] == '"' else '"', arguments)
    closed = bare.count("{") + bare.count("[") <= bare.count("}") + bare.count("]")
    return closed and '"' not in bare
