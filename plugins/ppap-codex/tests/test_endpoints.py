"""A running proxy with a Codex upstream, as its clients see it over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from ppap_openai.responses import ResponsesGuard
from ppap_openai.responses.testing import (
    error_event,
    failed_event,
    message,
    reply,
    stream,
    stream_of,
    thought,
)
from ppap_openai.testing import Call

from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running

LONG = "mcp__server_with_a_very_long_name_that_exceeds_sixty_four_characters__search"
CONFIG = """
request-retry: 0
codex-api-key:
  - {{api-key: sk-one, base-url: '{url}', models: [{{name: gpt-5.5, alias: some-model}}]}}
"""
ASKED = {"model": "some-model", "input": "Hello"}
CODEX = {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0"}


@pytest.fixture
async def stub() -> AsyncIterator[StubUpstream]:
    async with StubUpstream() as upstream:
        yield upstream


@pytest.fixture
async def proxy(stub: StubUpstream) -> AsyncIterator[RunningProxy]:
    async with running(CONFIG.format(url=stub.url)) as running_proxy:
        yield running_proxy


@pytest.fixture
async def client(proxy: RunningProxy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=proxy.base_url, headers=proxy.headers, timeout=20) as http:
        yield http


def events_of(body: str) -> list[Any]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]


async def test_a_whole_answer_is_the_end_of_the_stream(stub: StubUpstream, client: httpx.AsyncClient) -> None:
    """The upstream only streams; who wants one body gets its last response, whole and as it came (C.14)."""
    frames = stream_of([{**message("Hello"), "vendor": {"x": 1}}], output=False)
    stub.otherwise(streamed(frames))
    answer = await client.post("/v1/responses", json=ASKED)
    ended = events_of(frames[-1].decode())[0]["response"]
    item = {**message("Hello"), "vendor": {"x": 1}}
    assert answer.json() == {**ended, "model": "some-model", "output": [item]}
    request = stub.requests[0]
    assert (request.path, request.headers["accept"]) == ("/responses", "text/event-stream")
    assert request.json()["stream"] is True


async def test_a_whole_answer_that_came_whole(stub: StubUpstream, client: httpx.AsyncClient) -> None:
    """Some upstreams of this kind answer with JSON all the same."""
    stub.otherwise(whole(reply("Hello")))
    answer = await client.post("/v1/responses", json=ASKED)
    assert answer.json()["output"] == [message("Hello")]


@pytest.mark.parametrize("stream_wanted", [False, True])
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions", "/v1/messages"])
async def test_long_names_come_back(
    stub: StubUpstream, client: httpx.AsyncClient, path: str, stream_wanted: bool
) -> None:
    """Every client is called back by the name that it gave its tool (T-NAME)."""
    stub.otherwise(streamed(stream(tool_calls=[Call("call_1", "mcp__search", "{}")])))
    tools: dict[str, Any] = {
        "/v1/responses": {"type": "function", "name": LONG},
        "/v1/chat/completions": {"type": "function", "function": {"name": LONG}},
        "/v1/messages": {"name": LONG, "input_schema": {"type": "object"}},
    }
    said: Any = (
        {"input": "Hi"} if path == "/v1/responses" else {"messages": [{"role": "user", "content": "Hi"}]}
    )
    body = {"model": "some-model", "max_tokens": 9, "tools": [tools[path]], "stream": stream_wanted, **said}
    answer = await client.post(path, json=body)
    assert answer.status_code == 200
    assert LONG in answer.text
    assert "mcp__search" not in answer.text
    assert stub.requests[0].json()["tools"][0]["name"] == "mcp__search"


async def test_a_stream_that_ends_too_early_is_408(
    stub: StubUpstream, proxy: RunningProxy, client: httpx.AsyncClient
) -> None:
    """And the account stays in use: such mishaps say nothing about it (C.14; auth spec, 5.1)."""
    stub.answers(*[streamed(stream("Hello")[:4])] * 2)
    for path, said in (
        ("/v1/responses", {"input": "Hi"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
    ):
        answer = await client.post(path, json={"model": "some-model", **said})
        assert answer.status_code == 408
        assert "stream closed before response.completed" in answer.json()["error"]["message"]


@pytest.mark.parametrize("stream_wanted", [False, True])
async def test_refusals_have_the_clients_shape(
    stub: StubUpstream, client: httpx.AsyncClient, stream_wanted: bool
) -> None:
    """The backend's own shape of an error is retold as OpenAI's (client API spec, 12.3)."""
    stub.otherwise(whole(b'{"detail":"Unsupported parameter: x"}', status=400))
    answer = await client.post("/v1/responses", json={**ASKED, "stream": stream_wanted})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Unsupported parameter: x"


async def test_a_model_at_capacity_is_429(stub: StubUpstream, client: httpx.AsyncClient) -> None:
    """Whatever status the upstream gave it, it is worth another try later (C.11)."""
    body = b'{"error":{"message":"Selected model is at capacity. Please try a different model."}}'
    stub.otherwise(whole(body, status=400))
    assert (await client.post("/v1/responses", json=ASKED)).status_code == 429


async def test_thoughts_that_cannot_be_read_are_left_out(
    stub: StubUpstream, proxy: RunningProxy, client: httpx.AsyncClient
) -> None:
    """Another account encrypted them: the request is sent once more without, and no more (C.11, Better)."""
    refusal = whole(b'{"error":{"message":"No","code":"invalid_encrypted_content"}}', status=400)
    stub.answers(refusal, streamed(stream("Hello")), refusal, refusal, refusal)
    turns = [{"role": "user", "content": '"reasoning"'}, thought("Hm"), message("One")]
    answer = await client.post("/v1/responses", json={**ASKED, "input": turns})
    assert answer.json()["output"] == [message("Hello")]
    assert [len(request.json()["input"]) for request in stub.requests] == [3, 2]
    for said in (turns, turns[:1]):
        refused = await client.post("/v1/responses", json={**ASKED, "input": said})
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "thinking_signature_invalid"
    assert len(stub.requests) == 5


async def test_a_used_up_plan_says_when_it_is_renewed(stub: StubUpstream, client: httpx.AsyncClient) -> None:
    """The whole account rests until then, and so may the client (C.11; pain 1)."""
    told = {"type": "usage_limit_reached", "message": "The usage limit has been reached"}
    body = json.dumps({"error": {**told, "resets_in_seconds": 90}}).encode()
    stub.otherwise(whole(body, status=429))
    first = await client.post("/v1/responses", json=ASKED)
    again = await client.post("/v1/responses", json=ASKED)
    assert (first.status_code, first.headers["retry-after"]) == (429, "90")
    assert first.json() == json.loads(body)
    assert again.json()["error"]["code"] == "model_cooldown"
    assert len(stub.requests) == 1


async def test_operators_rules_do_not_undo_what_is_forced(stub: StubUpstream) -> None:
    """Payload rules may set what they like, but for what the upstream insists on (0.3)."""
    rules = """
