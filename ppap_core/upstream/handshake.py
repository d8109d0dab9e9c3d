"""What httpx leaves undone while a connection through a proxy is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, TypeAlias

import httpx
import socksio

Trace: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Called by httpcore before and after each of its steps, with the step's name."""


def begins_request(event: str, info: Mapping[str, Any]) -> bool:
    """Whether the connection stands and the request itself goes out; CONNECT is for the proxy."""
    return event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT"


class Handshake:
    """Around one request to httpx's transport, until the connection stands.

    A SOCKS handshake has no deadline in httpcore 1.0: here it has that of connecting. If it fails,
    its socket is not closed there, and its errors are not httpx's: both is mended here.
    """

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._inner: Trace | None = request.extensions.get("trace")
        self._stream: Any = None
        self._deadline = asyncio.timeout(request.extensions.get("timeout", {}).get("connect"))
        request.extensions = {**request.extensions, "trace": self._trace}

    async def __aenter__(self) -> None:
        await self._deadline.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._deadline.__aexit__(kind, error, trace)
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time", request=self._request) from None
        if isinstance(error, socksio.SOCKSError):
            raise httpx.ProxyError("not an answer of SOCKS5", request=self._request) from error

    async def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event == "socks.connect_tcp.complete":
            self._stream = info["return_value"]
        elif event == "socks.setup_socks5_connection.failed":
            await self._stream.aclose()
        elif begins_request(event, info):
            self._deadline.reschedule(None)
        if self._inner is not None:
            await self._inner(event, info)
