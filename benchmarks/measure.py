"""One measurement each: a load, a start, a large body, many open streams."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Final

import attrs

from . import process_tree
from .answers import JSON_MODEL
from .cores import Placement
from .figures import DIRECT, MAX_DISTURBED, Figures, Held, Memory, Start
from .journal import Journal
from .load import Load, Outcome, Spread
from .loads import BIG, held
from .processes import Generator, Running, Stub, started
from .servers import Server
from .watch import Watch

_REPEATS: Final = 2
_LONG: Final = 5.0  # seconds of a window that a slow proxy has drawn out: it is not run again
_SETTLE: Final = 0.5  # seconds after the first answer until idle memory is read
_WARM: Final = Load(name="warm-up", surface="chat", model=JSON_MODEL, seconds=0.1, warm_up=0.1)


@attrs.frozen
class Bench:
    """The parts of a run that every measurement needs."""

    placement: Placement
    stub: Stub
    generator: Generator
    journal: Journal

    def started(self, server: Server) -> AbstractContextManager[Running]:
        """The server, up as long as the `with` block; raises BenchError as `processes.started` does."""
        return started(server, self.stub.port, self.placement)

    def load(self, load: Load, proxy: Running | None) -> Figures:
        """Runs a load; again, up to twice, if other programs disturbed it, and keeps the calmest run.

        `proxy` None: straight to the stub.
        """
        runs: list[Figures] = []
        while len(runs) <= _REPEATS:
            outcome, watch = self._run(load, proxy)
            runs.append(figures(load, outcome, watch))
            if runs[-1].disturbed <= MAX_DISTURBED or outcome.seconds > _LONG:
                break
        return min(runs, key=lambda run: run.disturbed)

    def start(self, server: Server) -> Start:
        """A fresh process, up to its first answer."""
        with self.started(server) as proxy:
            time.sleep(_SETTLE)
            idle = process_tree.resident_bytes(proxy.pid) if process_tree.AVAILABLE else None
            return Start(accepted=proxy.accepted_after, answered=proxy.answered_after, idle_bytes=idle)

    def memory(self, server: Server) -> Memory | None:
        """One body of 26 MB through a fresh, warm process; None if it failed or cannot be measured."""
        if not process_tree.AVAILABLE:
            return None
        with self.started(server) as proxy:
            self._run(_WARM, proxy)
            before = process_tree.resident_bytes(proxy.pid)
            process_tree.reset_peak(proxy.pid)
            outcome, watch = self._run(BIG, proxy)
            if outcome.failures or watch.end is None:
                return None
            return Memory(body=BIG.body_bytes, extra=watch.end.peak - before)

    def held(self, server: Server, streams: int) -> Held:
        """That many streams at once through a fresh, warm process."""
        load = held(streams)
        with self.started(server) as proxy:
            self._run(_WARM, proxy)
            before = process_tree.resident_bytes(proxy.pid) if process_tree.AVAILABLE else 0
            outcome, watch = self._run(load, proxy)
            cpu, end = watch.proxy_cpu, watch.end
            return Held(
                streams=outcome.opened,
                first=outcome.opening,
                delay=outcome.delay,
                bytes_each=(end.resident - before) / outcome.opened if end and outcome.opened else None,
                core_share=None if cpu is None else cpu / outcome.seconds,
                failures=outcome.failures,
            )

    def _run(self, load: Load, proxy: Running | None) -> tuple[Outcome, Watch]:
        port, pid = (proxy.port, proxy.pid) if proxy else (self.stub.port, None)
        watch = Watch(self.placement, pid, (self.stub.pid, self.generator.pid))
        outcome = self.generator.run(port, load, watch)
        who = proxy.server.name if proxy else DIRECT
        if outcome.failures:
            self.journal.note(f"{who}, {load.name}: {outcome.failures} failures, first: {outcome.failure}")
        if outcome.cut_short:
            self.journal.note(f"{who}, {load.name}: fewer answers than connections in {load.limit:.0f} s")
        return outcome, watch


def figures(load: Load, outcome: Outcome, watch: Watch) -> Figures:
    """What the outcome means for this kind of load: requests and whole answers, or events and first ones."""
    count = outcome.events if load.is_stream else outcome.answers
    cpu = watch.proxy_cpu
    return Figures(
        rate=count / outcome.seconds,
        latency=_latency(load, outcome),
        cpu_us=cpu / count * 1e6 if cpu is not None and count else None,
        core_share=None if cpu is None else cpu / outcome.seconds,
        disturbed=watch.disturbed,
        failures=outcome.failures,
        reconnects=outcome.reconnects,
    )


def _latency(load: Load, outcome: Outcome) -> Spread | None:
    if load.is_paced:
        return outcome.delay
    return outcome.first if load.is_stream else outcome.whole
