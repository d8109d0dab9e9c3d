"""``reasoning_effort``: how much a model shall think, in one word (translation spec, D.5, D.6)."""

from __future__ import annotations

from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.conversation.thinking import UNSET, intent_of, level_of_budget, nearest_level
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

from .responses_shape import is_responses_shaped


def read_effort(effort: str | None) -> ThinkingIntent:
    """Empty is unset. Whoever asks for thought wants to see it (D.8)."""
    return intent_of(effort, "auto") if effort and effort.strip() else UNSET


def peeked_effort(body: JsonBody) -> ThinkingIntent:
    """The same from a body that is not decoded; unset where it is no text."""
    try:
        effort = body.value("reasoning_effort")
        if effort is None and is_responses_shaped(body):
            reasoning = body.value("reasoning")
            effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    except InvalidRequest:
        return UNSET
    return read_effort(effort) if isinstance(effort, str) else UNSET


def write_effort(thinking: ThinkingIntent, support: ThinkingSupport | None) -> str | None:
    """The word for an intent that was fitted to the model; ``None``: say nothing."""
    match thinking.mode:
        case "none" | "auto":
            return thinking.mode
        case "level":
            return thinking.level
        case "budget":
            level = level_of_budget(thinking.budget or 0)
            return nearest_level(level, support.levels) if level and support else level
        case _:
            return None
