"""Both event loops that the proxy may run on, both transports, and what every test needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Literal, TypeAlias

import pytest
import trustme
import uvloop

from ppap_core.upstream import Upstream, UpstreamSettings

NewUpstream: TypeAlias = Callable[..., Upstream]
Transport: TypeAlias = Literal["own", "httpx"]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxy settings stay out of the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def new_upstream() -> AsyncIterator[NewUpstream]:
    """Makes upstreams that are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        def make(**settings: Any) -> Upstream:
            upstream = Upstream(UpstreamSettings(**settings))
            stack.push_async_callback(upstream.close)
            return upstream

        yield make


@pytest.fixture(params=["own", "httpx"])
def transport(request: pytest.FixtureRequest) -> Transport:
    name: Transport = request.param
    return name


@pytest.fixture
def upstream(new_upstream: NewUpstream, transport: Transport) -> Upstream:
    """With either transport."""
    return new_upstream(transport=transport)


@pytest.fixture
def own(new_upstream: NewUpstream) -> Upstream:
    return new_upstream()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()
