"""The least a proxy can do: bytes passed on in both directions, unread, on one loop.

Its latency is what two more hops cost on this machine, so ours is told as a multiple of it.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop


class _Side(asyncio.Protocol):
    """One end of a pair; what it receives goes out at the other end."""

    def __init__(self) -> None:
        self.other: _Side | None = None
        self._early: list[bytes] = []
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
        else:
            self.other._transport.write(data)

    def join(self, other: _Side) -> None:
        self.other, other.other = other, self
        for data in self._early:
            other._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other._transport.close()


async def serve(port: int, upstream_port: int) -> None:
    """Until the process is ended."""
    loop = asyncio.get_running_loop()
    opening: set[asyncio.Task[None]] = set()

    class Client(_Side):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            task = loop.create_task(self._open())
            opening.add(task)
            task.add_done_callback(opening.discard)

        async def _open(self) -> None:
            _, upstream = await loop.create_connection(_Side, "127.0.0.1", upstream_port)
            self.join(upstream)

    server = await loop.create_server(Client, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
