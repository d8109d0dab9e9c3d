"""The conformance suite of a strategy that chooses among ready credentials.

@pytest.mark.parametrize("check", strategy_checks(alphabetical), ids=str)
def test_the_strategy_keeps_the_contract(check):
    check()
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hypothesis import strategies as st

from ..credentials import Candidate, Credential, Strategy
from ..wire import Target
from .contract import Check, require
from .laws import holds_for_all


def candidates(count: int) -> list[Candidate]:
    """So many candidates for one model, of one priority, sorted by place."""
    return [
        Candidate(
            Credential(id=f"parrot:{number:012d}", provider="parrot", label=f"key {number}", settings=None),
            (Target(model="upstream-model"),),
            (0, f"parrot:{number:012d}"),
        )
        for number in range(count)
    ]


_ALL = candidates(8)
_ready = st.sets(st.integers(0, 7), min_size=1).map(lambda chosen: [_ALL[n] for n in sorted(chosen)])
_last = st.none() | st.sampled_from(_ALL)


def strategy_checks(strategy: Strategy) -> list[Check[None]]:
    """All checks of a strategy."""
    return [
        Check("chooses one of the ready candidates", partial(_chooses, strategy)),
        Check("same arguments, same choice", partial(_repeats, strategy)),
        Check("leaves its arguments alone", partial(_leaves, strategy)),
    ]


def _chooses(strategy: Strategy) -> None:
    def member(given: tuple[Sequence[Candidate], Candidate | None]) -> None:
        chosen = strategy(*given)
        require(any(chosen is candidate for candidate in given[0]), f"chooses {chosen!r}, which is not ready")

    holds_for_all(st.tuples(_ready, _last), member)


def _repeats(strategy: Strategy) -> None:
    def same(given: tuple[Sequence[Candidate], Candidate | None]) -> None:
        require(strategy(*given) is strategy(*given), "chooses otherwise when asked again: it is not pure")

    holds_for_all(st.tuples(_ready, _last), same)


def _leaves(strategy: Strategy) -> None:
    def unchanged(given: tuple[list[Candidate], Candidate | None]) -> None:
        before = list(given[0])
        strategy(*given)
        require(given[0] == before, "changes the list of ready candidates")
        strategy(tuple(before), given[1])

    holds_for_all(st.tuples(_ready, _last), unchanged)
