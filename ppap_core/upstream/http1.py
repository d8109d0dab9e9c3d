"""HTTP/1.1 on one connection: bytes in, answers out; one request at a time.

Everything is driven by the loop's callbacks, so neither sending a large body nor watching a
deadline needs a task. A read hands over all body bytes that have arrived, in one object.
"""

from __future__ import annotations

import asyncio
import enum
from typing import Final, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ..errors import MalformedReply, UpstreamBroken, UpstreamError, UpstreamTimeout
from .address import Origin
from .alarm import Alarm
from .reply import Deadlines

MAX_BUFFERED_BYTES: Final = 256 * 1024
"""Above this the socket is not read until the body was taken; one read more may come on top."""
MAX_FRAMING_BYTES: Final = 256 * 1024
"""Bytes in a row that are no body: an answer's head, interim answers, chunk extensions, trailers."""
JOINED_BYTES: Final = 64 * 1024
"""A body up to this size is joined to the head: the copy is cheaper than a second write."""
SLICE_BYTES: Final = 256 * 1024
"""A larger body is handed to the socket in slices of this size, as the socket takes them."""

_NOTHING: Final = memoryview(b"")


class Phase(enum.Enum):
    """Where a connection stands. It leaves ``CLOSED`` for nothing."""

    IDLE = "no request is on its way"
    HEAD = "a request was sent, its answer's head is not complete"
    BODY = "the head is complete, the body is not"
    COMPLETE = "the answer is complete"
    POLLUTED = "the answer is complete, and followed by bytes nobody asked for"
    CLOSED = "the connection is gone"


_IDLE, _HEAD, _BODY = Phase.IDLE, Phase.HEAD, Phase.BODY
_COMPLETE, _POLLUTED, _CLOSED = Phase.COMPLETE, Phase.POLLUTED, Phase.CLOSED


class Owner(Protocol):
    """Who keeps a connection; told once of each end of an exchange, and once of its own end."""

    def take_back(self, connection: Http1Connection) -> None:
        """It is idle and may carry the next request."""

    def forget(self, connection: Http1Connection) -> None:
        """It is closed."""


class Exchange:
    """One answer as it comes in. ``raw_headers`` are as sent; trailers are dropped."""

    __slots__ = ("_chunks", "_connection", "_error", "_loop", "_waiter", "complete", "raw_headers", "status")

    def __init__(
        self, connection: Http1Connection, chunks: list[bytes], loop: asyncio.AbstractEventLoop
    ) -> None:
        self.status = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self._connection: Http1Connection | None = connection
        self._chunks = chunks
        self._loop = loop
        self._error: UpstreamError | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def head(self) -> None:
        """Returns when ``status`` and ``raw_headers`` are there. Cancelled, it closes the connection."""
        while not self.status:
            await self._progress()

    async def read(self) -> bytes:
        """All body bytes that have arrived; waits if there are none; ``b""`` at the end.

        Cancelled, it closes the connection: nobody else would. What came before an error is
        handed over before the error is raised.
        """
        chunks = self._chunks
        while not chunks:
            if self.complete:
                return b""
            await self._progress()
            chunks = self._chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        if self._connection is not None:
            self._connection.body_taken()
        return data

    async def close(self) -> None:
        """Closes the connection unless the answer is complete; then the owner has it already."""
        if self._connection is not None:
            self._connection.abort()

    async def _progress(self) -> None:
        if self._error is not None:
            raise self._error
        if self._connection is None:
            raise UpstreamBroken("the answer was closed before its end was read")
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            if self._connection is not None:
                self._connection.abort()
            raise
        finally:
            self._waiter = None

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def finish(self) -> None:
        """The answer is complete. Its bytes move here, so that the connection can go on without it."""
        self._chunks = self._chunks.copy()
        self.complete = True
        self._connection = None
        self.wake()

    def fail(self, error: UpstreamError | None) -> None:
        """The connection is gone; ``None``: we closed it ourselves."""
        self._error = error
        self._connection = None
        self.wake()


