"""The pool: which credential gets the next attempt (auth spec, 4 and 5)."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import attrs

from ..wire.format import Target
from .cooldown import Block, Cooldowns
from .credential import Credential
from .strategies import Candidate, Strategy, round_robin
from .verdict import Verdict


@attrs.frozen
class Route:
    """Everything that can serve one client model. Best priority first, then by ``place``.

    ``model`` is the id in the index's own spelling. ``base`` is the id of the model that this one is
    with a level of thinking, if it is: both take turns together (4.2). The turns are kept by name, and
    so survive a reload.
    """

    model: str
    candidates: Sequence[Candidate]
    base: str = ""

    @property
    def taking_turns(self) -> str:
        return self.base or self.model


@attrs.frozen
class Recovery:
    """When a route that is wholly blocked comes back. ``quota``: nothing but quota is in the way."""

    seconds: float
    quota: bool


class Pool:
    """Picks candidates and remembers how they did. One for the life of the process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.cooldowns = Cooldowns()
        self.strategy: Strategy = round_robin
        self._clock = clock
        self._last: dict[tuple[str, int], Candidate] = {}
        self._pool_turns: dict[tuple[str, str], int] = {}

    def pick(
        self, route: Route, tried: Collection[str], *, despite_trouble: bool = False
    ) -> Candidate | None:
        """A ready candidate of the best priority that is not in `tried`; ``None`` if there is none.

        `despite_trouble` also takes those that cool down for a passing trouble of the upstream.
        """
        now = self._clock()
        ready: list[Candidate] = []
        for candidate in route.candidates:
            if ready and candidate.credential.priority != ready[0].credential.priority:
                break
            if candidate.credential.id in tried:
                continue
            if any(self._usable(candidate, target, now, despite_trouble) for target in candidate.targets):
                ready.append(candidate)
        if not ready:
            return None
        cursor = (route.taking_turns, ready[0].credential.priority)
        chosen = self.strategy(ready, self._last.get(cursor))
        self._last[cursor] = chosen
        return chosen

    def targets(
        self, route: Route, candidate: Candidate, *, despite_trouble: bool = False
    ) -> Sequence[Target]:
        """The usable upstream models of a candidate; each call starts one further in its pool."""
        targets = candidate.targets
        if len(targets) == 1:
            return targets
        cursor = (route.taking_turns, candidate.credential.id)
        turn = self._pool_turns.get(cursor, -1) + 1
        self._pool_turns[cursor] = turn
        start = turn % len(targets)
        now = self._clock()
        return [
            target
            for target in (*targets[start:], *targets[:start])
            if self._usable(candidate, target, now, despite_trouble)
        ]

    def succeeded(self, credential: Credential, target: Target) -> None:
        self.cooldowns.succeeded(credential.id, target.model)

    def failed(self, credential: Credential, target: Target, verdict: Verdict, *, cooling: bool) -> None:
        self.cooldowns.failed(
            credential.id,
            target.model,
            verdict,
            self._clock(),
            cooling=cooling and not credential.disable_cooling,
        )

    def recovery(self, candidates: Sequence[Candidate]) -> Recovery | None:
        """When the first of these comes back; ``None`` if one is ready now, or there are none."""
        now = self._clock()
        blocks: list[Block] = []
        for candidate in candidates:
            for target in candidate.targets:
                block = self.cooldowns.block(candidate.credential.id, target.model, now)
                if block is None:
                    return None
                blocks.append(block)
        if not blocks:
            return None
        earliest = min(block.until for block in blocks)
        return Recovery(earliest - now, all(block.quota for block in blocks))

    def in_trouble(self, route: Route) -> bool:
        """Whether nothing but a passing trouble of upstreams is in every candidate's way."""
        now = self._clock()
        blocks = [
            self.cooldowns.block(candidate.credential.id, target.model, now)
            for candidate in route.candidates
            for target in candidate.targets
        ]
        return bool(blocks) and all(block is not None and block.passing for block in blocks)

    def visible(self, route: Route) -> bool:
        """Whether model lists show it: hidden while every way to it is blocked by more than quota."""
        now = self._clock()
        return any(
            (block := self.cooldowns.block(candidate.credential.id, target.model, now)) is None
            or block.quota
            or block.passing
            for candidate in route.candidates
            for target in candidate.targets
        )

    def _usable(self, candidate: Candidate, target: Target, now: float, despite_trouble: bool) -> bool:
        block = self.cooldowns.block(candidate.credential.id, target.model, now)
        return block is None or (despite_trouble and block.passing)
