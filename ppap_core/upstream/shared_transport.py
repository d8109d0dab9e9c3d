"""A transport of httpx that several clients use, and that ends with the last answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx

from .handshake import Handshake


class SharedTransport(httpx.AsyncBaseTransport):
    """Closing a client leaves it open. Once retired, it closes itself after its last answer."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._under_way = 0
        self._retired = False
        self._closing: asyncio.Task[None] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._under_way += 1
        try:
            async with Handshake(request):
                response = await self._transport.handle_async_request(request)
        except BaseException:
            self._one_less()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _CountedStream(response.stream, self)
        return response

    @property
    def closed(self) -> bool:
        return self._closing is not None and self._closing.done()

    def retire(self) -> None:
        """No new requests will come."""
        self._retired = True
        self._close_if_unused()

    async def close(self) -> None:
        """Closes now; answers that are under way break."""
        if self._closing is not None:
            await self._closing
        else:
            await self._transport.aclose()

    def stream_closed(self) -> None:
        self._one_less()

    def _one_less(self) -> None:
        self._under_way -= 1
        if self._retired:
            self._close_if_unused()

    def _close_if_unused(self) -> None:
        if not self._under_way and self._closing is None:
            self._closing = asyncio.ensure_future(self._transport.aclose())


class _CountedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, owner: SharedTransport) -> None:
        self._stream = stream
        self._owner: SharedTransport | None = owner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            yield data

    async def aclose(self) -> None:
        owner, self._owner = self._owner, None
        try:
            await self._stream.aclose()
        finally:
            if owner is not None:
                owner.stream_closed()
