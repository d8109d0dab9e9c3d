"""The harness counts exactly: its own generator against its own stub, and the arithmetic between them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import process_tree
from benchmarks.answers import ANSWERS, BURST_EVENTS, BURST_MODEL, HELD_MODEL, JSON_MODEL, MARK, Paced
from benchmarks.codecs import EVENTS, KINDS, SCRIPTS, Codecs, Pair, formats, rendered, streamed
from benchmarks.codecs import SIZES as SIZES_OF_REQUESTS
from benchmarks.cores import Placement
from benchmarks.figures import Figures, Held, Memory, Start, median_figures
from benchmarks.generator import Connection, Tally, run
from benchmarks.goals import GOALS, reached
from benchmarks.load import Job, Load, Outcome, Shape, Spread
from benchmarks.loads import BIG, FULL, QUICK, QUICK_NAMES, SIZES
from benchmarks.processes import BenchError, Generator, Stub, started
from benchmarks.report import tables
from benchmarks.requests import HEADERS, PATHS, Surface, body_of
from benchmarks.run import Results
from benchmarks.servers import Command
from benchmarks.stub import answer_to
from ppap_core.conversation import Delta, End, Finish
from ppap_core.wire import NO_NAMES

ANYWHERE: Final = Placement(None, None)


def as_bytes(answer: bytes | Paced) -> bytes:
    assert isinstance(answer, bytes)
    return answer


BURST: Final = as_bytes(ANSWERS[BURST_MODEL])


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub(ANYWHERE) as stub:
        yield stub


async def outcome_of(stub: Stub, **load: object) -> Outcome:
    """What came of a load without warm-up and with the shortest window its numbers allow."""
    base = Load(name="test", surface="chat", model=JSON_MODEL, shape=Shape.ONCE, warm_up=0.0, seconds=0.0)
    return await run(Job(stub.port, attrs.evolve(base, **load)), lambda phase: None)


async def test_each_answer_of_a_window_is_counted_once(stub: Stub) -> None:
    """A window that asks for at least 200 answers reports every answer with its time, and no events."""
    outcome = await outcome_of(stub, shape=Shape.LOOP, connections=4, at_least=200)
    assert outcome.answers >= 200
    assert (outcome.failures, outcome.reconnects, outcome.events) == (0, 0, 0)
    assert outcome.whole is not None
    assert outcome.first is None


async def test_a_window_of_bursts_counts_their_events(stub: Stub) -> None:
    """Twenty bursts on one connection bring 300 events each, give or take the one under way at the end."""
    outcome = await outcome_of(stub, shape=Shape.LOOP, model=BURST_MODEL, at_least=20)
    assert outcome.failures == 0
    assert abs(outcome.events - outcome.answers * BURST_EVENTS) < BURST_EVENTS


class Wire(asyncio.WriteTransport):
    """The far end of a connection: keeps what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False


@given(cuts=st.lists(st.integers(0, len(BURST)), max_size=8))
def test_events_are_counted_exactly_wherever_reads_end(cuts: list[int]) -> None:
    """A burst in any pieces is 300 events, one first event and one answer, and the next request follows."""
    tally, wire = Tally(), Wire()
    connection = Connection(b"request", Load(name="test", surface="chat", model=BURST_MODEL), tally)
    connection.connection_made(wire)
    connection.send()
    for begin, end in pairwise([0, *sorted(cuts), len(BURST)]):
        connection.data_received(BURST[begin:end])
    window = tally.cut()
    assert (window.events, len(window.first), window.answers, tally.failures) == (BURST_EVENTS, 1, 1, 0)
    assert wire.written == [b"request", b"request"]


async def test_streams_that_are_held_open_all_begin(stub: Stub) -> None:
    """Fifty streams opened at once have fifty first events before the window, and none is complete in it."""
    outcome = await outcome_of(stub, model=HELD_MODEL, surface="messages", connections=50)
    assert (outcome.opened, outcome.answers, outcome.failures) == (50, 0, 0)