class Http1Connection(asyncio.Protocol):
    """A connection to one origin. ``served`` counts the requests it has carried.

    ``answered``: at least one byte came in answer to the latest request.
    """

    __slots__ = (
        "_alarm",
        "_between",
        "_buffered",
        "_chunks",
        "_exchange",
        "_first_byte",
        "_framing",
        "_headers",
        "_keep",
        "_loop",
        "_method",
        "_owner",
        "_parser",
        "_reading",
        "_transport",
        "_unsent",
        "_writable",
        "answered",
        "idle_since",
        "on_body",
        "origin",
        "phase",
        "served",
    )

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop, owner: Owner) -> None:
        self.origin = origin
        self.phase = _IDLE
        self.served = 0
        self.answered = False
        self.idle_since = 0.0
        self._loop = loop
        self._owner = owner
        self._alarm = Alarm(loop, self._overdue)
        self._chunks: list[bytes] = []
        self.on_body = self._chunks.append  # called by the parser for each chunk: no Python frame
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._method = ""
        self._first_byte: float | None = None
        self._between: float | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._buffered = 0
        self._framing = 0
        self._keep = False
        self._reading = True
        self._writable = True
        self._unsent = _NOTHING

    async def send(self, method: str, head: bytes, body: bytes, deadlines: Deadlines) -> Exchange:
        """Sends a request and returns when its answer's head is here. The connection must be idle.

        An answer may come before the body was sent. An error then stops the sending; after any
        other the body goes on in the background, for a server may answer while it reads.
        Raises `UpstreamError`.
        """
        self.answered = False
        transport = self._transport
        if transport is None or self.phase is not _IDLE or transport.is_closing():
            raise UpstreamBroken(f"{self.origin}: the connection closed before the request was sent")
        exchange = self._exchange = Exchange(self, self._chunks, self._loop)
        self.phase = _HEAD
        self.served += 1
        self._method = method
        self._first_byte = deadlines.first_byte
        self._between = deadlines.between
        self._framing = 0
        if len(body) <= JOINED_BYTES:
            transport.write(head + body)
        else:
            transport.write(head)
            self._unsent = memoryview(body)
            self._send_more(transport)
        self._alarm.set(deadlines.first_byte)
        await exchange.head()
        return exchange

    def body_taken(self) -> None:
        """The exchange took what was buffered: read on."""
        self._buffered = 0
        if not self._reading:
            self._resume_reading()
            self._alarm.set(self._between)

    def abort(self) -> None:
        """Closes the socket at once; what is not yet sent is dropped. Idempotent."""
        self._end(None)

    # --- called by the loop -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not subclasses of it

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:  # nobody asked: it must not be taken for the next answer
            self.abort()
            return
        self.answered = True
        chunks_before = len(self._chunks)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._end(MalformedReply(f"{self.origin}: switched protocols, which nobody asked for"))
        except HttpParserError as error:
            self._unparsable(error)
        if self.phase is _BODY:
            self._body_arrived(exchange, len(data), len(self._chunks) - chunks_before)
        elif self.phase is _HEAD:
            self._count_framing(len(data))
        elif self.phase is not _CLOSED:
            self._settle(exchange)

    def eof_received(self) -> None:
        self._lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        exchange, transport = self._exchange, self._transport
        if not self._unsent or exchange is None or transport is None or exchange.status >= 400:
            return
        self._send_more(transport)
        self._alarm.set(self._first_byte if self.phase is _HEAD else self._between)

    # --- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.phase is not _HEAD:
            self.phase = _POLLUTED

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase is _HEAD:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if self.phase is not _HEAD or exchange is None:
            return
        headers, self._headers = self._headers, []
        status = self._parser.get_status_code()
        if status < 200:
            return
        exchange.status = status
        exchange.raw_headers = headers
        self.phase = _BODY
        if self._method == "HEAD":  # the parser cannot know that no body follows
            self._keep = self._parser.should_keep_alive()
            self._parser = HttpResponseParser(self)
            self._complete(exchange)

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if self.phase is _BODY and exchange is not None:
            # asked later, the parser has already forgotten what the answer said
            self._keep = self._parser.should_keep_alive()
            self._complete(exchange)

    # --- inside -----------------------------------------------------------------------------------

    def _send_more(self, transport: asyncio.Transport) -> None:
        while self._unsent and self._writable:
            transport.write(self._unsent[:SLICE_BYTES])
            self._unsent = self._unsent[SLICE_BYTES:]

    def _body_arrived(self, exchange: Exchange, size: int, new_chunks: int) -> None:
        if new_chunks:
            self._framing = 0
        else:
            self._count_framing(size)
        self._buffered += size
        if self._buffered > MAX_BUFFERED_BYTES and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()
            self._alarm.set(None)  # from now on it is not the upstream who is silent
        elif self._reading:
            self._alarm.set(self._between)
        exchange.wake()

    def _count_framing(self, size: int) -> None:
        self._framing += size
        if self._framing > MAX_FRAMING_BYTES:
            self._end(
                MalformedReply(f"{self.origin}: more than {MAX_FRAMING_BYTES} bytes of headers in its answer")
            )

    def _complete(self, exchange: Exchange) -> None:
        self.phase = _COMPLETE
        exchange.finish()
        self._chunks.clear()

    def _settle(self, exchange: Exchange) -> None:
        """The answer is complete: is the connection good for another?"""
        clean = self.phase is _COMPLETE and not self._chunks
        sent = not self._unsent and self._writable
        if not (self._keep and clean and sent) or self._transport is None or self._transport.is_closing():
            self.abort()
            return
        self.phase = _IDLE
        self._exchange = None
        self._buffered = 0
        self._alarm.set(None)
        if not self._reading:
            self._resume_reading()
        self._owner.take_back(self)

    def _resume_reading(self) -> None:
        self._reading = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _unparsable(self, error: HttpParserError) -> None:
        if self.phase is _HEAD or self.phase is _BODY:
            self._end(MalformedReply(f"{self.origin}: its answer is not HTTP/1.1: {error}"))
        else:
            self.phase = _POLLUTED

    def _overdue(self) -> None:
        if self.phase is _HEAD:
            message = f"{self.origin}: no answer within {self._first_byte:g} s"
        else:
            message = f"{self.origin}: silent for {self._between:g} s in the middle of its answer"
        self._end(UpstreamTimeout(message))

    def _lost(self, error: Exception | None) -> None:
        exchange = self._exchange
        if self.phase is _BODY and exchange is not None and error is None and _ends_with_close(exchange):
            self._complete(exchange)
        if self.phase is _BODY:
            self._end(UpstreamBroken(f"{self.origin}: closed the connection in the middle of its answer"))
        elif self.phase is _HEAD and self.answered:
            self._end(UpstreamBroken(f"{self.origin}: closed the connection within the head of its answer"))
        elif self.phase is _HEAD:
            self._end(UpstreamBroken(f"{self.origin}: closed the connection without an answer"))
        else:
            self._end(None)

    def _end(self, error: UpstreamError | None) -> None:
        if self.phase is _CLOSED:
            return
        exchange, self._exchange = self._exchange, None
        if exchange is not None and not exchange.complete:
            exchange.fail(error)
        self.phase = _CLOSED
        self._unsent = _NOTHING
        self._alarm.close()
        if self._transport is not None:
            self._transport.abort()
        self._owner.forget(self)


def _ends_with_close(exchange: Exchange) -> bool:
    """Whether the end of the connection is the end of the body (RFC 9112, 6.3)."""
    fields = {name.lower(): value for name, value in exchange.raw_headers}
    codings = fields.get(b"transfer-encoding", b"").lower().split(b",")
    return b"content-length" not in fields and codings[-1].strip() != b"chunked"
