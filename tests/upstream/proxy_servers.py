"""A minimal HTTP proxy and a minimal SOCKS5 proxy, to be used as scripts of a `FaultServer`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .fault_server import Peer


class HttpProxy:
    """CONNECT, and plain requests in absolute form. ``lines`` are what it was asked for."""

    def __init__(self, authorization: str = "") -> None:
        self._authorization = authorization
        self.lines: list[str] = []

    async def __call__(self, peer: Peer) -> None:
        head = await peer.head()
        self.lines.append(head.line)
        if head.headers.get("proxy-authorization", "") != self._authorization:
            await peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            return
        method, target, _ = head.line.split(" ")
        address = target if method == "CONNECT" else target.split("/")[2]
        host, port = address.rsplit(":", 1)
        async with connected(host, int(port)) as (reader, writer):
            if method == "CONNECT":
                await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                fields = "".join(f"{name}: {value}\r\n" for name, value in head.headers.items())
                writer.write(f"{method} /{target.split('/', 3)[3]} HTTP/1.1\r\n{fields}\r\n".encode())
            await tunnel(peer, reader, writer)


class SocksProxy:
    """SOCKS5 with or without a password (RFC 1928, RFC 1929). ``targets`` are what it was asked for."""

    def __init__(self, password: bytes = b"", verdict: int = 0) -> None:
        self._password = password
        self._verdict = verdict
        self.targets: list[tuple[int, str, int]] = []

    async def __call__(self, peer: Peer) -> None:
        _, count = await peer.exactly(2)
        await peer.exactly(count)
        await peer.send(b"\x05\x02" if self._password else b"\x05\x00")
        if self._password and not await self._admitted(peer):
            return
        kind = (await peer.exactly(4))[3]
        size = 4 if kind == 1 else (await peer.exactly(1))[0]
        address = await peer.exactly(size)
        port = int.from_bytes(await peer.exactly(2))
        host = ".".join(map(str, address)) if kind == 1 else address.decode()
        self.targets.append((kind, host, port))
        await peer.send(b"\x05%c\x00\x01\0\0\0\0\0\0" % self._verdict)
        if not self._verdict:
            async with connected(host, port) as (reader, writer):
                await tunnel(peer, reader, writer)

    async def _admitted(self, peer: Peer) -> bool:
        _, size = await peer.exactly(2)
        user = await peer.exactly(size)
        password = await peer.exactly((await peer.exactly(1))[0])
        good = user + b":" + password == self._password
        await peer.send(b"\x01\x00" if good else b"\x01\x01")
        return good


@asynccontextmanager
async def connected(host: str, port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def tunnel(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Both directions, until one side ends."""

    async def upwards() -> None:
        while data := await peer.some():
            writer.write(data)
            await writer.drain()

    async def downwards() -> None:
        while data := await reader.read(65536):
            await peer.send(data)

    both = [asyncio.ensure_future(upwards()), asyncio.ensure_future(downwards())]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
