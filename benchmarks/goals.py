"""The figures this project has set itself, beside what was measured. Nothing fails when one is missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import attrs

from .codecs import Codecs, Pair
from .figures import FLOOR, Figures, Held, Memory, Start
from .load import Spread
from .loads import name
from .run import Results

PROJECT: Final = "ppap"

Value = Callable[[Results, str | None], float | None]
"""The results and the peer's name → a number; None if it was not measured."""


@attrs.frozen
class Goal:
    """A measure, its limit in words and unit, and how it is taken from the results."""

    measure: str
    limit: str
    unit: str
    value: Value


def _p50(spread: Spread | None) -> float | None:
    return spread.p50 if spread else None


def _p99(spread: Spread | None) -> float | None:
    return spread.p99 if spread else None


def _times_the_peer(load: str) -> Value:
    def value(results: Results, peer: str | None) -> float | None:
        by_who = results.loads.get(load, {})
        ours, theirs = by_who.get(PROJECT), by_who.get(peer) if peer else None
        return ours.rate / theirs.rate if ours and theirs and theirs.rate else None

    return value


def _load(load: str, take: Callable[[Figures], float | None]) -> Value:
    def value(results: Results, peer: str | None) -> float | None:
        figures = results.loads.get(load, {}).get(PROJECT)
        return take(figures) if figures else None

    return value


def _added_over_the_floor(results: Results, peer: str | None) -> float | None:
    by_who = results.loads.get(_C1, {})
    ours, least = by_who.get(PROJECT), by_who.get(FLOOR)
    added = _p50(ours.added) if ours else None
    floor = _p50(least.added) if least else None
    return added / floor if added and floor else None


def _held(take: Callable[[Held], float | None]) -> Value:
    return lambda results, peer: take(results.held[PROJECT]) if PROJECT in results.held else None


def _memory(take: Callable[[Memory], float | None]) -> Value:
    return lambda results, peer: take(results.memory[PROJECT]) if PROJECT in results.memory else None


def _start(take: Callable[[Start], float | None]) -> Value:
    return lambda results, peer: take(results.starts[PROJECT]) if PROJECT in results.starts else None


def _codecs(take: Callable[[Codecs], float]) -> Value:
    return lambda results, peer: take(results.codecs) if results.codecs else None


def _worst(take: Callable[[Pair], float]) -> Value:
    return _codecs(lambda codecs: max(map(take, codecs.pairs)))


def _times_the_yardstick(codecs: Codecs) -> float:
    """2.5 µs is 2.1 times what it took on the machine the goals were set on (1.18 µs)."""
    return max(pair.slowest_us for pair in codecs.pairs) / codecs.yardstick_us


_C1: Final = name("json", "1 KB", "relayed", 1)
_C32: Final = name("json", "1 KB", "relayed", 32)
_BIG_C32: Final = name("json", "295 KB", "relayed", 32)
_BURST: Final = name("burst", "1 KB", "translated", 8)
_PACED: Final = name("paced", "1 KB", "translated", 20)

GOALS: Final = (
    Goal("requests/s, 1 KB relayed, 32 connections, ÷ peer", "≥ 40", "×", _times_the_peer(_C32)),
    Goal("requests/s, 295 KB relayed, 32 connections, ÷ peer", "≥ 40", "×", _times_the_peer(_BIG_C32)),
    Goal("translated events/s in bursts, ÷ peer", "≥ 150", "×", _times_the_peer(_BURST)),
    Goal("added latency p50, 1 KB relayed", "≤ 0.35", "ms", _load(_C1, lambda it: _p50(it.added))),
    Goal("added latency p50, 1 KB relayed, ÷ floor", "≤ 2.7", "×", _added_over_the_floor),
    Goal("added latency p99, 1 KB relayed", "≤ 1", "ms", _load(_C1, lambda it: _p99(it.added))),
    Goal("CPU per paced translated event", "≤ 100", "µs", _load(_PACED, lambda it: it.cpu_us)),
    Goal("memory per open stream", "≤ 50", "KB", _held(lambda it: it.bytes_each and it.bytes_each / 1e3)),
    Goal("first event p50, all streams opened at once", "≤ 2,500", "ms", _held(lambda it: _p50(it.first))),
    Goal("peak extra memory ÷ body, 26 MB relayed", "≤ 2.5", "×", _memory(lambda it: it.extra / it.body)),
    Goal("process start to first answered request", "≤ 0.8", "s", _start(lambda it: it.answered)),
    Goal("idle memory", "≤ 80", "MB", _start(lambda it: it.idle_bytes and it.idle_bytes / 1e6)),
    Goal("codec CPU per translated event, worst pair", "≤ 2.5", "µs", _worst(lambda it: it.slowest_us)),
    Goal("the same ÷ JSON of one chunk in and out", "≤ 2.1", "×", _codecs(_times_the_yardstick)),
    Goal("time of a 5 MB request ÷ 1 MB, worst pair", "≤ 5.5", "×", _worst(lambda it: it.growth)),
    Goal("peak memory ÷ 5 MB request, ASCII, worst pair", "≤ 4", "×", _worst(lambda it: it.peak["ascii"])),
    Goal("the same, not ASCII", "≤ 4", "×", _worst(lambda it: max(it.peak.values()))),
)


def reached(results: Results, peer: str | None) -> Iterator[tuple[Goal, float]]:
    """The goals whose measure this run has taken."""
    for goal in GOALS:
        value = goal.value(results, peer)
        if value is not None:
            yield goal, value
