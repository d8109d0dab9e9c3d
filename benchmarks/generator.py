"""The load generator, a process of its own: `python -m benchmarks.generator`.

It reads one `Job` per line on standard input and answers each on standard output with three lines:
``warm`` and ``measured``, each of which waits for a line from the runner (which reads the CPU and
memory of the proxy in between, while connections are open), and the `Outcome` as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
import time
from collections.abc import Callable
from typing import Final, cast

import attrs
import httptools
import msgspec
import uvloop

from .answers import MARK
from .load import Job, Load, Outcome, Shape, Spread
from .requests import render

HOST: Final = "127.0.0.1"
_OPENING_AT_ONCE: Final = 200
_MAX_FAILURES: Final = 20  # then the load stops: a proxy that refuses everything is not worth a minute
_PAUSE_AFTER_FAILURE: Final = 0.05
_STAMP: Final = re.compile(rb"~(\d{19});")
_clock = time.monotonic_ns


@attrs.define
class Window:
    """What all connections have seen in some stretch of time; times in nanoseconds, as in `Outcome`."""

    whole: list[int] = attrs.Factory(list)
    first: list[int] = attrs.Factory(list)
    delays: list[int] = attrs.Factory(list)
    events: int = 0
    answers: int = 0


@attrs.define
class Tally:
    """The window being filled, and what went wrong since the load began."""

    window: Window = attrs.Factory(Window)
    failures: int = 0
    failure: str = ""
    reconnects: int = 0
    cut_short: bool = False

    def cut(self) -> Window:
        """The window so far; an empty one begins."""
        done, self.window = self.window, Window()
        return done

    def fail(self, what: str) -> None:
        self.failures += 1
        self.failure = self.failure or what


class Connection(asyncio.Protocol):
    """One kept-alive connection: sends the request, counts events, times the answer, sends again."""

    _transport: asyncio.WriteTransport

    def __init__(self, request: bytes, load: Load, tally: Tally) -> None:
        self._request = request
        self._load = load
        self._tally = tally
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0
        self._waits_for_first = False
        self._last_read = b""
        self.under_way = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is none of asyncio's classes

    def send(self) -> None:
        if self._transport.is_closing():
            return
        self.under_way = self._waits_for_first = True
        self._sent_at = _clock()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        events = data.count(MARK)
        if events:
            window = self._tally.window
            window.events += events
            if self._waits_for_first:
                self._waits_for_first = False
                window.first.append(_clock() - self._sent_at)
        self._last_read = data
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.under_way = False
        status = self._parser.get_status_code()
        if status != 200 or (self._load.is_stream and self._waits_for_first):
            self._fail(f"status {status}, ended with: {self._last_read[-300:].decode(errors='replace')}")
            return
        window = self._tally.window
        window.answers += 1
        window.whole.append(_clock() - self._sent_at)
        if not self._parser.should_keep_alive():
            self._transport.close()
        elif self._load.shape is Shape.LOOP:
            self.send()

    def _fail(self, what: str) -> None:
        self._tally.fail(what)
        if self._load.shape is Shape.LOOP:
            asyncio.get_running_loop().call_later(_PAUSE_AFTER_FAILURE, self.send)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.under_way:
            self._tally.fail(f"connection lost with an answer under way: {exc or 'closed by the server'}")

    def is_closed(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        """Ends the connection on our side; what was under way is no failure."""
        self.under_way = False
        self._transport.abort()


class StampedConnection(Connection):
    """Also measures the delay of each event from the time stamp it carries."""

    def data_received(self, data: bytes) -> None:
        now = _clock()
        for stamp in _STAMP.findall(data):
            self._tally.window.delays.append(now - int(stamp))
        super().data_received(data)


class Crowd:
    """All connections of one load; a connection the server closed is replaced by a new one."""

    def __init__(self, job: Job) -> None:
        self.tally = Tally()
        self._load = job.load
        self._port = job.port
        load = job.load
        self._request = render(load.surface, load.model, load.body_bytes, f"{HOST}:{job.port}")
        self._connections: list[Connection] = []

    async def open(self) -> None:
        """Connects all, some at a time; nothing is sent yet. Raises OSError if the port refuses."""
        wanted = self._load.connections
        while len(self._connections) < wanted:
            batch = min(_OPENING_AT_ONCE, wanted - len(self._connections))
            self._connections += await asyncio.gather(*(self._connect() for _ in range(batch)))

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        step = self._load.stagger / self._load.connections
        for place, connection in enumerate(self._connections):
            if step:
                loop.call_later(place * step, connection.send)
            else:
                connection.send()

    async def replace_closed(self) -> None:
        """Reconnects where the server closed between two answers, as a client's pool would."""
        if self._load.shape is Shape.ONCE:
            return
        for place, connection in enumerate(self._connections):
            if connection.is_closed():
                self.tally.reconnects += 1
                self._connections[place] = fresh = await self._connect()
                fresh.send()

    def is_warm(self) -> bool:
        """Whether there were as many answers, or begun streams, as there are connections."""
        window = self.tally.window
        return len(window.first if self._load.is_stream else window.whole) >= self._load.connections

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    async def _connect(self) -> Connection:
        kind = StampedConnection if self._load.is_paced else Connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: kind(self._request, self._load, self.tally), HOST, self._port
        )
        return connection


