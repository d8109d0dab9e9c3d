"""Compressed answers come out plain, as they stream, and cannot fill the memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import partial

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ppap_core.errors import MalformedReply
from ppap_core.upstream import Upstream
from ppap_core.upstream.encodings import DECODERS, MAGIC, MAX_OUTPUT_BYTES, Decoder, undeclared_coding

from .fault_server import FaultServer, answering, chunked, ending, reply

BODY = b'{"text": "' + b"lorem ipsum " * 1000 + b'"}'
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=5),
    "zstd": zstandard.ZstdCompressor().compress,
}


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def decoded(decoder: Decoder, data: bytes, piece: int) -> bytes:
    out = []
    for start in range(0, len(data), piece):
        out.append(decoder.feed(data[start : start + piece]))
        while not decoder.hungry:
            out.append(decoder.feed(b""))
    return b"".join(out)


def test_tables_agree() -> None:
    """Each coding has a test, and each magic number names a coding."""
    assert DECODERS.keys() == ENCODERS.keys()
    assert set(MAGIC.values()) <= DECODERS.keys()
    for magic, name in MAGIC.items():
        assert ENCODERS[name](BODY).startswith(magic)
        assert undeclared_coding(magic + b"rest") == name


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ENCODERS)), st.binary(max_size=3000), st.integers(min_value=1, max_value=500))
def test_any_cut_decodes_to_the_same(name: str, body: bytes, piece: int) -> None:
    """However the compressed bytes arrive, the plain ones are the same."""
    decoder = DECODERS[name]()
    assert decoded(decoder, ENCODERS[name](body), piece) == body
    assert decoder.finished


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_frame_after_frame(name: str, piece: int) -> None:
    """Several frames in a row are one body; what follows the last is ignored."""
    encode = ENCODERS[name]
    tail = b"\0\0\0" if name == "gzip" else b""
    assert decoded(DECODERS[name](), encode(b"one ") + encode(b"two") + tail, piece) == b"one two"


def test_raw_deflate() -> None:
    """``deflate`` without zlib's frame, as some servers send it, is understood."""
    assert decoded(DECODERS["deflate"](), raw_deflate(BODY), 5) == BODY


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_bomb_is_handed_over_in_pieces(name: str) -> None:
    """A small input that grows to 64 MB never gives more than a few MB at a time."""
    decoder = DECODERS[name]()
    bomb = ENCODERS[name](bytes(64 * 1024 * 1024))
    size = len(first := decoder.feed(bomb))
    largest = len(first)
    while not decoder.hungry:
        piece = decoder.feed(b"")
        size += len(piece)
        largest = max(largest, len(piece))
    assert size == 64 * 1024 * 1024
    assert largest < 10 * MAX_OUTPUT_BYTES


@pytest.mark.parametrize("name", sorted(ENCODERS))
async def test_declared(upstream: Upstream, name: str) -> None:
    """A declared coding is undone, and its header is gone, with the length that is no longer true."""
    answer = reply(ENCODERS[name](BODY), b"Content-Encoding: " + name.encode().upper(), b"x-kept: 1")
    async with FaultServer(answering(answer)) as server:
        got = await upstream.post(server.url, b"{}", {})
        assert await got.body() == BODY
        assert got.headers == {"x-kept": "1"}


@pytest.mark.parametrize("name", sorted(MAGIC.values()))
async def test_undeclared(upstream: Upstream, name: str) -> None:
    """A coding that nobody declared is known by its first bytes, also when they come one by one."""
    data = ENCODERS[name](BODY)
    async with FaultServer(answering(chunked(), chunked(data))) as server:
        await (await upstream.post(server.url, b"{}", {})).body()
    pieces = [b"%x\r\n%b\r\n" % (1, data[i : i + 1]) for i in range(4)]
    rest = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data) - 4, data[4:])
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    async with FaultServer(answering(head, *pieces, rest)) as server:
        assert await (await upstream.post(server.url, b"{}", {})).body() == BODY


@pytest.mark.parametrize("body", [b"", b"\x1f", b"\x1f\x8b", b"(", b"(\xb5/", b"(text)"])
async def test_plain_body_that_begins_alike(upstream: Upstream, body: bytes) -> None:
    """A plain body survives, however alike its first bytes are."""
    async with FaultServer(answering(reply(body))) as server:
        assert await (await upstream.post(server.url, b"{}", {})).body() == body


async def test_two_codings(upstream: Upstream) -> None:
    """Several codings are undone last first."""
    answer = reply(brotli.compress(gzip.compress(BODY)), b"content-encoding: gzip, identity, br")
    async with FaultServer(answering(answer)) as server:
        assert await (await upstream.post(server.url, b"{}", {})).body() == BODY


async def test_each_event_comes_out_when_it_is_there(upstream: Upstream) -> None:
    """A compressed stream is not held back until its end."""
    compressor = zlib.compressobj(wbits=31)
    first = compressor.compress(b"data: 1\n\n") + compressor.flush(zlib.Z_SYNC_FLUSH)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"

    async with FaultServer(ending(head, first)) as server:
        answer = await upstream.post(server.url, b"{}", {})
        assert await answer.read() == b"data: 1\n\n"
        with pytest.raises(MalformedReply, match="its gzip data ends too early"):
            await answer.read()


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
async def test_corrupt(upstream: Upstream, name: str) -> None:
    """Data that is not what it claims to be is an error, and stays one."""
    data = b"\x1f\x8b\x08" + b"\xff" * 200
    async with FaultServer(answering(reply(data, b"content-encoding: " + name.encode()))) as server:
        answer = await upstream.post(server.url, b"{}", {})
        for _ in range(2):
            with pytest.raises(MalformedReply, match=f"its {name} data is corrupt"):
                await answer.body()


async def test_unknown_coding(upstream: Upstream) -> None:
    """A coding nobody knows is an error once the body is read; status and headers are there."""
    async with FaultServer(answering(reply(BODY, b"content-encoding: rot13", status=b"500 No"))) as server:
        answer = await upstream.post(server.url, b"{}", {})
        assert answer.status == 500
        for _ in range(2):
            with pytest.raises(MalformedReply, match="encoded by none of gzip"):
                await answer.read()


async def test_no_body_at_all(upstream: Upstream) -> None:
    """A coding without a body, as answers to some errors have it, is an empty body."""
    async with FaultServer(answering(reply(b"", b"content-encoding: gzip"))) as server:
        assert await (await upstream.post(server.url, b"{}", {})).body() == b""
