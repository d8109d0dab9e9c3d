"""Request shapers: what they see of a request, and what becomes of their edits (translation spec, 0.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from ppap_claude import testing as messages
from ppap_gemini import testing as gemini
from ppap_openai import testing as chat
from ppap_openai.chat import CHAT
from ppap_openai.chat.codec import ChatCompletions

from ppap_core import hookimpl
from ppap_core.config import Config
from ppap_core.conversation import Conversation
from ppap_core.credentials import Credential
from ppap_core.errors import InvalidRequest
from ppap_core.exchange import Call, Failure, OutgoingRequest, RequestShaper, Verdict, by_status
from ppap_core.models import Model
from ppap_core.proxy import Proxy
from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import running
from ppap_core.upstream import UpstreamReply
from ppap_core.wire import EncodedRequest, Target

TRAFFIC: Mapping[str, Any] = {"c": chat, "a": messages, "g": gemini}
PROTOCOLS = {"c": "openai", "a": "claude", "g": "gemini"}
SURFACES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    "anthropic-messages": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
    "openai-responses": ("/v1/responses", {"input": "x"}),
}


def config(stub: StubUpstream) -> str:
    def entry(alias: str) -> dict[str, Any]:
        return {"api-key": "k", "base-url": stub.url, "models": [{"name": "up", "alias": alias}]}

    compatible = {
        "name": "c",
        "base-url": f"{stub.url}/v1",
        "models": [{"name": "up", "alias": "c", "thinking": {"levels": ["low", "high"]}}],
    }
    return (
        f"openai-compatibility: {json.dumps([compatible])}\n"
        f"claude-api-key: {json.dumps([entry('a')])}\n"
        f"gemini-api-key: {json.dumps([entry('g')])}\n"
        "request-retry: 0\n"
    )


class Shaping:
    """Notes every request that goes upstream, and edits it."""

    def __init__(self, changes: Mapping[str, bytes | None] | None = None) -> None:
        self.seen: list[OutgoingRequest] = []
        self.changes = changes or {}

    def shape(self, request: OutgoingRequest) -> Mapping[str, bytes | None]:
        self.seen.append(request)
        return self.changes

    @hookimpl
    def ppap_request_shapers(self) -> Sequence[RequestShaper]:
        return [self.shape]


async def asked(
    shaping: Shaping, surface: str, model: str, *, stream: bool = False, **fields: Any
) -> tuple[httpx.Response, Any]:
    """The client's answer, and the body that arrived upstream."""
    path, body = SURFACES[surface]
    traffic = TRAFFIC[model[0]]
    async with StubUpstream() as stub, running(config(stub), plugins=[shaping]) as proxy:
        stub.otherwise(streamed(traffic.stream("fine")) if stream else whole(traffic.reply("fine")))
        async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
            answer = await client.post(path, json={"model": model, "stream": stream, **body, **fields})
    return answer, stub.requests[0].json() if stub.requests else None


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", PROTOCOLS)
@pytest.mark.parametrize("surface", SURFACES)
async def test_shapers_see_every_request_and_their_edits_arrive(
    surface: str, model: str, stream: bool
) -> None:
    """Relayed or translated, once per attempt, in the upstream's own format."""
    shaping = Shaping({"x-note": b'"shaped"'})
    answer, sent = await asked(shaping, surface, model, stream=stream)
    assert answer.status_code == 200, answer.text
    (request,) = shaping.seen
    assert (request.surface, request.protocol, request.stream) == (surface, PROTOCOLS[model], stream)
    assert request.models == {"up", model}
    assert request.credential.id
    assert sent["x-note"] == "shaped"


async def test_the_models_names_are_with_and_without_what_they_say_of_thinking() -> None:
    for name in ("c-high", "c(high)"):
        shaping = Shaping()
        _, sent = await asked(shaping, "openai-chat", name)
        assert shaping.seen[0].models == {"up", "c", "c-high", name}
        assert sent["reasoning_effort"] == "high"
        assert shaping.seen[0].body.text("reasoning_effort") == "high"


async def test_a_shaper_that_changes_nothing_leaves_the_very_bytes() -> None:
    async with StubUpstream() as stub, running(config(stub), plugins=[Shaping()]) as proxy:
        stub.otherwise(whole(chat.reply("fine")))
        body = b'{ "model": "up", "x": 1e5, "messages": [] }'
        await _post(proxy.base_url, dict(proxy.headers), body.replace(b"up", b"c"))
    assert stub.requests[0].body == body


async def _post(base_url: str, headers: dict[str, str], body: bytes) -> httpx.Response:
    async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
        return await client.post("/v1/chat/completions", content=body)


async def test_what_a_chat_stream_needs_is_written_back() -> None:
    """Step 5 of the order: usage in streams, and a stream where a stream is read."""
    shaping = Shaping({"stream": b"false", "stream_options": b'{"x":1}'})
    answer, sent = await asked(shaping, "openai-chat", "c", stream=True)
    assert sent["stream"] is True
    assert sent["stream_options"] == {"x": 1, "include_usage": True}
    assert "fine" in answer.text


