"""The routes of this plugin, on a running proxy over a stub upstream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from ppap_gemini.config import SAFETY_SETTINGS
from ppap_gemini.testing import SIGNATURE, error, error_frame, reply, stream

from ppap_core.testing import Answer, StubUpstream, cut_after, streamed, whole
from ppap_core.testing.running import RunningProxy, running

CONFIG = """
gemini-api-key:
  - api-key: sk-upstream-one
    base-url: {url}/
    models: [{{name: gemini-upstream, alias: client-model}}]
"""
TWO_KEYS = (
    CONFIG
    + """
  - api-key: sk-upstream-two
    base-url: {url}
    models: [{{name: gemini-upstream, alias: client-model}}]
"""
)
VERTEX = """
vertex-api-key:
  - api-key: sk-upstream-one
    base-url: {url}
    safety-settings: {{}}
    models: [{{name: gemini-upstream, alias: team/client-model}}]
"""
ASKED: Mapping[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
    "safetySettings": [],
}
BASE = "/v1beta/models/client-model"


@asynccontextmanager
async def proxied(
    stub: StubUpstream, config: str = CONFIG
) -> AsyncIterator[tuple[RunningProxy, httpx.AsyncClient]]:
    """A proxy whose upstreams are all `stub`, and a client of it."""
    async with (
        running(config.format(url=stub.url)) as proxy,
        httpx.AsyncClient(
            base_url=proxy.base_url, headers={"x-goog-api-key": proxy.client_key}, trust_env=False
        ) as client,
    ):
        yield proxy, client


async def test_a_request_and_its_answer_keep_their_bytes() -> None:
    """Model and method go from path to path; body and answer pass as they are (Gemini spec, 11.1)."""
    sent = reply("Hi", thinking="Hm", tool_calls=[("f", {"a": 1})])
    asked = b'{ "contents": [{"parts":[{"text":"Hello"}],"role":"user"}],\n "safetySettings" : [] }'
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(whole(sent))
        response = await client.post(f"{BASE}:generateContent?key={proxy.client_key}", content=asked)
        assert response.content == sent
        (request,) = stub.requests
        assert request.target == "/v1beta/models/gemini-upstream:generateContent"
        assert request.body == asked
        assert request.headers["x-goog-api-key"] == "sk-upstream-one"
        (record,) = proxy.records
        assert (record.requested_model, record.served_model) == ("client-model", "gemini-upstream")
        assert record.usage is not None
        assert (record.usage.input_total, record.usage.output_total, record.usage.reasoning) == (11, 7, 3)


async def test_safety_filters_are_set_where_the_client_sets_none() -> None:
    """Those of the key's entry are added, and a client's own are left alone (Gemini spec, 9.3)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(reply("Hi")))
        await client.post(f"{BASE}:generateContent", json={"contents": ASKED["contents"]})
        sent = stub.requests[0].json()["safetySettings"]
        assert {each["category"]: each["threshold"] for each in sent} == SAFETY_SETTINGS


@pytest.mark.parametrize("query", ["", "?alt=sse", "?$alt=sse", "?alt="])
async def test_a_stream_is_relayed(query: str) -> None:
    """Events come as the upstream sends them, whatever the client says of framing; usage is recorded."""
    frames = stream("Hello", thinking="Hm")
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(streamed(frames))
        response = await client.post(f"{BASE}:streamGenerateContent{query}", json=ASKED)
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.content == b"".join(frames)
        assert stub.requests[0].target == "/v1beta/models/gemini-upstream:streamGenerateContent?alt=sse"
        (record,) = proxy.records
        assert record.stream
        assert record.usage is not None
        assert (record.usage.cache_read, record.usage.output_total) == (5, 7)


async def test_a_stream_comes_as_an_array() -> None:
    """With ``alt=json`` the chunks are elements of one valid JSON array (Gemini spec, 12.1)."""
    frames = stream("Hello", tool_calls=[("f", {"a": 1})])
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(streamed(frames))
        response = await client.post(f"{BASE}:streamGenerateContent?alt=json", json=ASKED)
        assert response.headers["content-type"] == "application/json"
        assert response.json() == [json.loads(frame[6:]) for frame in frames]
        assert b"alt=sse" in stub.requests[0].target.encode()


async def test_an_array_ends_with_the_error() -> None:
    """A late error is the last element, and the array is still one (Gemini spec, 12.1; pain 13)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(cut_after(2)(streamed(stream("Hello", pieces=3))))
        response = await client.post(f"{BASE}:streamGenerateContent?alt=json", json=ASKED)
        *_, last = response.json()
        assert last["error"]["code"] == 502


@pytest.mark.parametrize("streams", [True, False])
async def test_a_refusal_keeps_its_words(streams: bool) -> None:
    """An upstream's refusal reaches the client with its status and in its own words."""
    told = error(400, 'Unknown name "foo"')
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(told, status=400))
        method = "streamGenerateContent?alt=sse" if streams else "generateContent"
        response = await client.post(f"{BASE}:{method}", json=ASKED)
        assert (response.status_code, response.content) == (400, told)


