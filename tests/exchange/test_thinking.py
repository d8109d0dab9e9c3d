"""The pinned matrix: who asks which model for how much thinking, and what arrives (translation spec, D.7)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import httpx
import pytest
import pytest_asyncio
from ppap_claude import testing as messages
from ppap_openai import testing as chat

from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT, CLAUDE = "/v1/chat/completions", "/v1/messages"
FIELDS = ("reasoning_effort", "thinking", "output_config")
C, S46, O46, N_CLAUDE, U = (
    "claude-haiku-4-5-20251001",
    "claude-sonnet-4-6",
    "claude-opus-4-6",
    "claude-3-5-haiku-20241022",
    "claude-unheard-of",
)
COMPATIBLE = {
    "l": {"levels": ["minimal", "low", "medium", "high"]},
    "s": {"levels": ["low", "high"]},
    "k": {"min": 1024, "max": 32000, "zero-allowed": True, "dynamic-allowed": True},
    "n": {},
}


@attrs.frozen
class Bench:
    """A proxy with one upstream of each format."""

    chat: StubUpstream
    claude: StubUpstream
    proxy: RunningProxy
    client: httpx.AsyncClient

    async def asked(self, path: str, model: str, fields: dict[str, Any]) -> httpx.Response:
        limit = {"max_tokens": 200000} if path == CLAUDE or model.startswith("claude") else {}
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **limit, **fields}
        return await self.client.post(path, content=json.dumps(body))

    async def arrived(self, path: str, model: str, fields: dict[str, Any]) -> dict[str, Any]:
        """The thinking fields of the request that reached an upstream."""
        stub = self.claude if "claude" in model else self.chat
        seen = len(stub.requests)
        answer = await self.asked(path, model, fields)
        assert answer.status_code == 200, answer.text
        (request,) = stub.requests[seen:]
        sent = request.json()
        assert "(" not in sent["model"]
        return {key: sent[key] for key in FIELDS if key in sent}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with (
        StubUpstream() as chat_stub,
        StubUpstream() as claude_stub,
        running(_config(chat_stub, claude_stub)) as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers), timeout=10) as client,
    ):
        chat_stub.otherwise(whole(chat.reply("Hello")))
        claude_stub.otherwise(whole(messages.reply("Hello")))
        yield Bench(chat_stub, claude_stub, proxy, client)


def _config(chat_stub: StubUpstream, claude_stub: StubUpstream) -> str:
    compatible = {
        "name": "compatible",
        "base-url": f"{chat_stub.url}/v1",
        "api-key-entries": [{"api-key": "sk-chat"}],
        "models": [
            *({"name": name, "thinking": thinking} for name, thinking in COMPATIBLE.items()),
            {"name": "l(low)", "alias": "l-slow", "thinking": COMPATIBLE["l"]},
        ],
        "prefix": "team",
    }
    claude = {
        "api-key": "sk-claude",
        "base-url": claude_stub.url,
        "models": [{"name": name} for name in (C, S46, O46, N_CLAUDE, U)],
    }
    sections = {"request-retry": 0, "openai-compatibility": [compatible], "claude-api-key": [claude]}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in sections.items())


def effort(word: str) -> dict[str, Any]:
    return {"reasoning_effort": word}


def adaptive(level: str) -> dict[str, Any]:
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": level}}


def shown(level: str) -> dict[str, Any]:
    """What a Chat client's word becomes: it wants to see the thoughts (D.8)."""
    return {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": level}}


def budget(tokens: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


DISABLED: dict[str, Any] = {"thinking": {"type": "disabled"}}
NOTHING: dict[str, Any] = {}

MATRIX = [
    # Chat to Chat
    (CHAT, "l", NOTHING, NOTHING),
    (CHAT, "l", effort("medium"), effort("medium")),
    (CHAT, "l", effort("none"), effort("minimal")),
    (CHAT, "l", effort("auto"), effort("medium")),
    (CHAT, "l(auto)", NOTHING, effort("medium")),
    (CHAT, "l(none)", effort("high"), effort("minimal")),
    (CHAT, "l-high", NOTHING, effort("high")),
    (CHAT, "l-high", effort("medium"), effort("high")),
    (CHAT, "team/l-high", effort("medium"), effort("high")),
    (CHAT, "team/l(8192)", NOTHING, effort("medium")),
    (CHAT, "l(64000)", NOTHING, effort("high")),
    (CHAT, "l()", effort("low"), effort("low")),
    (CHAT, "l(-5)", effort("low"), effort("low")),
    (CHAT, "l-slow", effort("high"), effort("low")),
    (CHAT, "l-slow(high)", NOTHING, effort("low")),
    (CHAT, "n", effort("high"), NOTHING),
    (CHAT, "n(high)", effort("high"), NOTHING),
    (CHAT, "k", effort("minimal"), effort("low")),
    (CHAT, "k", effort("low"), effort("low")),
    (CHAT, "k", effort("medium"), effort("medium")),
    (CHAT, "k", effort("high"), effort("high")),
    (CHAT, "k", effort("xhigh"), effort("xhigh")),
    (CHAT, "k", effort("max"), effort("xhigh")),
    (CHAT, "k", effort("auto"), effort("auto")),
    # Claude to Chat
    (CLAUDE, "l", NOTHING, NOTHING),
    (CLAUDE, "l", budget(8192), effort("medium")),
    (CLAUDE, "l", budget(64000), effort("high")),
    (CLAUDE, "l", budget(0), effort("minimal")),
    (CLAUDE, "l", budget(-1), effort("medium")),
    (CLAUDE, "l(8192)", NOTHING, effort("medium")),
    (CLAUDE, "l-low", budget(64000), effort("low")),
    (CLAUDE, "s", budget(8192), effort("low")),
    *(
        (CLAUDE, "l", adaptive(word), effort(arrives))
        for word, arrives in {
            "minimal": "minimal",
            "low": "low",
            "medium": "medium",
            "high": "high",
            "xhigh": "high",
            "max": "high",
        }.items()
    ),
    (CLAUDE, "l", {"thinking": {"type": "adaptive"}}, effort("high")),
    (CLAUDE, "l", DISABLED, effort("minimal")),
    (CLAUDE, "n", adaptive("high"), NOTHING),
    (CLAUDE, "n", budget(8192), NOTHING),
    # Chat to Claude
    (CHAT, C, NOTHING, NOTHING),
    (CHAT, C, effort("medium"), budget(8192)),
    (CHAT, C, effort("xhigh"), budget(32768)),
    (CHAT, C, effort("none"), DISABLED),
    (CHAT, C, effort("auto"), budget(64512)),
    (CHAT, f"{C}(medium)", NOTHING, budget(8192)),
    (CHAT, f"{C}(xhigh)", effort("low"), budget(32768)),
    (CHAT, f"{C}(none)", effort("low"), DISABLED),
    (CHAT, f"{C}(auto)", NOTHING, budget(64512)),
    (CHAT, f"{C}(200000)", NOTHING, budget(128000)),
    *(
        (CHAT, S46, effort(word), shown(arrives))
        for word, arrives in {
            "minimal": "low",
            "low": "low",
            "medium": "medium",
            "high": "high",
            "xhigh": "high",
            "max": "high",
        }.items()
    ),
    (CHAT, f"{S46}-high", effort("low"), shown("high")),
    (CHAT, f"{S46}(max)", NOTHING, adaptive("high")),
    (CHAT, S46, effort("none"), DISABLED),
    (CHAT, S46, effort("auto"), {"thinking": {"type": "adaptive", "display": "summarized"}}),
    (CHAT, O46, effort("xhigh"), shown("max")),
    (CHAT, O46, effort("max"), shown("max")),
    (CHAT, N_CLAUDE, effort("high"), NOTHING),
    (CHAT, f"{U}(8192)", NOTHING, budget(8192)),
    (CHAT, U, effort("medium"), budget(8192)),
    (CHAT, f"{U}(high)", NOTHING, adaptive("high")),
    # Claude to Claude
    (CLAUDE, C, budget(8192), budget(8192)),
    (CLAUDE, f"{C}(200000)", NOTHING, budget(128000)),
    (CLAUDE, C, adaptive("medium"), budget(8192)),
    (CLAUDE, S46, adaptive("medium"), adaptive("medium")),
    (CLAUDE, S46, adaptive("high"), adaptive("high")),
    (CLAUDE, O46, adaptive("max"), adaptive("max")),
    (CLAUDE, f"{S46}(8192)", adaptive("low"), budget(8192)),
    (CLAUDE, f"{S46}-low", adaptive("high"), adaptive("low")),
    (CLAUDE, S46, {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
    (CLAUDE, N_CLAUDE, adaptive("high"), NOTHING),
    (CLAUDE, f"{U}(high)", NOTHING, adaptive("high")),
    (CLAUDE, U, adaptive("high"), adaptive("high")),
    (CLAUDE, U, budget(8192), budget(8192)),
]


@pytest.mark.parametrize(("path", "model", "asked", "arrives"), MATRIX)
async def test_what_is_asked_arrives_as_the_model_takes_it(
    bench: Bench, path: str, model: str, asked: dict[str, Any], arrives: dict[str, Any]
) -> None:
    """By name or by body, from either client to either upstream (D.7; pain 26)."""
    assert await bench.arrived(path, model, asked) == arrives


REFUSED = [
    (CHAT, "l", effort("xhigh"), 'level "xhigh" not supported, valid levels: minimal, low, medium, high'),
    (CHAT, "l(xhigh)", NOTHING, 'level "xhigh" not supported, valid levels: minimal, low, medium, high'),
    (CHAT, "l-xhigh", NOTHING, 'level "xhigh" not supported, valid levels: minimal, low, medium, high'),
    (CHAT, "l", effort("ultra"), "unknown level: ultra, valid levels: minimal, low, medium, high"),
    (CHAT, C, effort("ultra"), "unknown level: ultra"),
    (CLAUDE, C, budget(200000), "budget 200000 out of range [1024,128000]"),
    (CLAUDE, S46, adaptive("max"), 'level "max" not supported, valid levels: low, medium, high'),
    (CLAUDE, S46, adaptive("xhigh"), 'level "xhigh" not supported, valid levels: low, medium, high'),
    (CLAUDE, f"{S46}(max)", NOTHING, 'level "max" not supported, valid levels: low, medium, high'),
    (CLAUDE, O46, adaptive("xhigh"), 'level "xhigh" not supported, valid levels: low, medium, high, max'),
]


@pytest.mark.parametrize(("path", "model", "asked", "message"), REFUSED)
async def test_what_a_client_could_know_better_is_refused(
    bench: Bench, path: str, model: str, asked: dict[str, Any], message: str
) -> None:
    """In its own dialect, with what the model takes, and without asking the upstream (D.7, D.8; pain 26)."""
    seen = len(bench.chat.requests), len(bench.claude.requests)
    answer = await bench.asked(path, model, asked)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"].startswith(message)
    assert error["type"] == "invalid_request_error"
    assert (len(bench.chat.requests), len(bench.claude.requests)) == seen


@pytest.mark.parametrize(
    ("path", "model", "asked", "label"),
    [
        (CHAT, "l", NOTHING, ""),
        (CHAT, "l", effort("Low"), "low"),
        (CHAT, "l(high)", effort("low"), "high"),
        (CHAT, "l-high", effort("low"), "high"),
        (CHAT, "l(8192)", NOTHING, "medium"),
        (CHAT, "l(auto)", NOTHING, "auto"),
        (CHAT, "l()", effort("low"), "low"),
        (CHAT, "l-slow", effort("high"), "low"),
        (CLAUDE, "l", budget(8192), "medium"),
        (CLAUDE, S46, DISABLED, "none"),
        (CLAUDE, S46, {"thinking": {"type": "adaptive"}}, ""),
    ],
)
async def test_the_record_says_how_much_was_asked_for(
    bench: Bench, path: str, model: str, asked: dict[str, Any], label: str
) -> None:
    """The name's word before the body's, as a level (D.8)."""
    number = len(bench.proxy.records)
    await bench.asked(path, model, asked)
    record = (await bench.proxy.finished(number + 1))[number]
    assert record.reasoning_effort == label
    assert record.requested_model == model


async def test_a_relayed_body_keeps_its_bytes_where_nothing_is_to_be_said(bench: Bench) -> None:
    """What the model takes as it stands is not written again."""
    body = f'{{"model": "{S46}", "thinking":  {{"type":"adaptive"}},"output_config":{{"effort":"LOW"}},'
    body += '"max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"Hi",'
    body += '"cache_control":{"type":"ephemeral"}}]}]}'
    seen = len(bench.claude.requests)
    await bench.client.post(CLAUDE, content=body)
    assert bench.claude.requests[seen].body == body.encode()


async def test_counting_asks_for_what_generating_would(bench: Bench) -> None:
    """A name's level counts there too, and its suffix never reaches the upstream."""
    bench.claude.answers(whole(b'{"input_tokens": 3}'))
    seen = len(bench.claude.requests)
    asked = {"model": f"{C}(medium)", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20000}
    answer = await bench.client.post(f"{CLAUDE}/count_tokens", content=json.dumps(asked))
    assert answer.json() == {"input_tokens": 3}
    sent = bench.claude.requests[seen].json()
    assert sent["model"] == C
    assert sent["thinking"] == budget(8192)["thinking"]


async def test_lists_show_the_levels(bench: Bench) -> None:
    """In every shape (client API spec, 9.5)."""
    listed = (await bench.client.get("/v1/models")).json()["data"]
    ids = [model["id"] for model in listed]
    at = ids.index("l")
    assert ids[at : at + 5] == ["l", "l-high", "l-low", "l-medium", "l-slow"]
    assert "team/l-high" in ids
    assert "l-minimal" not in ids
    named = (await bench.client.get("/v1/models", headers={"anthropic-version": "2023-06-01"})).json()["data"]
    assert {model["id"]: model["display_name"] for model in named}[f"{S46}-high"] == f"{S46} HIGH"


async def test_a_streams_name_is_the_clients(bench: Bench) -> None:
    """The answer is told under the name that was asked for, suffix included (auth spec, 6.7)."""
    bench.claude.answers(streamed(messages.stream("Hello", model=S46)))
    fields = {"model": f"{S46}(high)", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    answer = await bench.client.post(CHAT, content=json.dumps(fields))
    first = next(line for line in answer.text.splitlines() if line.startswith("data: {"))
    assert json.loads(first.removeprefix("data: "))["model"] == f"{S46}(high)"