async def test_a_whole_answer_stays_whole() -> None:
    for model in ("c", "a"):
        answer, sent = await asked(Shaping({"stream": b"true"}), "openai-chat", model)
        assert sent["stream"] is False
        assert answer.json()["choices"][0]["message"]["content"] == "fine"


async def test_what_messages_demands_is_written_back() -> None:
    """C.15 holds for the edited request: no thinking with a forced choice, and a limit."""
    changes = {
        "max_tokens": None,
        "tool_choice": b'{"type":"any"}',
        "thinking": b'{"type":"enabled","budget_tokens":2048}',
        "betas": b'["one"]',
    }
    shaping = Shaping(changes)
    _, sent = await asked(shaping, "openai-chat", "a", stream=True)
    assert "thinking" not in sent
    assert "betas" not in sent
    assert sent["stream"] is True


async def test_gemini_turns_are_repaired_after_the_edit() -> None:
    """Gemini spec, 4.1: a conversation that the model begins gets a turn before it."""
    shaping = Shaping({"contents": b'[{"role":"model","parts":[{"text":"a"}]}]', "session_id": b'"s"'})
    _, sent = await asked(shaping, "openai-chat", "g")
    assert [turn["role"] for turn in sent["contents"]] == ["user", "model"]
    assert "session_id" not in sent


async def test_a_shaper_may_refuse() -> None:
    class Refusing(Shaping):
        def shape(self, request: OutgoingRequest) -> Mapping[str, bytes | None]:
            raise InvalidRequest("Invalid request: not like this")

    answer, sent = await asked(Refusing(), "anthropic-messages", "c")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Invalid request: not like this"
    assert sent is None


async def test_a_shaper_that_breaks_fails_its_request_only() -> None:
    class Broken(Shaping):
        def shape(self, request: OutgoingRequest) -> Mapping[str, bytes | None]:
            raise RuntimeError

    answer, sent = await asked(Broken(), "openai-chat", "c")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert sent is None


async def test_shapers_come_and_go_with_the_config() -> None:
    """Asked on each reload; while there is none, the snapshot has none."""

    class WhileDebugging:
        @hookimpl
        def ppap_request_shapers(self, config: Config) -> Sequence[RequestShaper]:
            return [lambda request: {"x-note": b"1"}] if config.core.debug else []

    async with StubUpstream() as stub, running(config(stub), plugins=[WhileDebugging()]) as proxy:
        stub.otherwise(whole(chat.reply("fine")))
        request = chat.request("x", model="c")
        await _post(proxy.base_url, dict(proxy.headers), request)
        assert not proxy.proxy.snapshot.shapers
        await proxy.rewrite(config(stub) + "debug: true\n")
        await _post(proxy.base_url, dict(proxy.headers), request)
    assert ["x-note" in request.json() for request in stub.requests] == [False, True]


class Wrapped(ChatCompletions):
    """Chat inside an envelope."""

    name = "wrapped-chat"
    envelope = "request"

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        inner = CHAT.encode_request(conversation, target).body
        return EncodedRequest(b'{"project": "p", "request": %b}' % inner)

    def enforce(self, body: Any, target: Target, *, stream: bool) -> EncodedRequest:
        return EncodedRequest(body.edited({"project": b'"enforced"'}))


class WrappingProvider:
    name = "wrapping"
    wire = Wrapped()

    def __init__(self, proxy: Proxy) -> None:
        self._upstream = proxy.upstream

    async def send(self, call: Call) -> UpstreamReply:
        return await self._upstream.post(call.credential.settings, call.body, {}, deadlines=call.deadlines)

    def classify(self, failure: Failure) -> Verdict:
        return by_status(failure)


async def test_shapers_see_what_is_in_the_envelope() -> None:
    """Paths and edits are relative to it (Gemini spec, 9.6)."""

    class Plugin(Shaping):
        url = ""

        @hookimpl
        def ppap_providers(self, proxy: Proxy) -> list[Any]:
            return [WrappingProvider(proxy)]

        @hookimpl
        def ppap_wire_formats(self) -> list[Any]:
            return [WrappingProvider.wire]

        @hookimpl
        def ppap_credentials(self) -> list[Credential]:
            return [Credential(id="w", provider="wrapping", label="w", settings=self.url)]

        @hookimpl
        def ppap_models(self, credential: Credential) -> list[Model] | None:
            return [Model(id="c", upstream=["up"])] if credential.provider == "wrapping" else None

    plugin = Plugin({"temperature": b"0.5"})
    async with StubUpstream(whole(chat.reply("fine"))) as stub:
        plugin.url = stub.url
        async with running("port: 0\n", plugins=[plugin]) as proxy:
            await _post(proxy.base_url, dict(proxy.headers), chat.request("x", model="c"))
    (seen,) = plugin.seen
    assert seen.body.text("model") == "up"
    sent = msgspec.json.decode(stub.requests[0].body)
    assert sent["project"] == "enforced"
    assert sent["request"]["temperature"] == 0.5
