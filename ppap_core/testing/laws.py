"""Checking that something holds for many values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

Value = TypeVar("Value")


def holds_for_all(values: SearchStrategy[Value], law: Callable[[Value], Any], examples: int = 100) -> None:
    """Runs a law on many values; what it raises comes out for the smallest value found."""

    @settings(
        max_examples=examples,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def law_holds(value: Value) -> None:
        law(value)

    law_holds()
