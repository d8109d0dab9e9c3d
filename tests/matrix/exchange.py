"""One request of a client through the proxy to a stub, seen from both ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import httpx

from ppap_core.testing import StubUpstream
from ppap_core.testing.running import RunningProxy, running

from ..dialects import Turn, answer
from .asking import Request
from .facts import Facts, heard_of
from .formats import FORMATS, GUARDED
from .kinds import UPSTREAMS, dialect_of
from .strict import CHECK_REQUEST, check_stream, check_whole

KEY: Final = "sk-upstream-0001"


def config(url: str) -> str:
    """A proxy with one upstream of each kind, whose only model is called after it."""

    def entry(kind: str, path: str = "") -> str:
        models = f"[{{name: upstream-model, alias: to-{kind}}}]"
        return f"[{{api-key: {KEY}, base-url: '{url}{path}', models: {models}}}]"

    return f"""
request-retry: 0
disable-cooling: true
openai-compatibility:
  - name: stub
    base-url: '{url}/v1'
    api-key-entries: [{{api-key: {KEY}}}]
    models: [{{name: upstream-model, alias: to-chat}}]
codex-api-key: {entry("codex", "/v1")}
claude-api-key: {entry("messages")}
gemini-api-key: {entry("gemini")}
vertex-api-key: {entry("vertex")}
"""


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
        self.stub.otherwise(lambda asked: answer(dialect_of(upstream), asked, turn))
        response = await self.post(client, upstream, body, stream=stream)
        assert response.status_code == 200, response.text
        asked = self.stub.requests[-1]
        CHECK_REQUEST[UPSTREAMS[upstream]](asked.json())
        self.check(client, response.content, stream=stream)
        whole = spoken.collect(response.content) if stream else response.json()
        return Heard(
            whole=whole,
            asked=FORMATS[UPSTREAMS[upstream]].read(asked),
            answered=heard_of(spoken.hear(whole)),
        )

    def check(self, client: str, answered: bytes, *, stream: bool) -> None:
        """By the vendor's types, and a stream by the guard of its format (pain 21)."""
        if not stream:
            check_whole(client, answered)
            return
        guard = GUARDED[client].stream_guard()
        assert guard.feed(answered) + guard.close() == []
        check_stream(client, answered)

    async def post(self, client: str, upstream: str, body: Any, *, stream: bool) -> httpx.Response:
        path = FORMATS[client].path(f"to-{upstream}", stream)
        return await self.http.post(
            f"{self.proxy.base_url}{path}", json=body, headers=dict(self.proxy.headers)
        )


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    async with (
        StubUpstream() as stub,
        running(config(stub.url)) as proxy,
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
    ):
        yield Place(stub=stub, proxy=proxy, http=http)
