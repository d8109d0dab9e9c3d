"""Words of the format: its name, and why an answer ended (translation spec, C.10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ppap_core.conversation import FinishReason

NAME: Final = "anthropic-messages"

STOP_REASON_OF_FINISH: Final[Mapping[FinishReason, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "context_exceeded": "model_context_window_exceeded",
    "unknown": "end_turn",
}

FINISH_OF_STOP_REASON: Final[Mapping[str, FinishReason]] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_exceeded",
}

_MAY_CUT_A_CALL: Final = ("length", "content_filter", "context_exceeded")
_PLAIN: Final = ("stop", "unknown")


def finish_reason(stop_reason: str, *, called: bool) -> FinishReason:
    """The canonical reason. `called`: the answer holds a tool call, which a plain end cannot deny."""
    reason = FINISH_OF_STOP_REASON.get(stop_reason, "unknown")
    return "tool_calls" if called and reason in _PLAIN else reason


def stop_reason(
    finish: FinishReason,
    *,
    stop_sequence: str | None,
    last_call_is_whole: bool | None,
    refused: bool,
) -> str:
    """The word for how an answer ended.

    ``last_call_is_whole`` is ``None`` when no tool call was given to the client: then the answer is
    not a ``tool_use``, whatever was announced (C.8). A call that was given wins over every reason
    that cannot have cut it short.
    """
    if last_call_is_whole is not None and (last_call_is_whole or finish not in _MAY_CUT_A_CALL):
        return "tool_use"
    if finish == "tool_calls":
        return "end_turn"
    if finish in _PLAIN and refused:
        return "refusal"
    if finish in _PLAIN and stop_sequence:
        return "stop_sequence"
    return STOP_REASON_OF_FINISH[finish]
