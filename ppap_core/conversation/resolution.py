"""What was asked for, fitted to what the model can: once per attempt, in one place (translation spec, D.4).

Afterwards a codec only spells the intent: it is ``unset``, or something that the model understands.
"""

from __future__ import annotations

from ..errors import InvalidRequest
from .thinking import (
    BUDGET_OF_LEVEL,
    LEVELS,
    UNSET,
    ThinkingIntent,
    ThinkingSupport,
    intent_of,
    intent_of_budget,
    level_of_budget,
    nearest_level,
)


def resolved(
    intent: ThinkingIntent, support: ThinkingSupport | None, *, from_name: bool, same_family: bool
) -> ThinkingIntent:
    """The intent as a model can follow it.

    support: ``None`` where nobody declared any; then the intent passes as it is (D.4.1).
    from_name: it stands in the model's name. People guess there, so budgets are brought into range.
    same_family: the client speaks a format of the upstream's makers and can know what the model
        takes; what that is not is refused. From others it becomes the nearest thing.

    Raises `InvalidRequest`, which names what the model takes.
    """
    intent = _as_meant(intent, same_family=same_family)
    if support is None:
        return intent
    if not support.thinks:
        return UNSET
    param = "model" if from_name else None
    match intent.mode:
        case "level":
            return _level(intent, support, param, strict=same_family)
        case "budget":
            return _budget(intent, support, param, strict=same_family and not from_name)
        case "auto":
            return _auto(intent, support)
        case "none":
            return _none(support)
        case "unset":
            return intent


def _as_meant(intent: ThinkingIntent, *, same_family: bool) -> ThinkingIntent:
    """In normal form: ``none`` is no level, and 0 no budget (step 7)."""
    if intent.mode == "level" or (intent.mode == "unset" and intent.level and not same_family):
        return intent_of(intent.level or "", intent.summary)
    if intent.mode == "budget":
        return intent_of_budget(intent.budget or 0, intent.summary)
    if intent.mode == "none":
        return ThinkingIntent(mode="none")
    return intent


def _level(
    intent: ThinkingIntent, support: ThinkingSupport, param: str | None, *, strict: bool
) -> ThinkingIntent:
    """Steps 5 and 8."""
    level = intent.level or ""
    if level in support.levels:
        return intent
    valid = ", ".join(support.levels or LEVELS)
    if level not in LEVELS:
        raise InvalidRequest(
            f"unknown level: {level}, valid levels: {valid}", param=param, code="unknown_level"
        )
    if not support.levels:
        return _of_tokens(support.clamped(BUDGET_OF_LEVEL[level]), intent)
    if strict:
        raise InvalidRequest(
            f'level "{level}" not supported, valid levels: {valid}', param=param, code="level_not_supported"
        )
    return _of_level(nearest_level(level, support.levels), intent)


def _budget(
    intent: ThinkingIntent, support: ThinkingSupport, param: str | None, *, strict: bool
) -> ThinkingIntent:
    """Steps 6, 9 and 11."""
    budget = intent.budget or 0
    fitting = support.clamped(budget)
    if not support.by_budget:
        level = level_of_budget(budget)
        if level is None:
            raise InvalidRequest(
                f"budget {budget} cannot be converted to a valid level, "
                f"valid levels: {', '.join(support.levels)}",
                param=param,
                code="budget_out_of_range",
            )
        return _of_level(nearest_level(level, support.levels), intent)
    if budget < 0 or (strict and fitting != budget):  # what is below −1 means nothing (D.1)
        raise InvalidRequest(
            f"budget {budget} out of range [{support.min},{support.max}]",
            param=param,
            code="budget_out_of_range",
        )
    return _of_tokens(fitting, intent)


def _auto(intent: ThinkingIntent, support: ThinkingSupport) -> ThinkingIntent:
    """Step 10, within the levels that there are (Better a)."""
    if support.dynamic_allowed or "auto" in support.levels:
        return intent
    if not support.by_budget:
        return _of_level(nearest_level("medium", support.levels), intent)
    middle = (support.min + support.max) // 2
    return _of_tokens(support.clamped(middle), intent) if middle > 0 else _none(support)


def _none(support: ThinkingSupport) -> ThinkingIntent:
    """Off, or the least that the model can do, unseen (step 11, Better d)."""
    if support.zero_allowed or "none" in support.levels:
        return ThinkingIntent(mode="none")
    unseen = ThinkingIntent(summary="off")
    if support.levels:
        return _of_level(nearest_level(LEVELS[0], support.levels), unseen)
    return _of_tokens(support.min, unseen) if support.min > 0 else ThinkingIntent(mode="none")


def _of_level(level: str, intent: ThinkingIntent) -> ThinkingIntent:
    return intent_of(level, intent.summary)


def _of_tokens(budget: int, intent: ThinkingIntent) -> ThinkingIntent:
    return ThinkingIntent(mode="budget", budget=budget, summary=intent.summary)
