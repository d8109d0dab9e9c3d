"""`Upstream`: all calls to upstreams; plugins see it as ``proxy.upstream``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import httpx

from ..errors import UpstreamError
from .address import Origin, Target, target_of, target_of_parsed
from .direct import Direct
from .head import USER_AGENT
from .httpx_errors import theirs
from .proxies import ProxyChoice
from .reply import Deadlines, UpstreamReply
from .settings import UpstreamSettings
from .through_httpx import ThroughHttpx


class Upstream:
    """Calls upstreams over pooled connections, which all plugins share.

    ``proxy_url`` of a call: empty inherits the global one, then the environment's; ``direct`` goes
    without. ``deadlines``: ``None`` takes those of the settings. An answer is handed over as soon
    as its head is here, whatever its status; redirects are not followed.

    All calls raise `UpstreamError`. To wait for a shorter time than a deadline and then go on
    with the same answer, keep `UpstreamReply.read` in a task: a cancelled read closes the
    connection.
    """

    def __init__(self, settings: UpstreamSettings) -> None:
        self._roads = _Roads(settings)
        self._former: list[_Roads] = []

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        deadlines: Deadlines | None = None,
        proxy_url: str = "",
    ) -> UpstreamReply:
        """``Host``, ``Content-Length`` and what belongs to the connection is set here, not taken from
        ``headers``; ``Accept-Encoding`` (identity) and ``User-Agent`` are set unless given.
        """
        return await self._send("POST", url, body, headers, deadlines, proxy_url)

    async def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        deadlines: Deadlines | None = None,
        proxy_url: str = "",
    ) -> UpstreamReply:
        return await self._send("GET", url, b"", headers, deadlines, proxy_url)

    def client(self, proxy_url: str = "") -> httpx.AsyncClient:
        """An httpx client on the same connections, for logins and the like; not for the data path.

        It may be kept over a reload of the settings, and needs not be closed. It follows no
        redirects and keeps its cookies to itself. Raises httpx's exceptions.
        """
        deadlines = self._roads.settings.deadlines
        return httpx.AsyncClient(
            transport=_Switch(self, proxy_url),
            timeout=httpx.Timeout(deadlines.between, connect=deadlines.connect),
            headers={"User-Agent": USER_AGENT},
            trust_env=False,
        )

    def reconfigure(self, settings: UpstreamSettings) -> None:
        """New calls go by these settings; calls that are under way finish by the old ones.

        To be called on the event loop.
        """
        if settings == self._roads.settings:
            return
        self._roads.retire()
        self._former = [roads for roads in (*self._former, self._roads) if not roads.unused]
        self._roads = _Roads(settings)

    async def close(self) -> None:
        """Closes all connections now."""
        for roads in (*self._former, self._roads):
            await roads.close()

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        deadlines: Deadlines | None,
        proxy_url: str,
    ) -> UpstreamReply:
        target = target_of(url)
        roads = self._roads
        road = roads.road_to(target.origin, proxy_url)
        return await road.send(method, target, body, headers, deadlines or roads.settings.deadlines)

    def transport_to(self, origin: Origin, proxy_url: str) -> httpx.AsyncBaseTransport:
        """The transport that a request of an httpx client takes now."""
        return self._roads.road_to(origin, proxy_url).transport


class Road(Protocol):
    """One way to reach upstreams, with connections of its own."""

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """The same connections for httpx clients; closing a client leaves them open."""
        ...

    async def send(
        self, method: str, target: Target, body: bytes, headers: Mapping[str, str], deadlines: Deadlines
    ) -> UpstreamReply: ...

    @property
    def unused(self) -> bool:
        """No connection is open any more."""
        ...

    def retire(self) -> None:
        """No new calls will come; what is unused is closed now, the rest after its answer."""
        ...

    async def close(self) -> None: ...


class _Roads:
    """All roads under one state of the settings, made when first needed."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self._choice = ProxyChoice(settings.proxy_url)
        self._roads: dict[str, Road] = {}
        if settings.transport == "own":
            self._roads[""] = Direct(settings)

    def road_to(self, origin: Origin, proxy_url: str) -> Road:
        """Raises `ConnectFailed` for an invalid proxy."""
        chosen = self._choice.proxy_for(origin, proxy_url)
        road = self._roads.get(chosen)
        if road is None:
            road = self._roads[chosen] = ThroughHttpx(self.settings, chosen)
        return road

    @property
    def unused(self) -> bool:
        return all(road.unused for road in self._roads.values())

    def retire(self) -> None:
        for road in self._roads.values():
            road.retire()

    async def close(self) -> None:
        for road in self._roads.values():
            await road.close()


class _Switch(httpx.AsyncBaseTransport):
    """Chooses the road anew for each request of a client."""

    def __init__(self, upstream: Upstream, proxy_url: str) -> None:
        self._upstream = upstream
        self._proxy_url = proxy_url

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            origin = target_of_parsed(request.url).origin
            transport = self._upstream.transport_to(origin, self._proxy_url)
        except UpstreamError as error:
            raise theirs(error, request) from error
        return await transport.handle_async_request(request)
