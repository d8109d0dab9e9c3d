"""How much to think, said in a name: ``m(high)``, ``m(8192)``, ``m-high`` (translation spec, D.2, D.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from ..conversation.thinking import LEVELS, UNSET, ThinkingIntent, intent_of, intent_of_budget
from .model import Model

HYPHENED: Final = ("low", "medium", "high", "xhigh")
"""The levels that a hyphen may bring, ascending; all others stand in parentheses only."""

_MOST_TOKENS: Final = 2**63 - 1
_WORDS: Final = frozenset((*LEVELS, "none", "auto"))
_PARENTHESISED: Final = re.compile(r"(?P<base>.*)\((?P<value>[^(]*)\)", re.DOTALL)
_HYPHENED: Final = re.compile(rf"(?P<base>.+)-(?P<level>{'|'.join(HYPHENED)})", re.DOTALL | re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]{1,40}")


@attrs.frozen
class SuffixedName:
    """A name taken apart. ``intent`` is unset where ``value`` says nothing about thinking."""

    base: str
    value: str = ""
    intent: ThinkingIntent = UNSET

    def __str__(self) -> str:
        """With the suffix in parentheses, which always count, whatever models there are."""
        return f"{self.base}({self.value})" if self.value else self.base


def parenthesised(name: str) -> SuffixedName | None:
    """``base(value)`` taken apart at the last parenthesis; ``None`` for a name without one (D.2)."""
    match = _PARENTHESISED.fullmatch(name)
    return SuffixedName(match["base"], match["value"], _intent(match["value"])) if match else None


def hyphened(name: str) -> SuffixedName | None:
    """``base-level`` taken apart; ``None`` for other names. Whether it is one, the models decide."""
    match = _HYPHENED.fullmatch(name)
    return SuffixedName(match["base"], match["level"].lower(), intent_of(match["level"])) if match else None


def _intent(value: str) -> ThinkingIntent:
    if value.lower() in _WORDS:
        return intent_of(value)
    if value == "-1":
        return intent_of_budget(-1)
    if _NUMBER.fullmatch(value) and int(value) <= _MOST_TOKENS:
        return intent_of_budget(int(value))
    return UNSET


def upstream_name(name: str, catalogue: Mapping[str, Model] = MappingProxyType({})) -> SuffixedName:
    """A configured upstream name, and what it is always asked for (D.3).

    Parentheses that say nothing about thinking belong to the name. ``m-high`` says something where
    `catalogue`, which is keyed by case-folded ids, has no such model, but an ``m`` that knows levels.
    """
    found = parenthesised(name)
    if found is not None and found.intent.mode != "unset":
        return found
    found = hyphened(name)
    known = name.casefold() in catalogue
    base = catalogue.get(found.base.casefold()) if found is not None and not known else None
    if found is None or base is None or base.thinking is None or not base.thinking.levels:
        return SuffixedName(name)
    return found
