"""The routes of this plugin, on a running proxy over a stub upstream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import anthropic
import httpx
import pytest
from ppap_claude.testing import error, error_event, reply, stream

from ppap_core.testing import Answer, StubUpstream, cut_after, streamed, whole
from ppap_core.testing.running import RunningProxy, running

CONFIG = """
claude-api-key:
  - api-key: sk-upstream-one
    base-url: {url}
    models: [{{name: claude-upstream, alias: client-model}}]
"""
TWO_KEYS = (
    CONFIG
    + """
  - api-key: sk-upstream-two
    base-url: {url}
    models: [{{name: claude-upstream, alias: client-model}}]
"""
)
ASKED: Mapping[str, Any] = {
    "model": "client-model",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hello"}],
}


@asynccontextmanager
async def proxied(
    stub: StubUpstream, config: str = CONFIG
) -> AsyncIterator[tuple[RunningProxy, httpx.AsyncClient]]:
    """A proxy whose upstreams are all `stub`, and a client of it."""
    async with (
        running(config.format(url=stub.url)) as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers), trust_env=False) as client,
    ):
        yield proxy, client


async def test_an_answer_comes_under_the_clients_model_name() -> None:
    """The alias is asked for, the upstream's name is sent, and the alias is answered (C.18)."""
    sent = reply("Hi", thinking="Hm", tool_calls=[("f", {"a": 1})], model="claude-upstream")
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(whole(sent))
        response = await client.post(
            "/v1/messages?beta=true", json=ASKED, headers={"anthropic-beta": "some-feature-2026-01-01"}
        )
        assert response.content == sent.replace(b'"claude-upstream"', b'"client-model"')
        (request,) = stub.requests
        assert request.target == "/v1/messages?beta=true"
        assert json.loads(request.body) == {**ASKED, "model": "claude-upstream"}
        assert request.headers["authorization"] == "Bearer sk-upstream-one"
        assert request.headers["anthropic-beta"] == "some-feature-2026-01-01"
        (record,) = proxy.records
        assert record.usage is not None
        assert record.usage.input_total == 22044


async def test_a_stream_is_relayed() -> None:
    """The client gets the upstream's events with its own model name, and the record their usage."""
    frames = stream("Hello", model="claude-upstream")
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(streamed(frames))
        response = await client.post("/v1/messages", json={**ASKED, "stream": True})
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.content == b"".join(frames).replace(b'"claude-upstream"', b'"client-model"')
        (record,) = proxy.records
        assert record.usage is not None
        assert (record.usage.input_total, record.usage.output_total) == (22044, 4)


@pytest.mark.parametrize("streams", [True, False])
async def test_a_refusal_keeps_its_words(streams: bool) -> None:
    """An upstream's refusal reaches the client with its status and in its own words."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(error(400, "max_tokens: too large"), status=400))
        response = await client.post("/v1/messages", json={**ASKED, "stream": streams})
        assert response.status_code == 400
        assert response.json()["error"] == {
            "type": "invalid_request_error",
            "message": "max_tokens: too large",
        }


@pytest.mark.parametrize(
    "first",
    [
        streamed([error_event(529)]),
        streamed([*stream("Hi")[:2], error_event(529)]),
        whole(error(429), status=429),
        cut_after(2)(streamed(stream("Hi"))),
    ],
    ids=["error at once", "error after the start", "rate limited", "cut before a word"],
)
async def test_a_failure_before_the_first_word_goes_to_another_key(first: Answer) -> None:
    """As long as nothing was said, the next key answers and the client notices nothing (pains 11, 12)."""
    async with StubUpstream() as stub, proxied(stub, TWO_KEYS) as (proxy, client):
        stub.answers(first, streamed(stream("Hello", model="claude-upstream")))
        response = await client.post("/v1/messages", json={**ASKED, "stream": True})
        assert response.status_code == 200
        assert response.text.count("event: message_start") == 1
        assert response.text.endswith('event: message_stop\ndata: {"type":"message_stop"}\n\n')
        (record,) = proxy.records
        assert len(record.attempts) == 2


async def test_a_cut_stream_ends_with_an_error() -> None:
    """Half an answer ends with an error event, never with a clean end (pain 13)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(cut_after(4)(streamed(stream("Hello", model="claude-upstream"))))
        response = await client.post("/v1/messages", json={**ASKED, "stream": True})
        last = response.text.rstrip("\n").split("\n\n")[-1]
        assert last.startswith("event: error\n")
        assert "message_stop" not in response.text


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "invalid_request_error"),
        (b"[]", 400, "invalid_request_error"),
        (b'{"model":7}', 400, "invalid_request_error"),
        (b'{"messages":[]}', 400, "invalid_request_error"),
        (b'{"model":"nobody-has-it","messages":[]}', 404, "not_found_error"),
    ],
)
async def test_a_bad_request_is_refused_in_this_dialect(body: bytes, status: int, kind: str) -> None:
    """What cannot be served is refused in Anthropic's words, and no upstream is called."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        response = await client.post("/v1/messages", content=body)
        assert response.status_code == status
        told = response.json()
        assert (told["type"], told["error"]["type"]) == ("error", kind)
        assert told["error"]["message"]
        assert not stub.requests


async def test_a_wrong_key_is_refused_in_this_dialect() -> None:
    """A client without a valid key reads so in Anthropic's words."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        response = await client.post("/v1/messages", json=ASKED, headers={"authorization": "Bearer nope"})
        assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")


