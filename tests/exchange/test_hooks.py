"""Hooks of the request path fire on every surface, over every road, streamed or not (pain 40)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from ppap_claude import testing as messages
from ppap_openai import testing as chat

from ppap_core import hookimpl
from ppap_core.access import Identity
from ppap_core.exchange import Arrival, ExchangeRecord
from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import running

SURFACES = {
    "openai-chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    "openai-completions": ("/v1/completions", {"prompt": "x"}),
    "anthropic-messages": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
}
ROADS = ["chat-upstream", "messages-upstream", "demo"]


class Witness:
    """Notes every call of a request-path hook."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.records: list[ExchangeRecord] = []

    @hookimpl(tryfirst=True)
    def ppap_authenticate(self, arrival: Arrival) -> Identity | None:
        self.arrivals.append(arrival)
        return None

    @hookimpl
    def ppap_exchange_finished(self, record: ExchangeRecord) -> None:
        self.records.append(record)


def config(stub: StubUpstream) -> str:
    compatible = {
        "name": "c",
        "base-url": f"{stub.url}/v1",
        "models": [{"name": "up", "alias": "chat-upstream"}],
    }
    claude = {
        "api-key": "k",
        "base-url": stub.url,
        "models": [{"name": "up", "alias": "messages-upstream"}],
    }
    return (
        f"openai-compatibility: {json.dumps([compatible])}\n"
        f"claude-api-key: {json.dumps([claude])}\n"
        "request-retry: 0\n"
    )


def answer_of(road: str, stream: bool) -> Any:
    traffic: Any = messages if road == "messages-upstream" else chat
    return streamed(traffic.stream("fine")) if stream else whole(traffic.reply("fine"))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("surface", SURFACES)
async def test_every_surface_over_every_road_is_authenticated_and_recorded(
    surface: str, road: str, stream: bool
) -> None:
    """Once each, with the surface, the models, the credential, the usage and the outcome."""
    witness = Witness()
    path, body = SURFACES[surface]
    async with StubUpstream() as stub, running(config(stub), plugins=[witness]) as proxy:
        stub.otherwise(answer_of(road, stream))
        async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
            answer = await client.post(path, json={"model": road, "stream": stream, **body})
        assert answer.status_code == 200, answer.text
        await proxy.finished(1)
    assert [arrival.path for arrival in witness.arrivals] == [path]
    (record,) = witness.records
    assert (record.surface, record.requested_model, record.stream) == (surface, road, stream)
    assert (record.status, record.outcome, record.error) == (200, "succeeded", "")
    assert record.credential_id
    assert record.served_model
    assert record.principal
    assert record.usage is not None
    assert record.usage.output_total is not None
    assert record.first_byte is not None
    assert len(record.attempts) == 1


@pytest.mark.parametrize("road", ROADS[:2])
@pytest.mark.parametrize("surface", SURFACES)
async def test_what_fails_is_recorded_like_what_succeeds(surface: str, road: str) -> None:
    witness = Witness()
    path, body = SURFACES[surface]
    async with StubUpstream() as stub, running(config(stub), plugins=[witness]) as proxy:
        stub.otherwise(whole(b'{"error": {"message": "full"}}', status=429))
        async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
            answer = await client.post(path, json={"model": road, **body})
        assert answer.status_code == 429
        await proxy.finished(1)
    (record,) = witness.records
    assert (record.status, record.outcome) == (429, "failed")
    assert [attempt.reason for attempt in record.attempts] == ["quota"]
