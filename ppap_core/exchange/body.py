"""Reading a request's body: bounded, and freed of its content encodings (client API spec, 2)."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import brotli
import zstandard

from ..errors import BodyTooLarge, InvalidRequest, UnsupportedEncoding
from ..wire.body import JsonBody
from .arrival import Arrival

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Parse: TypeAlias = Callable[[bytes], JsonBody]
"""Bytes of a body → what they say. Raises `InvalidRequest`."""
_STEP: Final = 64 * 1024
"""Compressed bytes decoded at a time, so that a bomb is noticed before it has unfolded."""


class ClientGone(Exception):
    """The client left before its request was whole."""


async def read_body(arrival: Arrival, receive: Receive, limit: int, parse: Parse = JsonBody) -> JsonBody:
    """The whole body, decompressed, as `parse` reads it.

    Raises `BodyTooLarge` above `limit` bytes (before or after decompression), `InvalidRequest`,
    `UnsupportedEncoding`, and `ClientGone`.
    """
    data = await read_bytes(arrival, receive, limit)
    encodings = arrival.header(b"content-encoding")
    if encodings and data:
        return _decompressed(data, encodings.decode("latin-1"), limit, parse)
    return parse(data)


async def read_bytes(arrival: Arrival, receive: Receive, limit: int) -> bytes:
    """The body as it came, which may be anything. Raises `BodyTooLarge` and `ClientGone`."""
    declared = arrival.header(b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] != "http.request":
        raise ClientGone
    if not message.get("more_body"):
        if len(first) > limit:
            raise _too_large(limit)
        return first
    chunks = [first]
    size = len(first)
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _decompressed(data: bytes, encodings: str, limit: int, parse: Parse) -> JsonBody:
    """The last encoding named was applied last. A client that only says so and sends plain JSON is
    taken at its bytes, not its word."""
    plain = data
    try:
        for encoding in reversed([name.strip().lower() for name in encodings.split(",")]):
            if encoding in ("", "identity"):
                continue
            decoder = DECODERS.get(encoding)
            if decoder is None:
                known = ", ".join(DECODERS)
                raise UnsupportedEncoding(f"Content-Encoding {encoding!r} is not supported; use {known}")
            plain = _unfolded(decoder(), plain, limit)
        return parse(plain)
    except (InvalidRequest, UnsupportedEncoding, _BadData) as error:
        try:
            return parse(data)
        except InvalidRequest:
            if isinstance(error, _BadData):
                message = f"Invalid request: the body is not valid {encodings} data"
                raise InvalidRequest(message) from None
            raise error from None


class _BadData(Exception):
    """The bytes are not what their encoding's name says."""


_Decoder: TypeAlias = Callable[[bytes], bytes]
"""A piece of encoded bytes → what it decodes to. Raises one of `_DECODE_ERRORS`."""


def _inflate(window: int) -> Callable[[], _Decoder]:
    def begin() -> _Decoder:
        decompress = zlib.decompressobj(window).decompress
        return lambda data: decompress(data)

    return begin


def _zstd() -> _Decoder:
    return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress


def _deflate() -> _Decoder:
    """RFC 9110 means zlib data; some clients send bare deflate data instead."""
    wrapped, bare = zlib.decompressobj(), zlib.decompressobj(-zlib.MAX_WBITS)
    decoders = [wrapped, bare]

    def decode(data: bytes) -> bytes:
        try:
            return decoders[0].decompress(data)
        except zlib.error:
            if len(decoders) == 1:
                raise
            decoders.pop(0)
            return decoders[0].decompress(data)

    return decode


DECODERS: Final[dict[str, Callable[[], _Decoder]]] = {
    "gzip": _inflate(16 + zlib.MAX_WBITS),
    "x-gzip": _inflate(16 + zlib.MAX_WBITS),
    "deflate": _deflate,
    "br": lambda: brotli.Decompressor().process,
    "zstd": _zstd,
}
_DECODE_ERRORS: Final = (zlib.error, brotli.error, zstandard.ZstdError, EOFError)


def _unfolded(decode: _Decoder, data: bytes, limit: int) -> bytes:
    out: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _STEP):
            piece = decode(data[start : start + _STEP])
            size += len(piece)
            if size > limit:
                raise _too_large(limit)
            out.append(piece)
    except _DECODE_ERRORS:
        raise _BadData from None
    return b"".join(out)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The request body is larger than {limit // 2**20} MiB; raise `limits.max-body-mb` in config.yaml"
    )
