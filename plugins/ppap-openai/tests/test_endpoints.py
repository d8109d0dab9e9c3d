"""The routes of this plugin, on a running proxy over a stub upstream."""

from __future__ import annotations

import json

import httpx
import pytest
from ppap_openai.testing import WEATHER, error, error_frame, reply, stream

from ppap_core.testing import StubUpstream, refusal, streamed, whole
from ppap_core.testing.running import running

CONFIG = """
openai-compatibility:
  - name: acme
    base-url: {url}/v1
    api-key-entries: [{{api-key: sk-upstream-one}}]
    models: [{{name: upstream-model, alias: client-model}}]
"""
ASKED = {"model": "client-model", "messages": [{"role": "user", "content": "Hello"}]}


async def posted(stub: StubUpstream, path: str, body: object) -> httpx.Response:
    """One request through a proxy whose only upstream is `stub`."""
    async with running(CONFIG.format(url=stub.url)) as proxy, httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{proxy.base_url}{path}", json=body, headers=dict(proxy.headers))


async def test_a_chat_answer_comes_under_the_clients_model_name() -> None:
    """The alias is asked for, the upstream's name is sent, and the alias is answered (C.18)."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(reply("Hi", tool_calls=(WEATHER,))))
        response = await posted(stub, "/v1/chat/completions", ASKED)
        assert response.status_code == 200
        told = response.json()
        assert told["model"] == "client-model"
        assert told["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "get_weather"
        sent = stub.requests[0]
        assert json.loads(sent.body) == {**ASKED, "model": "upstream-model"}
        assert sent.headers["authorization"] == "Bearer sk-upstream-one"


async def test_a_chat_stream_is_relayed_without_the_usage_that_was_not_asked_for() -> None:
    """The proxy asks for usage and keeps it to itself (B.1.4)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed(stream(["Hel", "lo"])))
        response = await posted(stub, "/v1/chat/completions", {**ASKED, "stream": True})
        assert response.headers["content-type"].startswith("text/event-stream")
        frames = [frame for frame in response.text.split("\n\n") if frame]
        assert frames[-1] == "data: [DONE]"
        chunks = [json.loads(frame.removeprefix("data: ")) for frame in frames[:-1]]
        assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "Hello"
        assert {chunk["model"] for chunk in chunks} == {"client-model"}
        assert not any(chunk.get("usage") for chunk in chunks)
        assert json.loads(stub.requests[0].body)["stream_options"] == {"include_usage": True}


async def test_a_stream_that_fails_after_content_ends_in_an_error() -> None:
    """An in-band error after the first byte is told, and nothing after it (pains 12 and 13)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed([*stream("Hello")[:2], error_frame("It broke")]))
        response = await posted(stub, "/v1/chat/completions", {**ASKED, "stream": True})
        last = response.text.rstrip("\n").split("\n\n")[-1]
        assert json.loads(last.removeprefix("data: "))["error"]["message"] == "It broke"
        assert "[DONE]" not in response.text


async def test_a_failure_on_a_200_before_content_is_an_http_error() -> None:
    """An in-band error before anything was said has its real status (pain 12)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed([error_frame("No", "invalid_request_error")]))
        response = await posted(stub, "/v1/chat/completions", {**ASKED, "stream": True})
        assert response.status_code == 400
        assert response.json()["error"]["message"] == "No"


async def test_an_upstreams_refusal_reaches_the_client_in_its_own_dialect() -> None:
    """A request error is passed on and nobody else is asked."""
    async with StubUpstream() as stub:
        stub.otherwise(refusal(400, error(400, "Bad temperature")))
        response = await posted(stub, "/v1/chat/completions", ASKED)
        assert response.status_code == 400
        assert response.json()["error"]["message"] == "Bad temperature"
        assert len(stub.requests) == 1


@pytest.mark.parametrize("streams", [False, True])
async def test_a_legacy_completion_is_answered(streams: bool) -> None:
    """A prompt goes upstream as one user message and comes back as text (B.1.6)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed(stream(["Hel", "lo"])) if streams else whole(reply("Hello")))
        body = {"model": "client-model", "prompt": "Say hello", "stream": streams}
        response = await posted(stub, "/v1/completions", body)
        assert response.status_code == 200
        if streams:
            frames = response.text.split("\n\n")[:-1]
            assert frames.pop() == "data: [DONE]"
            told = [json.loads(frame.removeprefix("data: ")) for frame in frames]
        else:
            told = [response.json()]
        assert {each["object"] for each in told} == {"text_completion"}
        assert "".join(choice["text"] for each in told for choice in each["choices"]) == "Hello"
        assert told[-1]["usage"]["prompt_tokens"] == 11
        sent = json.loads(stub.requests[0].body)
        assert sent["messages"] == [{"role": "user", "content": "Say hello"}]


async def test_models_are_listed_in_the_shape_of_openai() -> None:
    """Exactly the keys of client API spec, 9.1; one model by its id."""
    async with StubUpstream() as stub, running(CONFIG.format(url=stub.url)) as proxy:
        async with httpx.AsyncClient(trust_env=False, headers=dict(proxy.headers)) as client:
            listed = (await client.get(f"{proxy.base_url}/v1/models")).json()
            one = (await client.get(f"{proxy.base_url}/v1/models/client-model")).json()
        ours = [model for model in listed["data"] if model["id"] == "client-model"]
        assert listed["object"] == "list"
        created = one["created"]
        assert created > 0
        shown = {"id": "client-model", "object": "model", "created": created, "owned_by": "acme"}
        assert ours == [one] == [shown]
