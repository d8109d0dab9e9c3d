"""How much a model thinks: read from a request, and written into one (translation spec, D.5, D.6).

The fields are ``thinking`` and ``output_config.effort``. Models of one kind take a budget in tokens
(``enabled``), newer ones a level (``adaptive``), some both. What a model takes was settled before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.conversation.thinking import (
    BUDGET_OF_LEVEL,
    UNSET,
    Summary,
    intent_of,
    intent_of_budget,
    level_of_budget,
    nearest_level,
)
from ppap_core.wire import JsonBody

ROOM_TO_ANSWER: Final = 1024
"""Tokens that are left for the answer where we choose ``max_tokens`` around a budget."""

MIN_TOP_P_WHEN_THINKING: Final = 0.95
"""The API refuses a lower one from a model that thinks."""

FREELY: Final = "xhigh"
"""What other formats' models are asked for by a client that lets the model decide (D.6)."""

_SUMMARY_OF_DISPLAY: Final[Mapping[str, Summary]] = {"summarized": "auto", "omitted": "off"}
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


class _OutputConfig(msgspec.Struct):
    effort: Any = None


_field: Final = msgspec.json.Decoder(ThinkingField).decode
_output_config: Final = msgspec.json.Decoder(_OutputConfig).decode


def peeked_intent(body: JsonBody) -> ThinkingIntent:
    """What a request asks for; unset where the fields are not what they should be."""
    raw, config = body.raw("thinking"), body.raw("output_config")
    if raw is None:
        return UNSET
    try:
        effort = _output_config(config).effort if config not in (None, b"null") else None
        return read_intent(_field(raw), effort)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return UNSET


def read_intent(thinking: ThinkingField | None, effort: Any) -> ThinkingIntent:
    """What a request asks for (D.6)."""
    if thinking is None:
        return UNSET
    summary = _SUMMARY_OF_DISPLAY.get(thinking.display or "", "unset")
    if thinking.type == "disabled":
        return ThinkingIntent(mode="none")
    if thinking.type in ("adaptive", "auto"):
        if isinstance(effort, str) and effort.strip():
            return intent_of(effort, summary)
        return ThinkingIntent(level=FREELY, summary=summary)
    if thinking.budget_tokens is not None:
        return intent_of_budget(thinking.budget_tokens, summary)
    return ThinkingIntent(mode="auto" if thinking.type == "enabled" else "unset", summary=summary)


def in_these_words(intent: ThinkingIntent, support: ThinkingSupport | None) -> ThinkingIntent:
    """What a client of another format asked for, as this format's models are best asked (D.6, D.7).

    Models that know levels get one, and unknown models get a budget, which the older ones take too.
    """
    if intent.mode == "budget" and support is not None and support.levels:
        level = level_of_budget(intent.budget or 0) or support.levels[0]
        return attrs.evolve(intent, mode="level", budget=None, level=nearest_level(level, support.levels))
    if intent.mode == "level" and support is None and (budget := BUDGET_OF_LEVEL.get(intent.level or "")):
        return attrs.evolve(intent, mode="budget", level=None, budget=budget)
    return intent


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


def written(intent: ThinkingIntent, support: ThinkingSupport | None, limit: OutputLimit) -> Thinking:
    """The fields for an intent (D.5), its budget below ``max_tokens`` as the API demands."""
    max_tokens = limit.asked or limit.default
    if intent.mode == "none":
        return Thinking(field={"type": "disabled"}, max_tokens=max_tokens)
    if intent.mode == "level":
        return Thinking(field=_adaptive(intent), effort=intent.level, max_tokens=max_tokens)
    if intent.mode == "auto":
        by_level = support is not None and support.levels
        return Thinking(field=_adaptive(intent) if by_level else {"type": "enabled"}, max_tokens=max_tokens)
    if intent.mode == "unset":
        return Thinking(field=_adaptive(intent) if intent.level else None, max_tokens=max_tokens)
    budget, max_tokens = _within(intent.budget or 0, limit)
    if budget < max(support.min if support else 0, 1):
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


def _adaptive(intent: ThinkingIntent) -> Mapping[str, Any]:
    """With ``display``, which only models that think adaptively know."""
    display = _DISPLAY_OF_SUMMARY.get(intent.summary)
    return {"type": "adaptive", "display": display} if display else {"type": "adaptive"}
