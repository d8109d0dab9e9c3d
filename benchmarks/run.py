"""A whole run: rounds of loads, each on every proxy in turn, then the measurements of fresh processes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import attrs

from .codecs import Codecs, measured
from .cores import pin, place
from .figures import DIRECT, Figures, Held, Memory, Start, median_figures, median_start
from .files import raise_open_files
from .journal import Journal
from .load import Load
from .loads import FULL, QUICK, direct
from .measure import Bench
from .processes import BenchError, Generator, Running, Stub
from .servers import Server

START, MEMORY, HELD, CODECS = "start", "memory", "held", "codecs"
FRESH: Final = (START, MEMORY, HELD, CODECS)
"""Measurements that are no load, by the name that `--only` takes."""


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be measured."""

    loads: tuple[Load, ...]
    fresh: tuple[str, ...] = FRESH
    rounds: int
    starts: int
    streams: int
    """Streams to hold open, at most."""
    codec_runs: int

    def only(self, words: Sequence[str]) -> Plan:
        """What has one of the words in its name; everything if there are no words."""
        if not words:
            return self
        return attrs.evolve(
            self,
            loads=tuple(load for load in self.loads if any(word in load.name for word in words)),
            fresh=tuple(name for name in self.fresh if any(word in name for word in words)),
        )

    def repeated(self, rounds: int) -> Plan:
        """That many rounds and starts."""
        return attrs.evolve(self, rounds=rounds, starts=rounds)


FULL_PLAN: Final = Plan(loads=FULL, rounds=3, starts=5, streams=5000, codec_runs=10)
QUICK_PLAN: Final = Plan(loads=QUICK, rounds=2, starts=3, streams=1000, codec_runs=3)


@attrs.frozen(kw_only=True)
class Results:
    """Everything measured, by load and then by proxy (`DIRECT` included)."""

    loads: dict[str, dict[str, Figures]]
    starts: dict[str, Start]
    memory: dict[str, Memory]
    held: dict[str, Held]
    codecs: Codecs | None
    notes: list[str]


def run(plan: Plan, servers: Sequence[Server], journal: Journal) -> Results:
    """Measures it all; every process that was started is ended in any case.

    Raises BenchError if a process cannot be started. One that fails later is left out, with a note.
    """
    placement = place()
    if placement.note:
        journal.note(placement.note)
    streams = min(plan.streams, raise_open_files(plan.streams, journal))
    pin(0, placement.load)
    with Stub(placement) as stub, Generator(placement) as generator:
        course = Course(Bench(placement, stub, generator, journal), plan, servers, journal)
        return Results(
            loads=course.rounds(),
            starts=course.starts() if START in plan.fresh else {},
            memory=course.memory() if MEMORY in plan.fresh else {},
            held=course.held(streams) if HELD in plan.fresh else {},
            codecs=measured(plan.codec_runs, journal.progress) if CODECS in plan.fresh else None,
            notes=journal.notes,
        )


@attrs.frozen
class Course:
    """The parts of a run, in their order."""

    bench: Bench
    plan: Plan
    servers: Sequence[Server]
    journal: Journal

    @property
    def _fresh(self) -> Sequence[Server]:
        return [server for server in self.servers if server.serves(None)]

    def rounds(self) -> dict[str, dict[str, Figures]]:
        """Medians by load and proxy, the direct call among them; nothing is started without loads."""
        if not self.plan.loads:
            return {}
        seen: dict[str, dict[str, list[Figures]]] = {load.name: defaultdict(list) for load in self.plan.loads}
        with ExitStack() as stack:
            proxies = [stack.enter_context(self.bench.started(server)) for server in self.servers]
            for number in range(1, self.plan.rounds + 1):
                baselines: dict[Load, Figures] = {}
                for load in self.plan.loads:
                    self.journal.progress(f"round {number} of {self.plan.rounds}: {load.name}")
                    self._one_load(load, proxies, baselines, seen[load.name])
        return {
            load: {who: median_figures(each) for who, each in by_who.items()} for load, by_who in seen.items()
        }

    def starts(self) -> dict[str, Start]:
        seen: dict[str, list[Start]] = defaultdict(list)
        for number in range(1, self.plan.starts + 1):
            for server in self._fresh:
                self.journal.progress(f"start {number} of {self.plan.starts}: {server.name}")
                with self._noted(server):
                    seen[server.name].append(self.bench.start(server))
        return {who: median_start(starts) for who, starts in seen.items()}

    def memory(self) -> dict[str, Memory]:
        seen: dict[str, Memory] = {}
        for server in self._fresh:
            self.journal.progress(f"a body of 26 MB: {server.name}")
            with self._noted(server):
                measured = self.bench.memory(server)
                if measured is not None:
                    seen[server.name] = measured
        return seen

    def held(self, streams: int) -> dict[str, Held]:
        seen: dict[str, Held] = {}
        for server in self._fresh:
            wanted = min(server.held_streams, streams)
            self.journal.progress(f"{wanted} open streams: {server.name}")
            with self._noted(server):
                seen[server.name] = self.bench.held(server, wanted)
        return seen

    def _one_load(
        self,
        load: Load,
        proxies: Sequence[Running],
        baselines: dict[Load, Figures],
        seen: dict[str, list[Figures]],
    ) -> None:
        """The direct call, unless this round has made the same one already, then each proxy."""
        straight = direct(load)
        if straight not in baselines:
            baselines[straight] = self.bench.load(straight, None)
        base = baselines[straight]
        seen[DIRECT].append(base)
        for proxy in proxies:
            if not proxy.server.serves(load):
                continue
            with self._noted(proxy.server):
                seen[proxy.server.name].append(self.bench.load(load, proxy).over(base))

    @contextmanager
    def _noted(self, server: Server) -> Iterator[None]:
        try:
            yield
        except BenchError as error:
            self.journal.note(f"{server.name} is left out here: {error}")
