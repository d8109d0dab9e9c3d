"""One request of a client through the proxy to a stub, seen from both ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx

from ppap_core.testing import StubUpstream
from ppap_core.testing.running import RunningProxy, running

from ..dialects import DIALECTS, Turn, answer
from .asking import Request
from .facts import Facts, heard_of
from .formats import CONFIG, FORMATS, SpeakerPlugin
from .kinds import UPSTREAMS
from .strict import CHECK_REQUEST, check_stream, check_whole


@attrs.frozen(kw_only=True)
class Heard:
    """``whole``: the answer as the client has it at the end. ``asked``, ``answered``: what each end knows."""

    whole: dict[str, Any]
    asked: Facts
    answered: Facts


@attrs.frozen(kw_only=True)
class Place:
    """A proxy with an upstream of each kind, and a client."""

    stub: StubUpstream
    proxy: RunningProxy
    http: httpx.AsyncClient

    async def exchange(
        self,
        client: str,
        upstream: str,
        request: Request,
        turn: Turn,
        *,
        stream: bool,
        replay: dict[str, Any] | None = None,
    ) -> Heard:
        """Every body that leaves either end has passed its vendor's types."""
        spoken = FORMATS[client]
        body = spoken.ask(request, f"to-{upstream}", stream, replay)
        CHECK_REQUEST[client](body)
        self.stub.otherwise(lambda asked: answer(DIALECTS[upstream], asked, turn))
        response = await self.post(client, upstream, body, stream=stream)
        assert response.status_code == 200, response.text
        asked = self.stub.requests[-1]
        CHECK_REQUEST[UPSTREAMS[upstream]](asked.json())
        (check_stream if stream else check_whole)(client, response.content)
        whole = spoken.collect(response.content) if stream else response.json()
        return Heard(
            whole=whole,
            asked=FORMATS[UPSTREAMS[upstream]].read(asked),
            answered=heard_of(spoken.hear(whole)),
        )

    async def post(self, client: str, upstream: str, body: Any, *, stream: bool) -> httpx.Response:
        path = FORMATS[client].path(f"to-{upstream}", stream)
        return await self.http.post(
            f"{self.proxy.base_url}{path}", json=body, headers=dict(self.proxy.headers)
        )


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    async with (
        StubUpstream() as stub,
        running(CONFIG.format(url=stub.url), plugins=[SpeakerPlugin(stub.url)]) as proxy,
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
    ):
        yield Place(stub=stub, proxy=proxy, http=http)
