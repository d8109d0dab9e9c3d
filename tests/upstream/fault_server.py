"""A server on a raw socket that does with each connection what a script says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class Received:
    """A request as it came: ``headers`` by lower-case name, ``names`` as spelt."""

    line: str
    headers: dict[str, str]
    names: list[str]
    body: bytes


class Peer:
    """The server's end of one connection; ``number`` counts from 1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._reader = reader
        self.writer = writer
        self.number = number

    async def head(self) -> Received:
        """The next request without its body. Raises `EOFError` when the client has gone."""
        text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = text.removesuffix("\r\n\r\n").split("\r\n")
        pairs = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
        headers = {name.lower(): value for name, value in pairs}
        return Received(line=line, headers=headers, names=[name for name, _ in pairs], body=b"")

    async def request(self) -> Received:
        head = await self.head()
        body = await self._reader.readexactly(int(head.headers.get("content-length", "0")))
        return attrs.evolve(head, body=body)

    async def exactly(self, size: int) -> bytes:
        return await self._reader.readexactly(size)

    async def some(self) -> bytes:
        return await self._reader.read(65536)

    async def skip(self, size: int) -> None:
        """Reads so many bytes and keeps none."""
        while size > 0:
            size -= len(data := await self._reader.read(min(size, 65536)))
            if not data:
                raise EOFError

    async def send(self, *parts: bytes) -> None:
        """Each part on its own, so that the client has the chance to read it on its own."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def gone(self) -> None:
        """Returns when the client has closed the connection."""
        try:
            while await self._reader.read(65536):
                pass
        except ConnectionError:
            pass

    def close(self) -> None:
        self.writer.close()


Script: TypeAlias = Callable[[Peer], Awaitable[None]]


class FaultServer:
    """Runs ``script`` for each connection, and closes the connection when the script ends."""

    def __init__(self, script: Script, context: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://localhost:{self.port}/v1?key=secret"

    async def __aenter__(self) -> FaultServer:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self._context, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        task = asyncio.ensure_future(self._run(Peer(reader, writer, self.connections)))
        self._tasks.add(task)

    async def _run(self, peer: Peer) -> None:
        try:
            await self._script(peer)
        except (EOFError, ConnectionError):
            pass
        finally:
            peer.close()


def answering(*parts: bytes) -> Script:
    """Answers each request with these parts; the connection stays open."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(*parts)

    return script


def ending(*parts: bytes) -> Script:
    """Answers the first request with these parts, and closes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)

    return script


def stalling(*parts: bytes) -> Script:
    """Answers the first request with these parts, and says no more."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)
        await peer.gone()

    return script


def reply(body: bytes = b"ok", *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer with a content length, and further header lines."""
    lines = b"".join(field + b"\r\n" for field in fields)
    return b"HTTP/1.1 %b\r\ncontent-length: %d\r\n%b\r\n%b" % (status, len(body), lines, body)


def chunked(*chunks: bytes) -> bytes:
    """The same in chunks, with the last one."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
