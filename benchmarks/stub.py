"""The stub upstream, a process of its own: `python -m benchmarks.stub` prints its port and serves.

It reads a request to its end, finds the model's name in it and sends the answer kept for that name.
It ends when its standard input does, so it cannot outlive the run that started it.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
import time
from typing import Final, cast

import httptools
import uvloop

from .answers import ANSWERS, UNKNOWN_MODEL, Paced

BACKLOG: Final = 8192
_MODEL: Final = re.compile(rb'"model"\s*:\s*"([^"]*)"')
_NEAR: Final = 512  # bytes: clients put the model first or last; megabytes in between are not searched


def answer_to(body: bytes) -> bytes | Paced:
    """What to send for a request body; an error response when no known model is named."""
    found = _MODEL.search(body[:_NEAR]) or _MODEL.search(body[-_NEAR:]) or _MODEL.search(body)
    if found is None:
        return UNKNOWN_MODEL
    return ANSWERS.get(found[1].decode(), UNKNOWN_MODEL)


class PacedStream:
    """Writes one event per interval until the last, or until `cancel`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.WriteTransport, answer: Paced
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._answer = answer
        self._left = answer.events - 1
        self._due = loop.time() + answer.interval
        transport.write(answer.head + answer.event(time.monotonic_ns()))
        self._timer = loop.call_at(self._due, self._tick)

    def cancel(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        if self._left == 0:
            self._transport.write(self._answer.end)
            return
        self._left -= 1
        self._transport.write(self._answer.event(time.monotonic_ns()))
        self._due += self._answer.interval
        self._timer = self._loop.call_at(self._due, self._tick)


class StubConnection(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered one after the other."""

    _transport: asyncio.WriteTransport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._stream: PacedStream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stream is not None:
            self._stream.cancel()

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        answer = answer_to(b"".join(self._body))
        self._body.clear()
        if isinstance(answer, Paced):
            self._stream = PacedStream(self._loop, self._transport, answer)
        else:
            self._transport.write(answer)


async def serve() -> None:
    """Listens on a free loopback port, prints the port, and returns when standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: StubConnection(loop), "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(100_000)  # a full collection over thousands of connections would show as a latency spike
    uvloop.run(serve())
