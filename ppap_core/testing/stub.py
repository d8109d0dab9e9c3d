"""An upstream for tests, on a real socket: it answers what it is told and remembers what it was asked.

    async with StubUpstream() as stub:
        stub.answers(whole(b'{"say": "Hello"}'))
        ...                                     # call stub.url
        assert stub.requests[0].json() == {"ask": "Hi"}

It knows bytes only; what they mean is the business of each format's own ``testing`` module.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import attrs
import httptools
import orjson

from .answer import Answer, Ending, Framing, Opening, whole


@attrs.define(eq=False, kw_only=True)
class ReceivedRequest:
    """A request as it came, and what became of it.

    ``target`` is the path with its query. ``headers`` has lower-case names, repeated ones joined
    with a comma; ``header_lines`` has them as sent. ``connection`` numbers the connections of a
    stub from 0, so equal numbers mean that one was used again.
    """

    method: str
    target: str
    header_lines: tuple[tuple[str, str], ...]
    body: bytes = attrs.field(repr=False)
    connection: int
    disconnected: asyncio.Event = attrs.field(factory=asyncio.Event, repr=False)
    """Set when the connection is gone, whoever ended it."""
    answered: asyncio.Event = attrs.field(factory=asyncio.Event, repr=False)
    """Set when everything that the answer has to send was handed to the socket."""
    frames_sent: int = 0

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def headers(self) -> Mapping[str, str]:
        joined: dict[str, str] = {}
        for name, value in self.header_lines:
            key = name.lower()
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        return joined

    def json(self) -> Any:
        """The body, decoded. Raises `ValueError` when it is not JSON."""
        return orjson.loads(self.body)


Respond: TypeAlias = Callable[[ReceivedRequest], Answer]
_GARBAGE: Final = b"\x16\x03\x01 this is no answer\r\n\r\n"


class StubUpstream:
    """An HTTP/1.1 server on a free loopback port. ``tls``: serves https with this context.

    When a scripted function raises, its request gets a 500 and the error comes out of ``async with``.
    """

    def __init__(self, *answers: Answer | Respond, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        """How many were ever accepted."""
        self.url: str = ""
        """Without a slash at the end; empty until the stub is entered."""
        self._tls = tls
        self._queue: deque[Answer | Respond] = deque(answers)
        self._otherwise: Answer | Respond = _nothing_scripted
        self._live: set[_Connection] = set()
        self._arrival = asyncio.Event()
        self._failures: list[Exception] = []

    def answers(self, *answers: Answer | Respond) -> None:
        """Adds answers for the next requests, one each, in order of arrival."""
        self._queue.extend(answers)

    def otherwise(self, answer: Answer | Respond) -> None:
        """What a request gets that finds the queue empty; at first a 500 that says so."""
        self._otherwise = answer

    async def received(self, count: int = 1) -> list[ReceivedRequest]:
        """All requests, as soon as there are at least ``count`` of them."""
        while len(self.requests) < count:
            await self._arrival.wait()
        return self.requests

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
        if self._failures and error is None:
            raise self._failures[0]

    async def close(self) -> None:
        """Stops listening and breaks what is open; afterwards a connection is refused. Idempotent."""
        self._server.close()
        gone = [connection.gone for connection in self._live]
        for connection in list(self._live):
            connection.reset()
        for event in gone:
            await event.wait()
        await self._server.wait_closed()

    def _take(self, request: ReceivedRequest) -> Answer:
        scripted = self._queue.popleft() if self._queue else self._otherwise
        self.requests.append(request)
        self._arrival.set()
        self._arrival = asyncio.Event()
        if isinstance(scripted, Answer):
            return scripted
        try:
            return scripted(request)
        except Exception as error:
            self._failures.append(error)
            return whole(b'{"error": {"message": "stub upstream: its script failed"}}', status=500)


def _nothing_scripted(request: ReceivedRequest) -> Answer:
    message = f"stub upstream: no answer is scripted for {request.method} {request.target}"
    return whole(orjson.dumps({"error": {"message": message}}), status=500)


class _Connection(asyncio.Protocol):
    """One connection: parses requests and answers them one after the other."""

    def __init__(self, stub: StubUpstream) -> None:
        self._stub = stub
        self._number = stub.connections
        self._transport: asyncio.Transport
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._lines: list[tuple[str, str]] = []
        self._body = bytearray()
        self._waiting: asyncio.Queue[tuple[ReceivedRequest, bool]] = asyncio.Queue()
        self._writable = asyncio.Event()
        self._current: list[ReceivedRequest] = []
        self.gone = asyncio.Event()
        stub.connections += 1

    # the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._writable.set()
        self._stub._live.add(self)
        self._answering = asyncio.get_running_loop().create_task(self._answer_all())

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # its request is answered like any other, and what it wanted to speak is not spoken here
        except httptools.HttpParserError:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            self._transport.close()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._stub._live.discard(self)
        self._answering.cancel()
        self._writable.set()
        for request in self._current:
            request.disconnected.set()
        self.gone.set()

    def reset(self) -> None:
        """Ends the connection with an RST: lingering for no time forbids the orderly end."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    # the parser

    def on_message_begin(self) -> None:
        self._target, self._lines, self._body = b"", [], bytearray()

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        request = ReceivedRequest(
            method=self._parser.get_method().decode("ascii"),
            target=self._target.decode("latin-1"),
            header_lines=tuple(self._lines),
            body=bytes(self._body),
            connection=self._number,
        )
        self._current.append(request)
        self._waiting.put_nowait((request, self._parser.should_keep_alive()))

    # answers

    async def _answer_all(self) -> None:
        while True:
            request, keep_alive = await self._waiting.get()
            answer = self._stub._take(request)
            if answer.before_head is not None:
                await answer.before_head.wait()
            if not await self._begin(request, answer):
                return
            if request.method != "HEAD":
                await self._send_body(request, answer)
            request.answered.set()
            if not await self._finish(answer) or not keep_alive:
                self._transport.close()
                return

    async def _begin(self, request: ReceivedRequest, answer: Answer) -> bool:
        """Whether the answer goes on after its opening."""
        match answer.opening:
            case Opening.NORMAL:
                await self._write(answer.head())
                return True
            case Opening.SILENT:
                pass
            case Opening.HALF_HEAD:
                await self._write(answer.head()[:-6])
            case Opening.GARBAGE:
                await self._write(_GARBAGE)
                self._transport.close()
            case Opening.CLOSED:
                self._transport.close()
            case Opening.RESET:
                self.reset()
        request.answered.set()
        return False

    async def _send_body(self, request: ReceivedRequest, answer: Answer) -> None:
        for frame in answer.frames:
            if isinstance(frame, asyncio.Event):
                await frame.wait()
            elif frame:
                chunked = answer.framing is Framing.CHUNKED
                await self._write(b"%x\r\n%b\r\n" % (len(frame), frame) if chunked else frame)
                request.frames_sent += 1

    async def _finish(self, answer: Answer) -> bool:
        """Whether the connection can be used again."""
        match answer.ending:
            case Ending.COMPLETE:
                if answer.framing is Framing.CHUNKED:
                    await self._write(b"0\r\n\r\n")
                return answer.framing is not Framing.CLOSE
            case Ending.RESET:
                self.reset()
            case Ending.STALLED:
                await self.gone.wait()
            case Ending.MALFORMED_CHUNK:
                await self._write(b"not a chunk size\r\n")
            case Ending.CLOSED:
                pass
        return False

    async def _write(self, data: bytes) -> None:
        await self._writable.wait()
        if not self._transport.is_closing():
            self._transport.write(data)
            # One turn of the loop for each write, so that frames do not melt into one segment.
            await asyncio.sleep(0)
