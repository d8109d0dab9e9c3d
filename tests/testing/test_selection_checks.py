"""The strategy suite passes sound strategies, and finds what is wrong with unsound ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import pytest

from ppap_core.credentials import STRATEGIES, Candidate, Strategy
from ppap_core.testing import ContractBroken
from ppap_core.testing.selection import candidates, strategy_checks


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_core_strategies_pass(name: str) -> None:
    """What ships with the core keeps the contract that strangers must keep."""
    for check in strategy_checks(STRATEGIES[name]):
        check()


def _stranger(ready: Sequence[Candidate], last: Candidate | None) -> Candidate:
    return last or ready[0]


def _counting() -> Strategy:
    turns = count()
    return lambda ready, last: ready[next(turns) % len(ready)]


def _pops(ready: Sequence[Candidate], last: Candidate | None) -> Candidate:
    assert isinstance(ready, list)
    first: Candidate = ready.pop(0)
    return first


UNSOUND: dict[str, Callable[[], Strategy]] = {
    "chooses one of the ready candidates": lambda: _stranger,
    "same arguments, same choice": _counting,
    "leaves its arguments alone": lambda: _pops,
}


@pytest.mark.parametrize("rule", UNSOUND)
def test_an_unsound_strategy_is_found_out(rule: str) -> None:
    """Each kind of broken strategy fails at the rule that it breaks."""
    check = next(check for check in strategy_checks(UNSOUND[rule]()) if str(check) == rule)
    with pytest.raises((ContractBroken, AssertionError)):
        check()


def test_candidates_are_sorted_and_differ() -> None:
    """The sample candidates are as the pool hands them over."""
    some = candidates(5)
    assert sorted(some, key=lambda candidate: candidate.place) == some
    assert len({candidate.credential.id for candidate in some}) == 5