async def test_an_error_of_the_server_is_a_failure_with_its_words(stub: Stub) -> None:
    """A status other than 200 is no answer; the load ends and says what came instead."""
    outcome = await outcome_of(stub, model="nobody", shape=Shape.LOOP, connections=32, at_least=1)
    assert outcome.answers == 0
    assert outcome.failures >= 20
    assert "404" in outcome.failure
    assert "does not know this model" in outcome.failure


def test_the_generator_process_reports_at_both_ends_of_the_window(stub: Stub) -> None:
    """The runner is called while connections are open, first when warm, then when measured."""
    phases: list[str] = []
    load = Load(name="test", surface="chat", model=JSON_MODEL, warm_up=0.0, seconds=0.0, at_least=10)
    with Generator(ANYWHERE) as generator:
        outcome = generator.run(stub.port, load, phases.append)
    assert phases == ["warm", "measured"]
    assert outcome.answers >= 10


def test_processes_end_with_their_block_also_when_it_fails() -> None:
    """Whatever goes wrong in a run, or Ctrl-C, leaves no process behind."""
    with pytest.raises(KeyboardInterrupt), Stub(ANYWHERE) as stub, Generator(ANYWHERE) as generator:
        raise KeyboardInterrupt
    for pid in (stub.pid, generator.pid):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@attrs.frozen
class Broken:
    """A proxy that cannot start."""

    name: str = "broken"
    held_streams: int = 1
    ready_within: float = 10.0

    def configure(self, directory: Path, port: int, stub_port: int) -> Command:
        return Command((sys.executable, "-c", "raise SystemExit('no such setting: colour')"), {})


def test_a_proxy_that_does_not_start_is_named_with_its_last_words() -> None:
    """The message says which proxy ended, with what status, and what it wrote."""
    said = "broken ended with status 1:\nno such setting: colour"
    with pytest.raises(BenchError, match=said), started(Broken(), 1, ANYWHERE):
        pytest.fail("it started")


@pytest.mark.parametrize("surface", ["chat", "messages"])
@pytest.mark.parametrize("size", [*SIZES.values(), BIG.body_bytes])
def test_a_body_has_exactly_the_size_and_model_it_is_named_by(surface: Surface, size: int) -> None:
    """Every size of every surface is valid JSON of that many bytes, and the stub finds the model in it."""
    body = body_of(surface, BURST_MODEL, size)
    assert len(body) == size
    assert orjson.loads(body)["stream"] is True
    assert answer_to(body) is ANSWERS[BURST_MODEL]


def test_a_model_is_found_at_either_end_and_in_the_middle() -> None:
    """Proxies write the body anew in their own order and spacing."""
    filler = '"filler": "' + "x" * 5000 + '"'
    for body in (
        f'{{"model":"bench",{filler}}}',
        f'{{{filler}, "model" : "bench"}}',
        f'{{{filler},"model": "bench",{filler}}}',
    ):
        assert answer_to(body.encode()) is ANSWERS["bench"]


def test_a_mark_stands_once_in_an_event_and_nowhere_else() -> None:
    """Counting marks counts upstream events: not heads, not ends, not JSON answers."""
    assert BURST.count(MARK) == BURST_EVENTS
    for answer in ANSWERS.values():
        if isinstance(answer, Paced):
            assert (answer.event(1).count(MARK), (answer.head + answer.end).count(MARK)) == (1, 0)
    assert MARK not in as_bytes(ANSWERS[JSON_MODEL])


def test_loads_have_names_of_their_own_and_every_way_and_size() -> None:
    """The table of loads covers item 12 of the foundation: sizes × relayed/translated × streamed or not."""
    names = [load.name for load in FULL]
    assert len(set(names)) == len(names)
    alone = {(load.body_bytes, load.surface, load.is_stream) for load in FULL if load.connections == 1}
    assert len(alone) == len(SIZES) * len(PATHS) * 2
    assert {load.connections for load in FULL if not load.is_stream} == {1, 32, 256}
    assert set(QUICK) < set(FULL)
    assert PATHS.keys() == HEADERS.keys()


