"""How much a model thinks: ``generationConfig.thinkingConfig``, read and written (Gemini spec, 8)."""

from __future__ import annotations

from typing import Any

import msgspec

from ppap_core.conversation import ThinkingIntent
from ppap_core.conversation.thinking import BUDGET_OF_LEVEL, Summary, intent_of, intent_of_budget
from ppap_core.wire import Target


class ThinkingConfig(msgspec.Struct, rename="camel"):
    """The object in a request. A budget is in tokens; 0 is none, −1 the model's own choice."""

    thinking_level: str | None = None
    thinking_budget: int | None = None
    include_thoughts: bool | None = None


def read_intent(config: ThinkingConfig | None) -> ThinkingIntent:
    """What a request asks for; a level outranks a budget."""
    if config is None:
        return ThinkingIntent()
    summary = _summary(config.include_thoughts)
    if config.thinking_level:
        return intent_of(config.thinking_level, summary)
    if config.thinking_budget is not None:
        return intent_of_budget(config.thinking_budget, summary)
    return ThinkingIntent(summary=summary)


def _summary(include_thoughts: bool | None) -> Summary:
    if include_thoughts is None:
        return "unset"
    return "auto" if include_thoughts else "off"


def written(intent: ThinkingIntent, target: Target) -> dict[str, Any] | None:
    """The object for an intent that fits the model; ``None``: leave it out.

    A model that nobody declared gets a budget for a level: every generation of Google's takes those.
    """
    shown = intent.summary != "off"
    match intent.mode:
        case "level":
            budget = BUDGET_OF_LEVEL.get(intent.level or "")
            if target.thinking is None and budget is not None:
                return {"thinkingBudget": budget, "includeThoughts": shown}
            return {"thinkingLevel": intent.level, "includeThoughts": shown}
        case "budget":
            budget = intent.budget or 0
            return {"thinkingBudget": budget, "includeThoughts": shown and budget > 0}
        case "auto":
            return {"thinkingBudget": -1, "includeThoughts": shown}
        case "none":
            return _off(target)
        case _:
            return None if intent.summary == "unset" else {"includeThoughts": shown}


def _off(target: Target) -> dict[str, Any]:
    """Models that only know levels have none for "off": their thoughts are not shown."""
    support = target.thinking
    if support is not None and support.levels and not support.by_budget:
        return {"includeThoughts": False}
    return {"thinkingBudget": 0, "includeThoughts": False}
