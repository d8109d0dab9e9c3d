"""The answer on its way to the client: head, keep-alives, body, and errors in its own dialect."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from ..conversation import Conversation, End, ErrorDetail, StreamError
from ..wire.abilities import FailsInStream, ability
from .body import Receive
from .disconnect import DisconnectWatch
from .exchange import Exchange
from .outgoing import Outgoing, outgoing

Send = Callable[[Any], Awaitable[None]]
T = TypeVar("T")

CORS_HEADERS: Final = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Retry-After, Location, X-Request-Id, X-PPAP-Request-Id",
    ),
)
_STREAM_HEADERS: Final = (
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
_JSON: Final = (b"content-type", b"application/json")


class Response:
    """One response. A late error goes into the stream; an early one becomes the status.

    While it is `watched`, a client that leaves cancels the work on it, up to the last byte.
    """

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self._exchange = exchange
        self._send = send
        self._started = False
        self._outgoing: Outgoing | None = None
        self._watch: DisconnectWatch | None = None

    def watched(self, receive: Receive) -> DisconnectWatch:
        self._watch = DisconnectWatch(receive, self._exchange.proxy.loop)
        return self._watch

    async def whole(self, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> None:
        """A complete JSON answer."""
        self._exchange.mark_first_byte()
        if not self._started:
            self._exchange.status = 200
            await self._start(200, (_JSON, _length(body), *_encoded(headers)))
        await self._body(body)

    async def begin_stream(self, headers: Sequence[tuple[str, str]] = ()) -> None:
        if not self._started:
            self._exchange.status = 200
            self._outgoing = outgoing(self._exchange)
            media = (b"content-type", self._exchange.wire.stream_media_type.encode())
            await self._start(200, (media, *_STREAM_HEADERS, *_encoded(headers)))

    async def write(self, data: bytes) -> None:
        self._exchange.mark_first_byte()
        if self._outgoing is not None:
            data = self._outgoing.write(data)
        await self._body(data, more=True)

    async def end(self, data: bytes = b"") -> None:
        if data:
            self._exchange.mark_first_byte()
        if self._outgoing is not None:
            data = self._outgoing.end(data)
        await self._body(data)

    async def refuse(
        self, detail: ErrorDetail, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Tells the client of a failure; `body` is a refusal already in its dialect.

        What we say of when to come again goes before what the upstream's `headers` do.
        """
        exchange = self._exchange
        exchange.failed(detail)
        wire = exchange.wire
        failing = ability(wire, FailsInStream) if exchange.stream else None
        if failing and failing.fails_in_stream(detail):
            await self.begin_stream()
        if self._started and exchange.stream:
            # The request itself may be what cannot be decoded; an error frame needs no more than this.
            asked = Conversation(model=exchange.model, format=exchange.wire.name, stream=True)
            encoder = exchange.wire.stream_encoder(asked)
            await self.end(encoder.feed([StreamError(detail), End()]))
            return
        text = body or exchange.wire.encode_error(detail)
        if not self._started:
            exchange.status = detail.status
            hints = _hints(detail)
            told = {name for name, _ in hints}
            others = [header for header in _encoded(headers) if header[0] not in told]
            await self._start(detail.status, (_JSON, _length(text), *hints, *others))
        await self._body(text)

    async def kept_alive(self, work: Awaitable[T]) -> T:
        """The result of `work`; meanwhile the client hears from us as often as is configured.

        The first sign of life commits the status to 200 (client API spec, 11.5).
        """
        core = self._exchange.snapshot.config.core
        interval = (
            core.streaming.keepalive_seconds if self._exchange.stream else core.nonstream_keepalive_interval
        )
        if interval <= 0:
            return await work
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=interval))[0]:
                await self._sign_of_life()
            return task.result()
        finally:
            task.cancel()

    async def _sign_of_life(self) -> None:
        if self._exchange.stream:
            await self.begin_stream()
            await self._body(self._exchange.wire.keep_alive, more=True)
            return
        if not self._started:
            self._exchange.status = 200
            await self._start(200, (_JSON,))
        await self._body(b"\n", more=True)

    async def _start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._started = True
        request_id = (b"x-ppap-request-id", self._exchange.id.encode())
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*headers, request_id, *CORS_HEADERS],
            }
        )

    async def _body(self, data: bytes, *, more: bool = False) -> None:
        if not more and self._watch is not None:
            self._watch.stop()
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()


def _encoded(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _hints(detail: ErrorDetail) -> list[tuple[bytes, bytes]]:
    hints = []
    if detail.retry_after is not None and detail.status in (429, 503, 529):
        hints.append((b"retry-after", str(max(1, math.ceil(detail.retry_after))).encode()))
    if detail.status == 401:
        hints.append((b"www-authenticate", b"Bearer"))
    return hints
