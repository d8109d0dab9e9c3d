"""Two stub upstreams behind one running proxy, and a client that speaks Chat Completions to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import attrs
import httpx
import pytest
from ppap_openai import testing as chat

from ppap_core.exchange import ExchangeRecord
from ppap_core.testing import StubUpstream
from ppap_core.testing.running import RunningProxy, running

FAST = (
    "upstream: {connect-timeout: 5, first-byte-timeout: 0.3, first-event-timeout: 0.3, "
    "between-bytes-timeout: 0.3}\n"
)
"""Deadlines short enough for stalls to be tested; nothing that works comes near them."""


def entries(*stubs: StubUpstream, **more: Any) -> str:
    """One account per stub, in this order of choice, all serving the model ``m``."""
    listed = [
        {
            "name": f"account-{number}",
            "base-url": f"{stub.url}/v1",
            "api-key-entries": [{"api-key": f"sk-upstream-secret-{number}"}],
            "models": [{"name": "upstream-m", "alias": "m"}],
            "priority": -number,
            **more,
        }
        for number, stub in enumerate(stubs)
    ]
    return f"openai-compatibility: {json.dumps(listed)}\n"


@attrs.frozen
class Bench:
    """What a test of the request path needs."""

    first: StubUpstream
    second: StubUpstream
    proxy: RunningProxy
    client: httpx.AsyncClient

    async def ask(self, *, stream: bool = False, model: str = "m", **fields: Any) -> httpx.Response:
        body = chat.request("Hello", model=model, stream=stream, **fields)
        return await self.client.post("/v1/chat/completions", content=body)

    async def record(self, number: int = 1) -> ExchangeRecord:
        """The `number`-th finished request."""
        return (await self.proxy.finished(number))[number - 1]


@contextlib.asynccontextmanager
async def bench(
    settings: str = "", *, accounts: int = 2, plugins: Sequence[object] = (), **entry: Any
) -> AsyncIterator[Bench]:
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(StubUpstream())
        second = await stack.enter_async_context(StubUpstream())
        config = settings + entries(*(first, second)[:accounts], **entry)
        proxy = await stack.enter_async_context(running(config, plugins=plugins))
        client = httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers), timeout=10)
        await stack.enter_async_context(client)
        yield Bench(first, second, proxy, client)


@pytest.fixture
async def two() -> AsyncIterator[Bench]:
    """Two accounts, the first preferred; one round."""
    async with bench(f"request-retry: 0\n{FAST}") as ready:
        yield ready
