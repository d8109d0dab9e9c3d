"""Levels and token budgets of thinking, one from the other (translation spec, D.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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


def level_of_budget(budget: int) -> str | None:
    """The level that a budget in tokens stands for; ``None`` for one below −1. Never ``max``."""
    if budget <= 0:
        return {0: "none", -1: "auto"}.get(budget)
    return next((level for limit, level in _LEVEL_UP_TO if budget <= limit), "xhigh")
