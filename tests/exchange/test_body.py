"""Reading a request's body (client API spec, 2; pain 35)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.errors import BodyTooLarge, InvalidRequest, RequestError, UnsupportedEncoding
from ppap_core.exchange import Arrival
from ppap_core.exchange.body import ClientGone, read_body

PLAIN = b'{"model": "m", "text": "' + b"x" * 500 + b'"}'


def bare_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


async def read(
    pieces: Sequence[bytes], encoding: str = "", limit: int = 10_000, declared: int | None = None
) -> bytes:
    headers = [(b"content-encoding", encoding.encode())] if encoding else []
    if declared is not None:
        headers.append((b"content-length", str(declared).encode()))
    arrival = Arrival({"type": "http", "method": "POST", "path": "/", "headers": headers})
    messages = [
        {"type": "http.request", "body": piece, "more_body": index + 1 < len(pieces)}
        for index, piece in enumerate(pieces)
    ]
    left: list[dict[str, Any]] = [*messages, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    return (await read_body(arrival, receive, limit)).data


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_every_encoding_is_undone(encoding: str) -> None:
    assert await read([ENCODERS[encoding](PLAIN)], encoding) == PLAIN


async def test_encodings_are_undone_from_the_last_to_the_first() -> None:
    assert await read([brotli.compress(gzip.compress(PLAIN))], "gzip, identity, BR") == PLAIN


async def test_bare_deflate_is_understood_too() -> None:
    assert await read([bare_deflate(PLAIN)], "deflate") == PLAIN


async def test_plain_json_is_taken_even_if_it_claims_to_be_compressed() -> None:
    assert await read([PLAIN], "gzip") == PLAIN
    assert await read([PLAIN], "lzma") == PLAIN


async def test_what_cannot_be_decoded_is_a_400_that_says_so() -> None:
    with pytest.raises(InvalidRequest, match="not valid gzip"):
        await read([b"\x1f\x8b nonsense"], "gzip")


async def test_an_unknown_encoding_is_a_415_that_lists_the_known() -> None:
    with pytest.raises(UnsupportedEncoding, match="zstd"):
        await read([b"\x00\x01"], "lzma")


@pytest.mark.parametrize("encoding", ENCODERS)
async def test_a_small_bomb_is_stopped_before_it_unfolds(encoding: str) -> None:
    bomb = ENCODERS[encoding](b'{"a":"' + b"0" * 5_000_000 + b'"}')
    with pytest.raises(BodyTooLarge):
        await read([bomb], encoding, limit=1_000_000)


async def test_too_much_is_refused_at_the_declared_length_and_at_the_real_one() -> None:
    with pytest.raises(BodyTooLarge, match="max-body-mb"):
        await read([b"{}"], limit=10, declared=11)
    with pytest.raises(BodyTooLarge):
        await read([b"{" * 6, b"{" * 6], limit=10)
    with pytest.raises(BodyTooLarge):
        await read([b"{" * 12], limit=10)


async def test_a_body_in_pieces_is_joined() -> None:
    assert await read([PLAIN[:5], b"", PLAIN[5:]]) == PLAIN


async def test_a_client_that_leaves_in_the_middle_is_noticed() -> None:
    with pytest.raises(ClientGone):
        await read([])


@given(st.binary(max_size=300), st.sampled_from([*ENCODERS, "", "gzip, br", "nonsense"]))
async def test_no_bytes_raise_anything_but_a_refusal(data: bytes, encoding: str) -> None:
    try:
        await read([data], encoding)
    except RequestError:
        pass