payload:
  override:
    - models: [{name: "*", protocol: codex}]
      params: {stream: false, safety_identifier: x, "text.verbosity": low}
"""
    stub.otherwise(streamed(stream("Hello")))
    async with running(CONFIG.format(url=stub.url) + rules) as proxy, httpx.AsyncClient() as http:
        url = f"{proxy.base_url}/v1/responses"
        assert (await http.post(url, json=ASKED, headers=proxy.headers)).status_code == 200
    sent = stub.requests[0].json()
    assert (sent["stream"], sent["text"]) == (True, {"verbosity": "low"})
    assert "safety_identifier" not in sent


# --- routes of Codex's own ----------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/responses", "/backend-api/codex/responses"])
async def test_a_failure_is_the_responses_own_for_codex(
    stub: StubUpstream, client: httpx.AsyncClient, path: str
) -> None:
    """An `error` event is a cut connection to it; a response that failed is shown (clients spec, 3)."""
    frames = stream("Hello")[:5]
    stub.answers(streamed(frames), streamed([*frames, error_event("Too much", "rate_limit_exceeded", 5)]))
    asked = {**ASKED, "stream": True}
    cut = events_of((await client.post(path, json=asked, headers=CODEX)).text)[-1]
    assert (cut["type"], cut["response"]["error"]["code"]) == ("response.failed", "stream_disconnected")
    failed = events_of((await client.post(path, json=asked, headers=CODEX)).text)[-1]
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Too much"}
    assert (failed["response"]["id"], failed["response"]["status"]) == ("resp_canned", "failed")
    assert failed["sequence_number"] == 5


async def test_others_are_told_by_an_error_event(stub: StubUpstream, client: httpx.AsyncClient) -> None:
    """Which is what OpenAI's own API sends (C.11)."""
    stub.otherwise(streamed(stream("Hello")[:5]))
    answer = await client.post("/v1/responses", json={**ASKED, "stream": True})
    assert events_of(answer.text)[-1]["type"] == "error"


@pytest.mark.parametrize("path", ["/v1/responses", "/backend-api/codex/responses"])
async def test_a_conversation_that_is_too_long_is_told_in_a_stream(
    stub: StubUpstream, client: httpx.AsyncClient, path: str
) -> None:
    """That is where Codex learns that it has to compact; an error of any status just stops it."""
    early = streamed([*stream("")[:2], failed_event("Too long", "context_length_exceeded", 2)])
    stub.answers(early, whole(b"", status=413), early)
    for _ in range(2):
        answer = await client.post(path, json={**ASKED, "stream": True}, headers=CODEX)
        event = events_of(answer.text)[-1]
        assert (answer.status_code, event["type"]) == (200, "response.failed")
        assert event["response"]["error"]["code"] == "context_length_exceeded"
        guard = ResponsesGuard()
        assert guard.feed(answer.content) + guard.close() == []
    assert (await client.post(path, json=ASKED, headers=CODEX)).status_code == 400