@pytest.mark.parametrize(
    "first",
    [
        streamed([error_frame(503)]),
        whole(error(429), status=429),
        whole(error(400, "API key not valid. Please pass a valid API key."), status=400),
        cut_after(0)(streamed(stream("Hi"))),
    ],
    ids=["error at once", "rate limited", "bad key", "empty"],
)
async def test_a_failure_before_the_first_word_goes_to_another_key(first: Answer) -> None:
    """As long as nothing was said, the next key answers and the client notices nothing (pains 2, 11, 12)."""
    frames = stream("Hello")
    async with StubUpstream() as stub, proxied(stub, TWO_KEYS) as (proxy, client):
        stub.answers(first, streamed(frames))
        response = await client.post(f"{BASE}:streamGenerateContent?alt=sse", json=ASKED)
        assert response.content == b"".join(frames)
        (record,) = proxy.records
        assert len(record.attempts) == 2


async def test_a_cut_stream_ends_with_an_error() -> None:
    """Half an answer ends with an error that Google's clients see, never with a clean end (pain 13)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(cut_after(2)(streamed(stream("Hello", pieces=3))))
        response = await client.post(f"{BASE}:streamGenerateContent?alt=sse", json=ASKED)
        last = response.text.rstrip("\n").split("\n\n")[-1]
        assert json.loads(last.removeprefix("data: "))["error"]["status"] == "INTERNAL"


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        (f"{BASE}:generateContent", b"", 400, "INVALID_ARGUMENT"),
        (f"{BASE}:generateContent", b"[]", 400, "INVALID_ARGUMENT"),
        (f"{BASE}:predict", b"{}", 404, "NOT_FOUND"),
        (f"{BASE}:batchGenerateContent", b"{}", 404, "NOT_FOUND"),
        ("/v1beta/models/client-model", b"{}", 404, "NOT_FOUND"),
        ("/v1beta/models/:generateContent", b"{}", 404, "NOT_FOUND"),
        ("/v1beta/models/a:b:generateContent", b"{}", 404, "NOT_FOUND"),
        ("/v1beta/models/nobody-has-it:generateContent", b"{}", 404, "NOT_FOUND"),
    ],
)
async def test_a_bad_request_is_refused_in_this_dialect(
    path: str, body: bytes, status: int, word: str
) -> None:
    """What cannot be served is refused in Google's words, and no upstream is called."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        response = await client.post(path, content=body)
        told = response.json()["error"]
        assert (response.status_code, told["code"], told["status"]) == (status, status, word)
        assert told["message"]
        assert not stub.requests


async def test_a_wrong_key_is_refused_before_the_address_is_looked_at() -> None:
    """Who has no key learns nothing of what there is, and reads so in Google's words."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        response = await client.post(f"{BASE}:nonsense", json=ASKED, headers={"x-goog-api-key": "nope"})
        assert (response.status_code, response.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "written", ["team/client-model", "models%2Fteam%2Fclient-model", "TEAM%2Fclient-model"]
)
async def test_a_models_name_may_hold_slashes(written: str) -> None:
    """The model is all of the path up to the method, percent-encoded or not, as a resource or not."""
    async with StubUpstream() as stub, proxied(stub, VERTEX) as (_, client):
        stub.otherwise(whole(reply("Hi")))
        response = await client.post(f"/v1beta/models/{written}:generateContent", json={"contents": []})
        assert response.status_code == 200
        (request,) = stub.requests
        assert request.target == "/v1/publishers/google/models/gemini-upstream:generateContent"
        assert request.json() == {"contents": []}


async def test_tokens_are_counted() -> None:
    """The whole request is counted, tools included, and the answer has Google's shape (15)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(b'{"totalTokens":17,"promptTokensDetails":[]}'))
        asked = {**ASKED, "tools": [{"functionDeclarations": [{"name": "f"}]}]}
        response = await client.post(f"{BASE}:countTokens", json={"generateContentRequest": asked})
        assert response.json() == {
            "totalTokens": 17,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 17}],
        }
        (request,) = stub.requests
        assert request.target == "/v1beta/models/gemini-upstream:countTokens"
        counted = request.json()["generateContentRequest"]
        assert counted["model"] == "models/gemini-upstream"
        assert counted["tools"] == asked["tools"]


async def test_tokens_are_counted_on_vertex() -> None:
    """There only the contents are sent, as it knows no whole requests (Gemini spec, 15)."""
    async with StubUpstream() as stub, proxied(stub, VERTEX) as (_, client):
        stub.otherwise(whole(b'{"totalTokens":3}'))
        asked = {**ASKED, "generationConfig": {"temperature": 1}}
        response = await client.post("/v1beta/models/team/client-model:countTokens", json=asked)
        assert response.json()["totalTokens"] == 3
        assert "generationConfig" not in stub.requests[0].json()


