"""Wherever an answer's bytes are cut, the same answer comes out."""

from __future__ import annotations

import asyncio
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppap_core.errors import UpstreamError
from ppap_core.upstream.address import Origin
from ppap_core.upstream.decoded import DecodedReply
from ppap_core.upstream.http1 import Http1Connection, Phase
from ppap_core.upstream.reply import Deadlines

from .fault_server import chunked, reply

ORIGIN = Origin("http", "localhost", 80)
BODY = b"data: one\n\ndata: two\n\n" * 20
INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n"
TRAILERS = chunked(BODY[:7], BODY[7:]).removesuffix(b"\r\n") + b"x-sum: 1\r\n\r\n"
ANSWERS = {
    "length": reply(BODY),
    "interim, then length": INTERIM + reply(BODY),
    "chunks": chunked(*[BODY[i : i + 13] for i in range(0, len(BODY), 13)]),
    "chunks with trailers": TRAILERS,
    "closed at the end": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n" + BODY,
    "gzip": reply(zlib.compress(BODY, wbits=31), b"content-encoding: gzip"),
    "gzip undeclared": chunked(zlib.compress(BODY, wbits=31)),
}


class Wire(asyncio.Transport):
    """The near end of a connection whose far end is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Keeper:
    """An owner that only watches."""

    def __init__(self) -> None:
        self.kept = 0

    def take_back(self, connection: Http1Connection) -> None:
        self.kept += 1

    def forget(self, connection: Http1Connection) -> None: ...


async def fetch(pieces: list[bytes], keeper: Keeper) -> bytes:
    """The body of an answer that arrives in these pieces and ends with the connection."""
    connection = Http1Connection(ORIGIN, asyncio.get_running_loop(), keeper)
    connection.connection_made(Wire())
    call = asyncio.ensure_future(connection.send("GET", b"GET / HTTP/1.1\r\n\r\n", b"", Deadlines()))
    await asyncio.sleep(0)
    for piece in pieces:
        if connection.phase in (Phase.HEAD, Phase.BODY):
            connection.data_received(piece)
    connection.eof_received()
    answer = await call
    return await DecodedReply(answer.status, answer.raw_headers, answer, ORIGIN).body()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % len(data) for place in places)})
    return [data[start:end] for start, end in pairwise(borders)]


@pytest.mark.parametrize("name", ANSWERS)
def test_any_cut_gives_the_same_body(name: str) -> None:
    """Cutting the bytes of an answer anywhere changes neither its body nor whether it is kept."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(min_value=0, max_value=2000), max_size=12))
    def check(places: list[int]) -> None:
        keeper = Keeper()
        assert asyncio.run(fetch(cut(ANSWERS[name], places), keeper)) == BODY
        assert keeper.kept == (0 if name == "closed at the end" else 1)

    check()


@pytest.mark.parametrize("name", ["length", "chunks", "chunks with trailers", "gzip"])
def test_no_prefix_passes_for_the_whole(name: str) -> None:
    """Pain 13: an answer that breaks off anywhere is an error, never a shorter answer."""
    whole = ANSWERS[name]

    async def check() -> None:
        for end in range(0, len(whole), 7):
            with pytest.raises(UpstreamError):
                await fetch([whole[:end]], Keeper())

    asyncio.run(check())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_garbage_is_an_upstream_error(pieces: list[bytes]) -> None:
    """Whatever an upstream sends, what comes out is an answer or an `UpstreamError`."""
    try:
        asyncio.run(fetch([b"HTTP/1.1 200 OK\r\n", *pieces], Keeper()))
    except UpstreamError:
        pass
