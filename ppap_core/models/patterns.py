"""Model patterns: ``*`` stands for any run of characters, case does not matter (auth spec, 6.5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a model id matches any of the patterns. Blank patterns match nothing."""
    wanted = [pattern.strip().removeprefix("models/") for pattern in patterns]
    alternatives = [_expression(pattern) for pattern in wanted if pattern]
    if not alternatives:
        return _nothing
    compiled = re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL)
    return lambda model: compiled.fullmatch(model.removeprefix("models/")) is not None


def _expression(pattern: str) -> str:
    return ".*".join(re.escape(piece) for piece in re.split(r"\*+", pattern))


def _nothing(model: str) -> bool:
    return False
