"""How much a model shall think, and how much it can: in levels, or tokens (translation spec, D.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import attrs

LEVELS: Final = ("minimal", "low", "medium", "high", "xhigh", "max")
"""Ascending."""

BUDGET_OF_LEVEL: Final[Mapping[str, int]] = {
    "none": 0,
    "auto": -1,
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 128000,
}
_LEVEL_UP_TO: Final = ((512, "minimal"), (1024, "low"), (8192, "medium"), (24576, "high"))
_RATHER: Final[Mapping[str, str]] = {"xhigh": "max"}
"""What stands in for a level before the nearest one does (D.6)."""

Summary: TypeAlias = Literal["unset", "off", "auto", "concise", "detailed"]


@attrs.frozen(kw_only=True)
class ThinkingIntent:
    """How much the model shall think (D.1, D.6); ``budget`` is in tokens, ``level`` in lower case.

    ``unset`` leaves it to the upstream. A ``level`` that stands there all the same is what to ask of
    models of other families: some formats have a word for "as you think best" that others lack.
    ``summary`` is whether and how thoughts are shown, which does not depend on their amount (D.8).
    """

    mode: Literal["unset", "none", "auto", "level", "budget"] = "unset"
    level: str | None = None
    budget: int | None = None
    summary: Summary = "unset"

    @property
    def label(self) -> str:
        """One word for usage records; empty when nothing was asked for (D.8)."""
        if self.mode == "unset":
            return ""
        if self.mode == "budget":
            return level_of_budget(self.budget or 0) or ""
        return (self.level or "") if self.mode == "level" else self.mode


UNSET: Final = ThinkingIntent()


def _names(levels: Iterable[str]) -> tuple[str, ...]:
    return tuple(level.strip().lower() for level in levels)


@attrs.frozen(kw_only=True)
class ThinkingSupport:
    """How a model can be told to think (D.4). Without a range and levels, it does not think at all.

    ``min`` and ``max`` are budgets in tokens, 0: none declared. ``zero_allowed``: thinking can be
    switched off. ``dynamic_allowed``: the model can choose the amount itself.
    """

    min: int = 0
    max: int = 0
    zero_allowed: bool = False
    dynamic_allowed: bool = False
    levels: tuple[str, ...] = attrs.field(default=(), converter=_names)

    @property
    def thinks(self) -> bool:
        return self.by_budget or bool(self.levels)

    @property
    def by_budget(self) -> bool:
        return self.min > 0 or self.max > 0

    def clamped(self, budget: int) -> int:
        """The budget within the declared range."""
        at_least = max(budget, self.min)
        return min(at_least, self.max) if self.max else at_least


def level_of_budget(budget: int) -> str | None:
    """The level that a budget in tokens stands for; ``None`` for one below −1. Never ``max``."""
    if budget <= 0:
        return {0: "none", -1: "auto"}.get(budget)
    return next((level for limit, level in _LEVEL_UP_TO if budget <= limit), "xhigh")


def intent_of(word: str, summary: Summary = "unset") -> ThinkingIntent:
    """The intent of a level as people write it, which may be ``none`` or ``auto``; blank is unset."""
    level = word.strip().lower()
    if level == "none":
        return ThinkingIntent(mode="none")
    if level == "auto":
        return ThinkingIntent(mode="auto", summary=summary)
    if not level:
        return ThinkingIntent(summary=summary)
    return ThinkingIntent(mode="level", level=level, summary=summary)


def intent_of_budget(budget: int, summary: Summary = "unset") -> ThinkingIntent:
    """The intent of a budget in tokens: 0 is none, −1 auto."""
    if budget == 0:
        return ThinkingIntent(mode="none")
    if budget == -1:
        return ThinkingIntent(mode="auto", summary=summary)
    return ThinkingIntent(mode="budget", budget=budget, summary=summary)


def nearest_level(level: str, levels: Sequence[str]) -> str:
    """The one of `levels` that comes closest; of two, the lower (D.4, D.6). An unknown word stays."""
    if level not in LEVELS or not levels:
        return level
    for candidate in (level, _RATHER.get(level, level)):
        if candidate in levels:
            return candidate
    wanted = LEVELS.index(level)
    known = [each for each in LEVELS if each in levels]
    return min(known, key=lambda each: abs(LEVELS.index(each) - wanted)) if known else levels[0]
