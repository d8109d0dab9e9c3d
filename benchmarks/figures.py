"""What a run has measured: numbers per load and proxy, medians over rounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

import attrs

from .load import Spread

DIRECT: Final = "direct"
"""The generator talking to the stub, without a proxy."""

FLOOR: Final = "floor"
"""The least that a proxy can do: see `servers.Floor`."""

MAX_DISTURBED: Final = 0.15
"""The share of a core that other programs may take before a load is run again."""


@attrs.frozen(kw_only=True)
class Figures:
    """One load on one proxy. None: does not apply to this load, or this machine cannot tell."""

    rate: float
    """Requests per second of a JSON load, events per second of a stream."""
    latency: Spread | None
    """To the whole answer (JSON), to the first event (bursts), or the delay of an event (paced)."""
    added: Spread | None = None
    """`latency` less that of the direct call in the same round."""
    cpu_us: float | None = None
    """CPU time of the proxy's processes per request or event, in microseconds."""
    core_share: float | None = None
    """CPU time of the proxy per second. Well below 1 under a crowded load: the proxy was not the limit."""
    disturbed: float = 0.0
    """The largest share of a core that programs outside the run took."""
    failures: int = 0
    reconnects: int = 0

    def over(self, base: Figures) -> Figures:
        """The same, with what it adds to the direct call."""
        if self.latency is None or base.latency is None:
            return self
        return attrs.evolve(self, added=self.latency.less(base.latency))


@attrs.frozen(kw_only=True)
class Start:
    """A fresh process, with its bytecode cached. Seconds and bytes."""

    accepted: float
    """Until the port took a connection."""
    answered: float
    """Until the first request was answered."""
    idle_bytes: float | None
    """Resident memory half a second later; None where it cannot be read."""


@attrs.frozen(kw_only=True)
class Memory:
    """One large body through a fresh process, in bytes."""

    body: int
    extra: int
    """Peak of resident memory less what was resident before."""


@attrs.frozen(kw_only=True)
class Held:
    """Streams open at once in a fresh process, one event per two seconds on each."""

    streams: int
    """How many had their first event; those asked for, unless some failed."""
    first: Spread | None
    """From the moment all requests are sent to a stream's first event."""
    delay: Spread | None
    """From the stub's sending of an event to its arrival, while the streams are only kept."""
    bytes_each: float | None
    """Growth of resident memory since idle, per stream that has begun."""
    core_share: float | None
    """CPU time per second while the streams are only kept."""
    failures: int = 0


def median_figures(rounds: Sequence[Figures]) -> Figures:
    """Each number's median over the rounds that have it; failures and reconnects add up."""
    return Figures(
        rate=median(each.rate for each in rounds),
        latency=Spread.median([each.latency for each in rounds if each.latency]),
        added=Spread.median([each.added for each in rounds if each.added]),
        cpu_us=_median(each.cpu_us for each in rounds),
        core_share=_median(each.core_share for each in rounds),
        disturbed=max(each.disturbed for each in rounds),
        failures=sum(each.failures for each in rounds),
        reconnects=sum(each.reconnects for each in rounds),
    )


def median_start(starts: Sequence[Start]) -> Start:
    """Each number's median."""
    return Start(
        accepted=median(each.accepted for each in starts),
        answered=median(each.answered for each in starts),
        idle_bytes=_median(each.idle_bytes for each in starts),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
