"""Calls over our own connections: the data path. Builds no objects of httpx."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import httpx

from .address import Target
from .decoded import DecodedReply
from .head import request_head
from .httpx_transport import Http1Transport
from .pool import ConnectionPool
from .reply import Deadlines, UpstreamReply
from .reuse import exchange
from .settings import UpstreamSettings
from .tls import client_context


class Direct:
    """A `Road` without a proxy."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._pool = ConnectionPool(
            context=lru_cache(maxsize=1)(lambda: client_context(settings.ca_file)),
            max_per_host=settings.max_connections_per_host or None,
            idle_seconds=settings.idle_seconds or None,
            max_idle=settings.max_idle_connections,
        )
        self.transport: httpx.AsyncBaseTransport = Http1Transport(self._pool)

    async def send(
        self, method: str, target: Target, body: bytes, headers: Mapping[str, str], deadlines: Deadlines
    ) -> UpstreamReply:
        origin = target.origin
        head = request_head(method, target, headers.items(), len(body))
        found = await exchange(self._pool, origin, method, head, body, deadlines)
        return DecodedReply(found.status, found.raw_headers, found, origin)

    @property
    def unused(self) -> bool:
        return self._pool.unused

    def retire(self) -> None:
        self._pool.retire()

    async def close(self) -> None:
        self._pool.close()