async def test_tokens_are_counted() -> None:
    """The count is the upstream's own."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(b'{"input_tokens":17}'))
        response = await client.post("/v1/messages/count_tokens?beta=true", json=ASKED)
        assert response.json() == {"input_tokens": 17}
        assert json.loads(stub.requests[0].body)["model"] == "claude-upstream"


@pytest.mark.parametrize("headers", [{"anthropic-version": "2023-06-01"}, {"user-agent": "claude-cli/2.1.0"}])
async def test_models_are_listed_in_this_shape(headers: Mapping[str, str]) -> None:
    """Anthropic's clients get their own list on the common path (client API spec, 9.2)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        told = (await client.get("/v1/models?limit=1000", headers=dict(headers))).json()
        assert told["has_more"] is False
        assert told["first_id"] == told["data"][0]["id"]
        assert told["last_id"] == told["data"][-1]["id"]
        ours = next(model for model in told["data"] if model["id"] == "client-model")
        assert datetime.fromisoformat(ours["created_at"]).tzinfo is not None
        assert ours == {
            "type": "model",
            "id": "client-model",
            "display_name": "claude-upstream",
            "created_at": ours["created_at"],
            "max_input_tokens": 200000,
            "max_tokens": 64000,
            "object": "model",
            "owned_by": "anthropic",
        }
        one = await client.get("/v1/models/client-model", headers=dict(headers))
        assert one.json()["id"] == "client-model"


async def test_the_vendors_sdk_gets_all_it_needs() -> None:
    """Answers, streams, errors, counts and lists are what Anthropic's own client expects."""
    async with StubUpstream() as stub, proxied(stub) as (proxy, _):
        client = anthropic.AsyncAnthropic(base_url=proxy.base_url, auth_token=proxy.client_key, max_retries=0)
        asked: Any = dict(ASKED)
        stub.answers(
            whole(reply("Hi", tool_calls=[("f", {"a": 1})], model="claude-upstream")),
            streamed(stream("Hello", thinking="Hm", tool_calls=[("f", {"a": 1})], model="claude-upstream")),
            whole(b'{"input_tokens":17}'),
            streamed([*stream("Hello")[:4], error_event(529, "Overloaded")]),
        )
        message = await client.messages.create(**asked)
        assert [block.type for block in message.content] == ["text", "tool_use"]
        async with client.messages.stream(**asked) as streaming:
            final = await streaming.get_final_message()
        assert [block.type for block in final.content] == ["thinking", "text", "tool_use"]
        assert final.usage.cache_read_input_tokens == 22000
        counted = await client.messages.count_tokens(model=asked["model"], messages=asked["messages"])
        assert counted.input_tokens == 17
        assert "client-model" in [model.id async for model in client.models.list()]
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            async with client.messages.stream(**asked) as streaming:
                await streaming.get_final_message()
        await client.close()