async def run(job: Job, report: Callable[[str], None]) -> Outcome:
    """Runs one load to its end. `report` is called, and may block, at both ends of the measured window."""
    load, crowd = job.load, Crowd(job)
    tally = crowd.tally
    try:
        await crowd.open()
        crowd.start()
        await _until(crowd, load.warm_up + load.stagger, load.limit, crowd.is_warm)
        before = tally.cut()
        report("warm")
        tally.cut()
        began = _clock()
        await _until(crowd, load.seconds, load.limit, lambda: tally.window.answers >= load.at_least)
        window, seconds = tally.cut(), (_clock() - began) / 1e9
        report("measured")
    finally:
        crowd.close()
        await asyncio.sleep(0)  # lets the transports close before the loop does
    return _outcome(before, window, seconds, tally)


async def _until(crowd: Crowd, seconds: float, limit: float, enough: Callable[[], bool]) -> None:
    """Waits for the time to pass and `enough` to come true, up to the limit or too many failures."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    while crowd.tally.failures < _MAX_FAILURES:
        passed = loop.time() - begin
        if passed >= seconds and enough():
            return
        if passed >= max(limit, seconds):
            crowd.tally.cut_short = True
            return
        await asyncio.sleep(min(0.02, max(seconds - passed, 0.001)))
        await crowd.replace_closed()


def _outcome(before: Window, window: Window, seconds: float, tally: Tally) -> Outcome:
    return Outcome(
        seconds=seconds,
        answers=window.answers,
        events=window.events,
        whole=Spread.of(window.whole),
        first=Spread.of(window.first),
        delay=Spread.of(window.delays),
        opened=len(before.first),
        opening=Spread.of(before.first),
        failures=tally.failures,
        failure=tally.failure,
        reconnects=tally.reconnects,
        cut_short=tally.cut_short,
    )


def _tell_runner(phase: str) -> None:
    print(phase, flush=True)
    if not sys.stdin.readline():
        raise SystemExit("the runner is gone")


def main() -> None:
    """Serves jobs until standard input ends."""
    gc.freeze()
    gc.disable()  # a collection during a load would show as a latency of the proxy
    for line in iter(sys.stdin.readline, ""):
        job = msgspec.json.decode(line, type=Job)
        try:
            outcome = uvloop.run(run(job, _tell_runner))
        except OSError as error:
            print(f"failed: {error}", flush=True)
        else:
            print(msgspec.json.encode(outcome).decode(), flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
