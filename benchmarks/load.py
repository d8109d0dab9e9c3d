"""One load: what is sent, over how many connections, for how long; and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from statistics import median

import attrs

from .answers import ANSWERS, JSON_MODEL, Paced
from .requests import Surface


class Shape(Enum):
    """What a connection does when its answer is complete."""

    LOOP = "loop"
    """It sends the next request."""
    ONCE = "once"
    """Nothing: one request for each connection."""


@attrs.frozen(kw_only=True)
class Load:
    """Every connection is kept alive and has at most one request under way."""

    name: str
    surface: Surface
    model: str
    """Chooses the stub's answer (`answers.ANSWERS`)."""
    body_bytes: int = 1024
    connections: int = 1
    shape: Shape = Shape.LOOP
    warm_up: float = 0.3
    """Seconds before the measured window; it lasts longer until there were as many answers as connections."""
    seconds: float = 1.0
    """Length of the measured window; it lasts longer until `at_least` answers are complete."""
    at_least: int = 0
    limit: float = 10.0
    """Seconds after which warm-up and window each end, whatever is still missing."""
    stagger: float = 0.0
    """Seconds over which the first requests are spread; 0 sends all of them at once."""

    @property
    def is_stream(self) -> bool:
        return self.model != JSON_MODEL

    @property
    def is_paced(self) -> bool:
        """Whether each event carries the time it was sent, so that its delay can be measured."""
        return isinstance(ANSWERS.get(self.model), Paced)


@attrs.frozen
class Spread:
    """Percentiles of a list of times, in milliseconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, nanoseconds: Sequence[int]) -> Spread | None:
        """None when nothing was measured, which is not a time of 0."""
        if not nanoseconds:
            return None
        ordered = sorted(nanoseconds)
        last = len(ordered) - 1
        return cls(*(ordered[round(last * share)] / 1e6 for share in (0.50, 0.95, 0.99)))

    @classmethod
    def median(cls, spreads: Sequence[Spread]) -> Spread | None:
        """The median of each percentile; None without any."""
        if not spreads:
            return None
        return cls(*map(median, zip(*map(attrs.astuple, spreads), strict=True)))

    def less(self, base: Spread) -> Spread:
        """How much later each percentile is than that of `base`."""
        return Spread(self.p50 - base.p50, self.p95 - base.p95, self.p99 - base.p99)


@attrs.frozen(kw_only=True)
class Outcome:
    """What the generator saw in the measured window."""

    seconds: float
    answers: int
    """Complete answers with status 200."""
    events: int
    """Upstream events that arrived; 0 for JSON answers."""
    whole: Spread | None
    """From sending a request to the end of its answer."""
    first: Spread | None
    """From sending a request to its first event."""
    delay: Spread | None
    """From the stub's sending of an event to its arrival; paced streams only."""
    opened: int
    """Requests that had their first event before the window."""
    opening: Spread | None
    """As `first`, but of those."""
    failures: int
    """Answers with another status than 200 or without an event, connections lost with an answer under way."""
    failure: str
    """The first failure in words; empty if there was none."""
    reconnects: int
    """Connections the server closed between two answers."""
    cut_short: bool
    """Whether warm-up or window ended at the limit with fewer answers than wanted."""


@attrs.frozen
class Job:
    """What the runner hands to the generator's process, as one line of JSON."""

    port: int
    load: Load