def test_every_quick_load_is_a_full_one() -> None:
    """A name misspelt in the table of quick loads would drop the load silently."""
    assert {load.name for load in QUICK} == set(QUICK_NAMES)


def test_percentiles_are_taken_from_the_ordered_times() -> None:
    """1 to 101 milliseconds: the middle is 51, and percentiles are times that occurred."""
    spread = Spread.of([n * 1_000_000 for n in range(101, 0, -1)])
    assert spread == Spread(51.0, 96.0, 100.0)
    assert Spread.of([]) is None


def test_medians_leave_out_what_a_round_does_not_know() -> None:
    """The median of each percentile; an unknown CPU time is not 0; failures add up."""
    rounds = [
        Figures(rate=10, latency=Spread(1, 2, 9), cpu_us=None, failures=1),
        Figures(rate=30, latency=Spread(3, 4, 5), cpu_us=7.0),
        Figures(rate=20, latency=None, cpu_us=9.0, failures=2),
    ]
    middle = median_figures(rounds)
    assert (middle.rate, middle.latency, middle.cpu_us, middle.failures) == (20, Spread(2, 3, 7), 8.0, 3)


def test_every_goal_takes_its_measure_from_a_full_run() -> None:
    """With figures for every load and measurement each goal has a value: none names a load not run."""
    figures = Figures(rate=2.0, latency=Spread(1, 1, 1), added=Spread(1, 1, 1), cpu_us=1.0)
    pair = Pair(
        client="one",
        upstream="other",
        event_us=dict.fromkeys(KINDS, 1.0),
        request_ms=dict.fromkeys(SIZES_OF_REQUESTS, 1.0),
        peak=dict.fromkeys(SCRIPTS, 1.0),
    )
    results = Results(
        loads={load.name: {"ppap": figures, "peer": figures, "floor": figures} for load in FULL},
        starts={"ppap": Start(accepted=1, answered=1, idle_bytes=1)},
        memory={"ppap": Memory(body=1, extra=1)},
        held={"ppap": Held(streams=1, first=Spread(1, 1, 1), delay=None, bytes_each=1, core_share=1)},
        codecs=Codecs(yardstick_us=1.0, pairs=[pair]),
        notes=[],
    )
    assert [goal for goal, _ in reached(results, "peer")] == list(GOALS)
    assert "rate ÷ peer" in tables(results, "peer")


@pytest.mark.skipif(not process_tree.AVAILABLE, reason="needs Linux's /proc")
def test_memory_and_cpu_of_a_process_tree_include_its_children(stub: Stub) -> None:
    """This process and the stub it started are one tree: together they hold more than the stub alone."""
    assert stub.pid in process_tree.members(os.getpid())
    assert process_tree.resident_bytes(os.getpid()) > process_tree.resident_bytes(stub.pid) > 1_000_000
    assert process_tree.cpu_seconds(os.getpid()) >= process_tree.own_cpu_seconds(stub.pid)


def test_every_format_has_the_same_words_in_its_stream() -> None:
    """Each upstream's stream, with what vendors add to it, is read to its end and has every word."""
    for wire in formats().values():
        for kind in KINDS:
            decoder = wire.stream_decoder(NO_NAMES)
            events = [*decoder.feed(streamed(wire, kind)), *decoder.close()]
            said = "".join(event.text for event in events if isinstance(event, Delta) and event.kind == kind)
            assert said.count("some words") == EVENTS - 2
            assert isinstance(events[-1], End)
            assert any(isinstance(event, Finish) for event in events)


def test_every_format_has_the_same_conversation_in_its_body() -> None:
    """Each client's body is about the size asked for, in the script asked for."""
    for script, sample in SCRIPTS.items():
        for body in dict(rendered(formats(), script, 100_000)).values():
            assert 90_000 < len(body) < 130_000
            assert sample in body.decode()
            assert body.isascii() == sample.isascii()