async def test_embeddings_are_passed_on() -> None:
    """Every model that the body names becomes the upstream's; the answer is the upstream's own, and its
    headers pass as those of any answer do (client API spec, 14)."""
    answer = b'{"embeddings":[{"values":[0.1,0.2]}]}'
    one = {"model": "models/client-model", "content": {"parts": [{"text": "Hello"}]}}
    async with (
        StubUpstream() as stub,
        proxied(stub, f"passthrough-headers: true\n{CONFIG}") as (proxy, client),
    ):
        stub.otherwise(whole(answer, headers={"X-Ratelimit-Left": "3"}))
        response = await client.post(f"{BASE}:batchEmbedContents", json={"requests": [one, one]})
        assert (response.content, response.headers["x-ratelimit-left"]) == (answer, "3")
        (request,) = stub.requests
        assert request.target == "/v1beta/models/gemini-upstream:batchEmbedContents"
        assert [each["model"] for each in request.json()["requests"]] == ["models/gemini-upstream"] * 2
        (record,) = proxy.records
        assert record.outcome == "succeeded"


async def test_embeddings_fail_over_and_keep_a_refusals_words() -> None:
    """A key in trouble is followed by the next; the client's own mistake is told at once."""
    refused = error(400, "bad")
    async with StubUpstream() as stub, proxied(stub, TWO_KEYS) as (proxy, client):
        stub.answers(whole(error(503), status=503), whole(b"{}"), whole(refused, status=400))
        assert (await client.post(f"{BASE}:embedContent", json={})).content == b"{}"
        response = await client.post(f"{BASE}:embedContent", json={})
        assert (response.status_code, response.content) == (400, refused)
        assert [len(record.attempts) for record in proxy.records] == [2, 1]


async def test_embeddings_that_nobody_makes_are_refused() -> None:
    """An upstream without that operation is not asked for it."""
    async with StubUpstream() as stub, proxied(stub, VERTEX) as (_, client):
        response = await client.post("/v1beta/models/team/client-model:embedContent", json={})
        assert (response.status_code, response.json()["error"]["status"]) == (501, "UNIMPLEMENTED")
        assert not stub.requests


async def test_models_are_listed_in_this_shape() -> None:
    """All models are one page, sorted by name; each can be asked for by itself (client API spec, 9.4)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        listed = (await client.get("/v1beta/models?pageSize=1")).json()["models"]
        assert [model["name"] for model in listed] == sorted(model["name"] for model in listed)
        mine = next(model for model in listed if model["name"] == "models/client-model")
        assert mine == {
            "name": "models/client-model",
            "displayName": "gemini-upstream",
            "description": "gemini-upstream",
            "supportedGenerationMethods": ["generateContent"],
        }
        assert (await client.get("/v1beta/models/client-model")).json() == mine
        missing = await client.get("/v1beta/models/nobody-has-it")
        assert (missing.status_code, missing.json()["error"]["status"]) == (404, "NOT_FOUND")


async def test_googles_newer_path_serves_the_same() -> None:
    """Version ``v1`` is what Google's SDK for Python asks for; other vendors' clients keep their list."""
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(whole(reply("Hi")))
        response = await client.post("/v1/models/client-model:generateContent", json=ASKED)
        assert response.content == reply("Hi")
        assert "models" in (await client.get("/v1/models")).json()
        assert (await client.get("/v1/models/client-model")).json()["name"] == "models/client-model"
        bearer = {"authorization": f"Bearer {proxy.client_key}"}
        async with httpx.AsyncClient(base_url=proxy.base_url, headers=bearer, trust_env=False) as other:
            assert "models" not in (await other.get("/v1/models")).json()


async def test_a_named_level_is_written_over_the_body() -> None:
    """The model's name says how much to think, also where the body passes through (8.1)."""
    config = CONFIG.replace("name: gemini-upstream", "name: gemini-3.1-pro-preview")
    body = {**ASKED, "generationConfig": {"thinkingConfig": {"thinkingBudget": 5}, "topK": 3}}
    async with StubUpstream() as stub, proxied(stub, config) as (_, client):
        stub.otherwise(whole(reply("Hi")))
        await client.post(f"{BASE}(high):generateContent", json=body)
        assert stub.requests[0].json()["generationConfig"] == {
            "thinkingConfig": {"thinkingLevel": "high", "includeThoughts": True},
            "topK": 3,
        }


async def test_a_signature_survives_the_relay() -> None:
    """A call goes back with the very signature it came with (pain 23)."""
    turn = json.loads(reply("", tool_calls=[("f", {"a": 1.0})]))["candidates"][0]["content"]
    asked = {
        **ASKED,
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            turn,
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "x"}}}]},
        ],
    }
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(reply("Hi")))
        await client.post(f"{BASE}:generateContent", json=asked)
        sent = stub.requests[0].json()["contents"][1]["parts"][0]
        assert sent["thoughtSignature"] == SIGNATURE
