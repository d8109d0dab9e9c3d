"""``/v1/embeddings``, relayed to upstreams that have it."""

from __future__ import annotations

import json

import httpx
import openai
import pytest

from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.running import running

ANSWER = {
    "object": "list",
    "model": "upstream-e",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1e-7]}],
    "usage": {"prompt_tokens": 5, "total_tokens": 5},
}


def config(*stubs: StubUpstream) -> str:
    entries = [
        {
            "name": f"c{number}",
            "priority": -number,
            "base-url": f"{stub.url}/v1",
            "models": [{"name": "upstream-e", "alias": "e"}],
        }
        for number, stub in enumerate(stubs)
    ]
    rule = {"models": [{"name": "*"}], "params": {"temperature": 1}}
    return (
        f"openai-compatibility: {json.dumps(entries)}\nrequest-retry: 0\ndemo: {{enabled: true}}\n"
        f"payload: {json.dumps({'override': [rule]})}\n"
    )


async def test_embeddings_are_relayed_and_recorded() -> None:
    """The client's body but for the model, and no payload rules, which are of generation."""
    async with StubUpstream(whole(json.dumps(ANSWER).encode())) as stub, running(config(stub)) as proxy:
        client = openai.AsyncOpenAI(base_url=f"{proxy.base_url}/v1", api_key=proxy.client_key)
        async with client:
            answer = await client.embeddings.create(
                model="e", input=["parrot"], dimensions=2, encoding_format="float"
            )
        (record,) = await proxy.finished()
    (request,) = stub.requests
    assert request.path == "/v1/embeddings"
    sent = {"model": "upstream-e", "input": ["parrot"], "dimensions": 2, "encoding_format": "float"}
    assert request.json() == sent
    assert answer.data[0].embedding == [0.5, -1e-7]
    assert answer.model == "e"
    assert record.surface == "openai-embeddings"
    assert record.usage is not None
    assert record.usage.input_total == 5


async def test_another_upstream_is_asked_when_one_fails() -> None:
    async with StubUpstream(whole(b"{}", status=500)) as first, StubUpstream() as second:
        second.answers(whole(json.dumps(ANSWER).encode()))
        async with running(config(first, second)) as proxy, httpx.AsyncClient() as client:
            url = f"{proxy.base_url}/v1/embeddings"
            answer = await client.post(url, json={"model": "e", "input": "x"}, headers=dict(proxy.headers))
    assert answer.status_code == 200
    assert len(first.requests) == len(second.requests) == 1


@pytest.mark.parametrize(("model", "status"), [("demo", 501), ("nobody-has-it", 404)])
async def test_a_model_without_embeddings_is_refused(model: str, status: int) -> None:
    async with StubUpstream() as stub, running(config(stub)) as proxy, httpx.AsyncClient() as client:
        url = f"{proxy.base_url}/v1/embeddings"
        answer = await client.post(url, json={"model": model, "input": "x"}, headers=dict(proxy.headers))
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == ("not_supported" if status == 501 else "model_not_found")
    assert stub.requests == []
