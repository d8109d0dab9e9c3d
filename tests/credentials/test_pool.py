"""Who gets the next attempt, and who is left alone for how long (auth spec, 4 and 5)."""

from __future__ import annotations

import attrs
import pytest

from ppap_core.conversation import ErrorDetail
from ppap_core.credentials import Candidate, Credential, Pool, Route, fill_first
from ppap_core.credentials.verdict import (
    BY_STATUS,
    MAX_HINT,
    REQUEST_FAULT,
    UNREACHABLE,
    Failure,
    Scope,
    Verdict,
    by_status,
)
from ppap_core.wire import Target


@attrs.define
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def candidate(name: str, *models: str, priority: int = 0) -> Candidate:
    credential = Credential(id=name, provider="p", label="p", settings=None, priority=priority)
    return Candidate(credential, tuple(Target(model=model) for model in models or ("m",)), (0, name))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(clock: Clock) -> Pool:
    return Pool(clock)


A, B, C = candidate("a"), candidate("b"), candidate("c")
ROUTE = Route("m", (A, B, C))


def picks(pool: Pool, route: Route, count: int) -> list[str]:
    chosen = (pool.pick(route, ()) for _ in range(count))
    return [each.credential.id for each in chosen if each is not None]


def fail(pool: Pool, who: Candidate, verdict: Verdict, model: str = "m") -> None:
    pool.failed(who.credential, Target(model=model), verdict, cooling=True)


def failure(status: int, retry_after: float | None = None, message: str = "x") -> Failure:
    return Failure(detail=ErrorDetail(message=message, status=status, retry_after=retry_after))


def test_round_robin_takes_turns(pool: Pool) -> None:
    assert picks(pool, ROUTE, 4) == ["a", "b", "c", "a"]


def test_a_cooling_credential_makes_nobody_lose_their_turn(pool: Pool) -> None:
    picks(pool, ROUTE, 1)
    fail(pool, B, BY_STATUS[500])
    assert picks(pool, ROUTE, 3) == ["c", "a", "c"]


def test_fill_first_stays_with_the_first_ready_one(pool: Pool) -> None:
    pool.strategy = fill_first
    assert picks(pool, ROUTE, 2) == ["a", "a"]
    fail(pool, A, BY_STATUS[429])
    assert picks(pool, ROUTE, 2) == ["b", "b"]


def test_lower_priorities_serve_only_while_no_higher_one_can(pool: Pool, clock: Clock) -> None:
    route = Route("m", (candidate("best", priority=5), A))
    assert picks(pool, route, 2) == ["best", "best"]
    fail(pool, route.candidates[0], BY_STATUS[503])
    assert picks(pool, route, 1) == ["a"]
    clock.now += 61
    assert picks(pool, route, 1) == ["best"]


def test_tried_candidates_are_not_picked_again(pool: Pool) -> None:
    chosen = pool.pick(ROUTE, {"a", "b"})
    assert chosen is C
    assert pool.pick(ROUTE, {"a", "b", "c"}) is None


def test_a_model_cools_down_alone(pool: Pool) -> None:
    """pain 2: one model's limit does not block the account."""
    both = candidate("a", "m", "n")
    fail(pool, both, BY_STATUS[429], "m")
    assert [target.model for target in pool.targets(Route("x", (both,)), both)] == ["n"]


def test_an_account_cools_down_whole(pool: Pool) -> None:
    """pain 2: what concerns the account is not learnt again model by model."""
    fail(pool, A, BY_STATUS[401], "m")
    assert pool.pick(Route("n", (candidate("a", "n"),)), ()) is None


def test_back_off_doubles_up_to_its_ceiling(pool: Pool, clock: Clock) -> None:
    lengths = []
    for _ in range(13):
        fail(pool, A, by_status(failure(429)))
        recovery = pool.recovery([A])
        assert recovery is not None
        lengths.append(recovery.seconds)
        clock.now += recovery.seconds
    assert lengths == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800]


def test_a_second_failure_never_shortens_a_block(pool: Pool) -> None:
    """pain 3: deadlines are monotonic, and in force on the very next pick."""
    fail(pool, A, by_status(failure(429, retry_after=500)))
    fail(pool, A, by_status(failure(429)))
    recovery = pool.recovery([A])
    assert recovery is not None
    assert recovery.seconds == 500
    assert pool.pick(Route("m", (A,)), ()) is None


def test_one_success_lifts_the_block(pool: Pool) -> None:
    """pain 1: no restart is needed to use an account whose quota is back."""
    fail(pool, A, by_status(failure(429, retry_after=9999)))
    pool.succeeded(A.credential, Target(model="m"))
    assert pool.recovery([A]) is None


def test_implausible_hints_are_not_believed() -> None:
    """pain 1: a reset in eighteen days is taken as no hint at all."""
    assert by_status(failure(429, retry_after=MAX_HINT * 3)).cooldown == 1.0
    assert by_status(failure(429, retry_after=30)).cooldown == 30


def test_requests_at_fault_teach_nothing_about_a_credential(pool: Pool) -> None:
    fail(pool, A, REQUEST_FAULT)
    assert pool.recovery([A]) is None


def test_disabled_cooling_keeps_only_lasting_blocks(pool: Pool) -> None:
    pool.failed(A.credential, Target(model="m"), by_status(failure(403)), cooling=False)
    assert pool.recovery([A]) is None
    unsupported = by_status(failure(400, message="The requested model is not supported."))
    pool.failed(A.credential, Target(model="m"), unsupported, cooling=False)
    assert pool.recovery([A]) is not None


def test_recovery_is_the_earliest_and_says_whether_quota_is_all_that_is_missing(pool: Pool) -> None:
    fail(pool, A, by_status(failure(429, retry_after=30)))
    fail(pool, B, by_status(failure(429, retry_after=10)))
    recovery = pool.recovery([A, B])
    assert recovery is not None
    assert (recovery.seconds, recovery.quota) == (10, True)
    fail(pool, B, BY_STATUS[500])
    recovery = pool.recovery([A, B])
    assert recovery is not None
    assert not recovery.quota


def test_only_passing_troubles_can_be_braved(pool: Pool) -> None:
    only = Route("m", (A,))
    fail(pool, A, UNREACHABLE)
    assert pool.pick(only, ()) is None
    assert pool.pick(only, (), despite_trouble=True) is A
    fail(pool, A, BY_STATUS[401])
    assert pool.pick(only, (), despite_trouble=True) is None


def test_an_alias_pool_starts_one_further_each_time(pool: Pool) -> None:
    pooled = candidate("a", "x", "y")
    route = Route("alias", (pooled,))
    starts = [[target.model for target in pool.targets(route, pooled)] for _ in range(3)]
    assert starts == [["x", "y"], ["y", "x"], ["x", "y"]]


def test_lists_show_models_out_of_quota_and_hide_refused_ones(pool: Pool) -> None:
    only = Route("m", (A,))
    fail(pool, A, BY_STATUS[429])
    assert pool.visible(only)
    fail(pool, A, BY_STATUS[401])
    assert not pool.visible(only)


@pytest.mark.parametrize("status", sorted(BY_STATUS))
def test_every_status_of_the_table_has_a_reason_and_a_sane_cooldown(status: int) -> None:
    verdict = BY_STATUS[status]
    assert verdict.reason
    assert verdict.scope is Scope.REQUEST or (verdict.cooldown or 0) > 0


def test_an_edited_credential_starts_afresh(pool: Pool) -> None:
    fail(pool, A, BY_STATUS[401])
    pool.cooldowns.forget(["a"])
    assert pool.recovery([A]) is None
