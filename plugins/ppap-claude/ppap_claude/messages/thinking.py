"""How much a model thinks: read from a request, fitted to a model, written (translation spec, D).

The fields are ``thinking`` and ``output_config.effort``. Models of one kind take a budget in tokens
(``enabled``), newer ones a level (``adaptive``), some both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import ThinkingIntent
from ppap_core.conversation.thinking import BUDGET_OF_LEVEL, level_of_budget
from ppap_core.errors import InvalidRequest

LEVELS: Final[tuple[str, ...]] = ("minimal", "low", "medium", "high", "xhigh", "max")
"""Ascending."""

ROOM_TO_ANSWER: Final = 1024
"""Tokens that are left for the answer where we choose ``max_tokens`` around a budget."""

_RATHER: Final[Mapping[str, tuple[str, ...]]] = {"xhigh": ("max", "high"), "max": ("xhigh", "high")}
_SUMMARY_OF_DISPLAY: Final = {"summarized": "auto", "omitted": "off"}
_DISPLAY_OF_SUMMARY: Final = {
    "off": "omitted",
    "auto": "summarized",
    "concise": "summarized",
    "detailed": "summarized",
}


class ThinkingField(msgspec.Struct):
    """The ``thinking`` object of a request."""

    type: str = ""
    budget_tokens: int | None = None
    display: str | None = None


@attrs.frozen(kw_only=True)
class Capability:
    """What the catalogue says of a model: budgets in tokens, ``levels`` by name."""

    min: int = 0
    max: int = 0
    zero_allowed: bool = False
    dynamic_allowed: bool = False
    levels: tuple[str, ...] = ()

    @property
    def thinks(self) -> bool:
        return bool(self.levels or self.min or self.max)

    def clamped(self, budget: int) -> int:
        at_least = max(budget, self.min)
        return min(at_least, self.max) if self.max else at_least


def capability(declared: Mapping[str, object] | None) -> Capability | None:
    """``None`` where nobody declared anything: then everything is passed on as asked."""
    if declared is None:
        return None
    known: dict[str, Any] = {key: declared[key] for key in attrs.fields_dict(Capability) if key in declared}
    return Capability(**{**known, "levels": tuple(known.get("levels") or ())})


def read_intent(thinking: ThinkingField | None, output_config: Mapping[str, Any] | None) -> ThinkingIntent:
    """What a request asks for (D.6)."""
    if thinking is None:
        return ThinkingIntent()
    summary: Any = _SUMMARY_OF_DISPLAY.get(thinking.display or "", "unset")
    if thinking.type == "disabled":
        return ThinkingIntent(mode="none")
    if thinking.type in ("adaptive", "auto"):
        effort = (output_config or {}).get("effort")
        if not isinstance(effort, str) or not effort.strip():
            return ThinkingIntent(summary=summary)
        return _of_level(effort.strip().lower(), summary)
    if thinking.budget_tokens is not None:
        return _of_budget(thinking.budget_tokens, summary)
    return ThinkingIntent(mode="auto" if thinking.type == "enabled" else "unset", summary=summary)


def _of_level(level: str, summary: Any) -> ThinkingIntent:
    if level in ("none", "auto"):
        return ThinkingIntent(mode="none" if level == "none" else "auto", summary=summary)
    return ThinkingIntent(mode="level", level=level, summary=summary)


def _of_budget(budget: int, summary: Any) -> ThinkingIntent:
    if budget in (0, -1):
        return ThinkingIntent(mode="auto" if budget else "none", summary=summary)
    return ThinkingIntent(mode="budget", budget=budget, summary=summary)


def fitted(intent: ThinkingIntent, model: Capability | None, *, same_format: bool) -> ThinkingIntent:
    """The intent as this model can follow it (D.4).

    A client that speaks this format knows its models, so what they cannot do is an error; others
    get the nearest thing. Raises `InvalidRequest`.
    """
    if model is None or intent.mode == "unset":
        return intent
    if not model.thinks:
        return ThinkingIntent()
    if intent.mode == "level":
        intent = attrs.evolve(intent, **attrs.asdict(_of_level((intent.level or "").lower(), intent.summary)))
    if intent.mode == "budget":
        intent = attrs.evolve(intent, **attrs.asdict(_of_budget(intent.budget or 0, intent.summary)))
    if intent.mode == "level":
        return _fitted_level(intent, model, same_format)
    if intent.mode == "budget":
        return _fitted_budget(intent, model, same_format)
    if intent.mode == "auto" and not model.levels and not model.dynamic_allowed:
        middle = (model.min + model.max) // 2
        return attrs.evolve(intent, mode="budget", budget=middle) if middle > 0 else ThinkingIntent()
    return intent


def _fitted_level(intent: ThinkingIntent, model: Capability, same_format: bool) -> ThinkingIntent:
    level = intent.level or ""
    if level not in LEVELS:
        raise InvalidRequest(f"unknown level: {level}; valid levels: {', '.join(LEVELS)}", param="thinking")
    if not model.levels:
        budget = model.clamped(BUDGET_OF_LEVEL[level])
        return attrs.evolve(intent, mode="budget", level=None, budget=budget)
    if same_format and level not in model.levels:
        valid = ", ".join(model.levels)
        raise InvalidRequest(f'level "{level}" not supported, valid levels: {valid}', param="thinking")
    return attrs.evolve(intent, level=_nearest(level, model.levels))


def _fitted_budget(intent: ThinkingIntent, model: Capability, same_format: bool) -> ThinkingIntent:
    budget = intent.budget or 0
    if same_format and budget != model.clamped(budget):
        raise InvalidRequest(f"budget {budget} out of range [{model.min},{model.max}]", param="thinking")
    if not same_format and model.levels:
        level = level_of_budget(budget) or "low"
        return attrs.evolve(intent, mode="level", budget=None, level=_nearest(level, model.levels))
    return attrs.evolve(intent, budget=model.clamped(budget))


def _nearest(level: str, levels: tuple[str, ...]) -> str:
    """The level itself, else what stands in for it, else the nearest; of two, the lower."""
    for candidate in (level, *_RATHER.get(level, ())):
        if candidate in levels:
            return candidate
    wanted = LEVELS.index(level)
    known = [each for each in LEVELS if each in levels] or list(levels)
    return min(known, key=lambda each: abs(LEVELS.index(each) - wanted) if each in LEVELS else len(LEVELS))


@attrs.frozen(kw_only=True)
class Thinking:
    """The fields to write; ``None``: leave the field out. ``max_tokens`` has room for the budget."""

    field: Mapping[str, Any] | None = None
    effort: str | None = None
    max_tokens: int

    @property
    def active(self) -> bool:
        return self.field is not None and self.field["type"] != "disabled"

    @property
    def by_budget(self) -> bool:
        return self.field is not None and self.field["type"] == "enabled"


@attrs.frozen(kw_only=True)
class OutputLimit:
    """``asked``: the client's own ``max_tokens``. ``default``: ours. ``ceiling``: the model's."""

    asked: int | None
    default: int
    ceiling: int | None


def written(intent: ThinkingIntent, model: Capability | None, limit: OutputLimit) -> Thinking:
    """The fields for a fitted intent (D.5), its budget below ``max_tokens`` as the API demands."""
    max_tokens = limit.asked or limit.default
    if intent.mode == "none":
        return Thinking(field={"type": "disabled"}, max_tokens=max_tokens)
    if intent.mode == "level":
        field = _shown({"type": "adaptive"}, intent)
        return Thinking(field=field, effort=intent.level, max_tokens=max_tokens)
    if intent.mode == "auto":
        kind = "adaptive" if model is not None and model.levels else "enabled"
        return Thinking(field=_shown({"type": kind}, intent), max_tokens=max_tokens)
    if intent.mode == "unset" or intent.budget is None:
        return Thinking(max_tokens=max_tokens)
    budget, max_tokens = _within(intent.budget, limit)
    if budget < max(model.min if model else 0, 1):
        return Thinking(max_tokens=max_tokens)
    return Thinking(field={"type": "enabled", "budget_tokens": budget}, max_tokens=max_tokens)


def _within(budget: int, limit: OutputLimit) -> tuple[int, int]:
    """Budget and ``max_tokens`` that go together: the client's limit stands, ours gives way."""
    if limit.asked:
        return min(budget, limit.asked - 1), limit.asked
    if budget < limit.default:
        return budget, limit.default
    ceiling = limit.ceiling or budget + ROOM_TO_ANSWER
    return min(budget, ceiling - ROOM_TO_ANSWER), ceiling


def _shown(field: dict[str, Any], intent: ThinkingIntent) -> dict[str, Any]:
    """With ``display``, which only models that think adaptively know."""
    display = _DISPLAY_OF_SUMMARY.get(intent.summary)
    return {**field, "display": display} if display and field["type"] == "adaptive" else field