async def test_a_healthy_stream_is_left_alone_for_codex(
    stub: StubUpstream, client: httpx.AsyncClient
) -> None:
    """Nothing but the model's name changes on the way."""
    frames = [*stream('Say "error"', tool_calls=[Call("c", "f", '{"error":1}')])]
    stub.otherwise(streamed(frames))
    answer = await client.post("/backend-api/codex/responses", json={**ASKED, "stream": True}, headers=CODEX)
    assert answer.text == b"".join(frames).decode().replace("upstream-model", "some-model")


@pytest.mark.parametrize("path", ["/v1/responses", "/backend-api/codex/responses"])
async def test_websockets_are_declined_so_that_codex_posts(client: httpx.AsyncClient, path: str) -> None:
    """It takes 426 as the sign to go on over HTTP at once (clients spec, 3)."""
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    answer = await client.get(path, headers={**upgrade, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
    assert answer.status_code == 426
    assert answer.json()["error"]["code"] == "upgrade_refused"
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/v1/responses/compact", "/backend-api/codex/responses/compact"])
async def test_compaction_is_passed_on(stub: StubUpstream, client: httpx.AsyncClient, path: str) -> None:
    """The upstream's JSON comes back as it is; it streams no compaction (B.3.1; client API spec, 10.4)."""
    body = b'{"id":"cmp_1", "object":"response.compaction","output":[]}'
    stub.otherwise(whole(body))
    answer = await client.post(path, json={**ASKED, "instructions": None, "stream": False})
    assert answer.content == body
    request = stub.requests[0]
    assert (request.path, request.headers["accept"]) == ("/responses/compact", "application/json")
    sent = request.json()
    assert (sent["model"], sent["instructions"], "stream" in sent) == ("gpt-5.5", "", False)
    assert sent["tools"] == [{"type": "image_generation", "output_format": "png"}]
    assert (await client.post(path, json={**ASKED, "stream": True})).status_code == 400


@pytest.mark.parametrize("path", ["/v1/responses/compact", "/backend-api/codex/responses/compact"])
async def test_compaction_under_the_operators_settings(stub: StubUpstream, path: str) -> None:
    """Where drawing is switched off, the tool is not offered here either (auth spec, 3.1); the upstream's
    headers pass like those of any answer (client API spec, 14)."""
    stub.otherwise(whole(b'{"object":"response.compaction"}', headers={"X-Ratelimit-Left": "3"}))
    settings = "disable-image-generation: chat\npassthrough-headers: true\n"
    async with (
        running(settings + CONFIG.format(url=stub.url)) as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=proxy.headers) as client,
    ):
        answer = await client.post(path, json=ASKED)
    assert "tools" not in stub.requests[0].json()
    assert answer.headers["x-ratelimit-left"] == "3"


@pytest.mark.parametrize("path", ["/v1/models", "/backend-api/codex/models"])
async def test_codex_gets_its_own_list(client: httpx.AsyncClient, path: str) -> None:
    """Known models first; what only draws, and each level of a model, is not for its menu (9.3)."""
    models = (await client.get(path, params={"client_version": "0.169.0"})).json()["models"]
    by_slug = {model["slug"]: model for model in models}
    assert by_slug["some-model"]["visibility"] == "list"
    assert by_slug["gpt-image-2"]["visibility"] == "hide"
    assert by_slug["some-model-high"]["visibility"] == "hide"
    efforts = [level["effort"] for level in by_slug["some-model"]["supported_reasoning_levels"]]
    assert efforts == ["low", "medium", "high", "xhigh"]
    assert by_slug["some-model"]["context_window"] == 272000
    assert all(model["base_instructions"] for model in models)
    assert [model["priority"] for model in models] == sorted(model["priority"] for model in models)
    assert len({model["priority"] for model in models}) == len(models)


async def test_others_still_get_theirs(client: httpx.AsyncClient) -> None:
    """Who does not ask as Codex does sees the list of OpenAI's API."""
    assert (await client.get("/v1/models")).json()["object"] == "list"


async def test_tokens_are_counted_here(stub: StubUpstream, client: httpx.AsyncClient) -> None:
    """These upstreams cannot be asked (C.20)."""
    body = {"model": "some-model", "messages": [{"role": "user", "content": "Hello there"}]}
    counted = await client.post("/v1/messages/count_tokens", json=body)
    assert counted.json()["input_tokens"] > 0
    assert not stub.requests
