"""Content encodings of answers, undone as they stream, with bounded memory.

One call never gives much more than `MAX_OUTPUT_BYTES`, however well the input was compressed: what
is left of the input waits for the next call. Formats whose decoders cannot be told to stop are fed
slices so small that even a worst-case slice stays near that bound.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import brotli
import zstandard

MAX_OUTPUT_BYTES: Final = 1024 * 1024
_MAX_WINDOW_BYTES: Final = 8 * 1024 * 1024
"""What a zstd sender may make us keep (RFC 9659)."""

DECODE_ERRORS: Final = (zlib.error, brotli.error, zstandard.ZstdError)


class Decoder(Protocol):
    """``hungry``: all input is used up. ``finished``: the input may end here."""

    hungry: bool

    @property
    def finished(self) -> bool: ...

    def feed(self, data: bytes) -> bytes:
        """What can be decoded now; feed ``b""`` until it is hungry. Raises one of `DECODE_ERRORS`."""
        ...


class _Member(Protocol):
    """One compressed frame: the decompress objects of zlib and zstandard both are like this."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class FramedDecoder:
    """gzip, deflate and zstd: frames one after the other; what follows them is ignored.

    ``magic``: how a further frame begins; empty if there can be only one.
    """

    def __init__(self, new_member: Callable[[], _Member], magic: bytes, slice_bytes: int) -> None:
        self._new_member = new_member
        self._member = new_member()
        self._magic = magic
        self._slice_bytes = slice_bytes
        self._input = b""
        self.hungry = True

    @property
    def finished(self) -> bool:
        return self._member.eof

    def feed(self, data: bytes) -> bytes:
        waiting = self._input + data if self._input else data
        decoded: list[bytes] = []
        size = position = 0
        while position < len(waiting) and size < MAX_OUTPUT_BYTES:
            if self._member.eof and not self._next_member(waiting[position:]):
                position = len(waiting) if not self._may_be_magic(waiting[position:]) else position
                break
            piece = waiting[position : position + self._slice_bytes]
            decoded.append(self._member.decompress(piece))
            size += len(decoded[-1])
            position += len(piece) - (len(self._member.unused_data) if self._member.eof else 0)
        self._input = waiting[position:]
        self.hungry = size < MAX_OUTPUT_BYTES or not self._input
        return b"".join(decoded)

    def _next_member(self, rest: bytes) -> bool:
        if not self._magic or not rest.startswith(self._magic):
            return False
        self._member = self._new_member()
        return True

    def _may_be_magic(self, rest: bytes) -> bool:
        return len(rest) < len(self._magic) and self._magic.startswith(rest)


class DeflateDecoder:
    """``deflate`` is zlib's format by the letter, and raw deflate by some servers' habit."""

    def __init__(self) -> None:
        self._start = b""
        self._decoder: FramedDecoder | None = None
        self.hungry = True

    @property
    def finished(self) -> bool:
        return self._decoder is not None and self._decoder.finished

    def feed(self, data: bytes) -> bytes:
        if self._decoder is None:
            data = self._start = self._start + data
            if len(data) < 2:
                return b""
            is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            wbits = zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS
            self._decoder = FramedDecoder(lambda: zlib.decompressobj(wbits), b"", 1024)
        decoded = self._decoder.feed(data)
        self.hungry = self._decoder.hungry
        return decoded


class BrotliDecoder:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self.hungry = True

    @property
    def finished(self) -> bool:
        return bool(self._decompressor.is_finished())

    def feed(self, data: bytes) -> bytes:
        decoded: bytes = self._decompressor.process(data, output_buffer_limit=MAX_OUTPUT_BYTES)
        taken = bool(self._decompressor.can_accept_more_data())
        self.hungry = taken and len(decoded) < MAX_OUTPUT_BYTES  # it may hold output without input
        return decoded


GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


def _gzip() -> Decoder:
    return FramedDecoder(lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), GZIP_MAGIC, 1024)


def _zstd() -> Decoder:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    return FramedDecoder(unpacker.decompressobj, ZSTD_MAGIC, 256)


DECODERS: Final[Mapping[str, Callable[[], Decoder]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": DeflateDecoder,
    "br": BrotliDecoder,
    "zstd": _zstd,
}
"""Names in ``Content-Encoding`` → new decoder. ``identity`` is none."""

MAGIC: Final[Mapping[bytes, str]] = {GZIP_MAGIC + b"\x08": "gzip", ZSTD_MAGIC: "zstd"}
"""How a body begins that is compressed though nobody said so (translation spec, section E)."""


def may_become_magic(start: bytes) -> bool:
    """Whether more bytes are needed to tell."""
    return any(len(start) < len(magic) and magic.startswith(start) for magic in MAGIC)


def undeclared_coding(start: bytes) -> str | None:
    return next((name for magic, name in MAGIC.items() if start.startswith(magic)), None)
