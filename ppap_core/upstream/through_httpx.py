"""Calls over httpx's own transport: through proxies, or all of them where the settings say so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from ..errors import ConnectFailed, UpstreamBroken, UpstreamError, UpstreamTimeout
from .address import Target
from .decoded import DecodedReply
from .handshake import begins_request
from .head import request_fields
from .httpx_errors import ours
from .reply import Deadlines, UpstreamReply
from .settings import UpstreamSettings
from .shared_transport import SharedTransport
from .tls import client_context

_ERRORS: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)


class ThroughHttpx:
    """A `Road` through one proxy, or through none if ``proxy_url`` is empty.

    Calls the transport itself, not an `httpx.AsyncClient`: no redirects, no environment, and no
    cookies that one account would leave to the next.

    Unlike on our own connections, an answer that comes before a large body was sent is only seen
    once the server closes, and a request on a connection that just died is not repeated.
    Raises `ConnectFailed` for a proxy URL that httpx does not take.
    """

    def __init__(self, settings: UpstreamSettings, proxy_url: str) -> None:
        self.transport = SharedTransport(_new_transport(settings, proxy_url))

    async def send(
        self, method: str, target: Target, body: bytes, headers: Mapping[str, str], deadlines: Deadlines
    ) -> UpstreamReply:
        watch = _Watch(deadlines)
        origin = target.origin
        request = httpx.Request(
            method,
            httpx.URL(
                scheme=origin.scheme, host=origin.host, port=origin.port, raw_path=target.path.encode("ascii")
            ),
            headers=request_fields(method, target, headers.items(), len(body)),
            content=body or None,
            extensions={"timeout": watch.timeouts, "trace": watch.trace},
        )
        try:
            async with watch.deadline:
                response = await self.transport.handle_async_request(request)
        except TimeoutError:
            raise UpstreamTimeout(f"{origin}: no answer within {deadlines.first_byte:g} s") from None
        except _ERRORS as error:
            raise ours(error, origin) from error
        watch.timeouts["read"] = deadlines.between
        return DecodedReply(response.status_code, response.headers.raw, _Body(response, target), origin)

    @property
    def unused(self) -> bool:
        return self.transport.closed

    def retire(self) -> None:
        self.transport.retire()

    async def close(self) -> None:
        await self.transport.close()


class _Watch:
    """The deadline of one call for its head.

    httpx counts anew with each read, so a head that trickles in would put it off. It is kept here
    instead, and moved on when the request begins and ends to be sent. ``timeouts`` is httpx's own:
    it looks into the dict again when the body begins.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._first_byte = deadlines.first_byte
        self._loop = asyncio.get_running_loop()
        self._begun = False
        self.deadline = asyncio.timeout(None)
        self.timeouts: dict[str, float | None] = {"connect": deadlines.connect, "pool": deadlines.connect}

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        self._begun = self._begun or begins_request(event, info)
        moves = event == "http11.send_request_body.complete" or begins_request(event, info)
        if moves and self._begun and self._first_byte is not None:
            self.deadline.reschedule(self._loop.time() + self._first_byte)


class _Body:
    """A `Source` over the body of a response of httpx."""

    def __init__(self, response: httpx.Response, target: Target) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._chunks: AsyncIterator[bytes] = aiter(self._stream)
        self._origin = target.origin
        self._error: UpstreamError | None = None
        self._complete = False
        self._closed = False

    async def read(self) -> bytes:
        if self._error is not None:
            raise self._error
        if self._closed and not self._complete:
            raise UpstreamBroken("the answer was closed before its end was read")
        try:
            async for data in self._chunks:
                if data:
                    return data
        except _ERRORS as error:
            self._error = ours(error, self._origin)
            raise self._error from error
        self._complete = True
        await self.close()
        return b""

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._stream.aclose()


def _new_transport(settings: UpstreamSettings, proxy_url: str) -> httpx.AsyncHTTPTransport:
    context = client_context(settings.ca_file)
    try:
        to_proxy = context if proxy_url.startswith("https:") else None
        proxy = httpx.Proxy(proxy_url, ssl_context=to_proxy) if proxy_url else None
    except (httpx.InvalidURL, ValueError):
        raise ConnectFailed("proxy-url is malformed; it must look like scheme://host:port") from None
    limits = httpx.Limits(
        max_connections=settings.max_connections_per_host or None,
        max_keepalive_connections=settings.max_idle_connections,
        keepalive_expiry=settings.idle_seconds or None,
    )
    return httpx.AsyncHTTPTransport(verify=context, proxy=proxy, limits=limits, trust_env=False)
