"""Our connections as a transport for httpx clients."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from ..errors import UpstreamError
from .address import target_of_parsed
from .head import request_head
from .http1 import Exchange
from .httpx_errors import theirs
from .pool import ConnectionPool
from .reply import Deadlines
from .reuse import exchange


class Http1Transport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over a pool that others use too; closing the transport leaves the pool alone.

    Request bodies are collected before they are sent. Raises httpx's exceptions. Of a request's
    timeouts, ``connect`` also covers the wait for a free connection, and ``read`` the time until
    the head; ``write`` and ``pool`` are not looked at.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        try:
            target = target_of_parsed(request.url)
            headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw]
            head = request_head(request.method, target, headers, len(body))
            found = await exchange(
                self._pool, target.origin, request.method, head, body, deadlines_of(request)
            )
        except UpstreamError as error:
            raise theirs(error, request) from error
        return httpx.Response(
            found.status,
            headers=found.raw_headers,
            stream=_Body(found, request),
            extensions={"http_version": b"HTTP/1.1"},
        )


def deadlines_of(request: httpx.Request) -> Deadlines:
    timeouts = request.extensions.get("timeout", {})
    read = timeouts.get("read")
    return Deadlines(connect=timeouts.get("connect"), first_byte=read, between=read)


class _Body(httpx.AsyncByteStream):
    def __init__(self, found: Exchange, request: httpx.Request) -> None:
        self._exchange = found
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while data := await self._exchange.read():
                yield data
        except UpstreamError as error:
            raise theirs(error, self._request) from error

    async def aclose(self) -> None:
        await self._exchange.close()
