"""An answer as plugins see it: whichever transport it came by, its content encoding undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from ..errors import MalformedReply
from .encodings import DECODE_ERRORS, DECODERS, Decoder, may_become_magic, undeclared_coding

MAX_BODY_BYTES: Final = 256 * 1024 * 1024
"""More than this `DecodedReply.body` does not collect; `DecodedReply.read` has no such bound."""


class Source(Protocol):
    """Where a body comes from, transfer encoding undone. Raises `UpstreamError`."""

    async def read(self) -> bytes: ...
    async def close(self) -> None: ...


class DecodedReply:
    """An `UpstreamReply`. ``headers`` lack ``content-encoding`` and its ``content-length`` when undone."""

    __slots__ = ("_body", "_codings", "_opened", "_peer", "_source", "headers", "status")

    def __init__(
        self, status: int, raw_headers: Iterable[tuple[bytes, bytes]], source: Source, peer: object
    ) -> None:
        self.status = status
        headers = joined_headers(raw_headers)
        self._codings: list[str] = []
        if "content-encoding" in headers:
            names = (name.strip() for name in headers["content-encoding"].lower().split(","))
            self._codings = [name for name in names if name not in ("", "identity")]
            if self._codings:
                headers = {k: v for k, v in headers.items() if k not in _ENCODED_ONLY}
        self.headers: Mapping[str, str] = headers
        self._source = source
        self._body: Source = source
        self._peer = peer
        self._opened = False

    async def read(self) -> bytes:
        if self._opened:
            return await self._body.read()
        self._opened = True
        return await self._open()

    async def body(self) -> bytes:
        """Raises `MalformedReply` beyond `MAX_BODY_BYTES`."""
        parts: list[bytes] = []
        size = 0
        while data := await self.read():
            parts.append(data)
            size += len(data)
            if size > MAX_BODY_BYTES:
                await self.close()
                raise MalformedReply(f"{self._peer}: its answer is larger than {MAX_BODY_BYTES} bytes")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def close(self) -> None:
        await self._source.close()

    async def _open(self) -> bytes:
        """The first read: only now must it be known how the body is encoded."""
        if self._codings:
            self._body = self._undone(self._source, self._codings)
            return await self._body.read()
        start = await self._source.read()
        while may_become_magic(start) and (more := await self._source.read()):
            start += more
        if (coding := undeclared_coding(start)) is None:
            return start
        self._body = self._undone(_Preceded(start, self._source), [coding])
        return await self._body.read()

    def _undone(self, source: Source, codings: Sequence[str]) -> Source:
        for name in reversed(codings):
            if name not in DECODERS:
                known = ", ".join(DECODERS)
                refusal = MalformedReply(f"{self._peer}: its answer is encoded by none of {known}")
                return _Unreadable(source, refusal)
            source = _Undone(source, DECODERS[name](), f"{self._peer}: its {name} data")
        return source


_ENCODED_ONLY: Final = frozenset({"content-encoding", "content-length"})


def joined_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case names; repeated ones joined with a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class _Preceded:
    """A source after bytes that were read from it already."""

    def __init__(self, start: bytes, source: Source) -> None:
        self._start = start
        self._source = source

    async def read(self) -> bytes:
        start, self._start = self._start, b""
        return start or await self._source.read()

    async def close(self) -> None:
        await self._source.close()


class _Unreadable:
    """A source whose coding nobody knows."""

    def __init__(self, source: Source, error: MalformedReply) -> None:
        self._source = source
        self._error = error

    async def read(self) -> bytes:
        await self._source.close()
        raise self._error

    async def close(self) -> None:
        await self._source.close()


class _Undone:
    """A source with one coding undone. ``what`` names it in errors."""

    def __init__(self, source: Source, decoder: Decoder, what: str) -> None:
        self._source = source
        self._decoder = decoder
        self._what = what
        self._begun = False
        self._error: MalformedReply | None = None

    async def read(self) -> bytes:
        if self._error is not None:
            raise self._error
        while True:
            data = await self._source.read() if self._decoder.hungry else b""
            if not data and self._decoder.hungry:
                return self._ended()
            self._begun = True
            try:
                decoded = self._decoder.feed(data)
            except DECODE_ERRORS:
                self._error = MalformedReply(f"{self._what} is corrupt")
                await self.close()
                raise self._error from None
            if decoded:
                return decoded

    async def close(self) -> None:
        await self._source.close()

    def _ended(self) -> bytes:
        if self._begun and not self._decoder.finished:
            raise MalformedReply(f"{self._what} ends too early")
        return b""
