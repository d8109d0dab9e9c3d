"""``api-key-controls``: what single client keys may do (client API spec, 6)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from ppap_openai import testing as chat

from ppap_core.access.controls import Rule
from ppap_core.config import KeyControl
from ppap_core.conversation import ThinkingIntent
from ppap_core.models import ListedModel
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.running import running

KEY = "sk-client-restricted"
FREE_KEY = "sk-client-free"
REFUSED = ("Model is not allowed for this API key", "api_key_access_error", "model_not_allowed")
GPT = ListedModel(id="teamA/gpt-5", unprefixed="gpt-5")
GPT_HIGH = ListedModel(id="teamA/gpt-5-high", unprefixed="gpt-5", base="teamA/gpt-5")
HIGH = ThinkingIntent(mode="level", level="high")


@pytest.mark.parametrize(
    ("model", "intent", "models", "excluded", "allowed"),
    [
        (GPT, None, [], [], True),
        (GPT, None, ["*"], [], True),
        (GPT, None, ["gpt-*"], [], True),
        (GPT, None, ["GPT-5"], [], True),
        (GPT, None, ["models/gpt-5"], [], True),
        (GPT, None, ["teamA/*"], [], True),
        (GPT, None, ["*pt*"], [], True),
        (GPT, None, ["gpt"], [], False),
        (GPT, None, ["gpt-5-high"], [], False),
        (GPT, None, [""], [], False),
        (GPT, None, ["*"], ["gpt-5"], False),
        (GPT, None, [], ["teama/*"], False),
        (GPT, None, [], [""], True),
        (GPT, None, [], ["*-high"], True),
        (GPT, HIGH, ["gpt-5*"], [], True),
        (GPT, HIGH, [], ["gpt-5"], False),
        (GPT, HIGH, [], ["*-high"], False),
        (GPT, HIGH, ["gpt-5-high"], [], True),
        (GPT_HIGH, None, ["gpt-5"], [], True),
        (GPT_HIGH, None, [], ["gpt-5"], False),
        (GPT_HIGH, None, [], ["gpt-5-high"], False),
        (GPT_HIGH, None, ["gpt-5-low"], [], False),
    ],
)
def test_patterns_see_every_name_of_a_model(
    model: ListedModel, intent: ThinkingIntent | None, models: list[str], excluded: list[str], allowed: bool
) -> None:
    """Prefixes and levels neither dodge a rule nor trip over one (Better f); exclusions come first."""
    rule = Rule.of(KeyControl(models=tuple(models), excluded_models=tuple(excluded)))
    assert rule.allows(model.names(intent) if intent else model.names()) is allowed


SURFACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    "completions": ("/v1/completions", {"prompt": "x"}),
    "responses": ("/v1/responses", {"input": "x"}),
    "compaction": ("/v1/responses/compact", {"input": "x"}),
    "codex": ("/backend-api/codex/responses", {"input": "x", "stream": True}),
    "messages": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
    "counting": ("/v1/messages/count_tokens", {"messages": [{"role": "user", "content": "x"}]}),
    "gemini": ("/v1beta/models/{model}:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}),
    "gemini stream": (
        "/v1beta/models/{model}:streamGenerateContent",
        {"contents": [{"parts": [{"text": "x"}]}]},
    ),
    "gemini counting": ("/v1beta/models/{model}:countTokens", {"contents": [{"parts": [{"text": "x"}]}]}),
    "gemini embedding": ("/v1beta/models/{model}:embedContent", {"content": {"parts": [{"text": "x"}]}}),
    "images": ("/v1/images/generations", {"prompt": "x"}),
    "image edits": (
        "/v1/images/edits",
        {"prompt": "x", "images": [{"image_url": "https://x.example/a.png"}]},
    ),
    "embeddings": ("/v1/embeddings", {"input": "x"}),
}


def config(stub: StubUpstream, *controls: Mapping[str, Any], **entry: Any) -> str:
    upstream = {
        "name": "c",
        "prefix": "teamA",
        "base-url": f"{stub.url}/v1",
        "models": [{"name": "up", "alias": name} for name in ("allowed-model", "blocked-model")],
        **entry,
    }
    settings = {
        "api-keys": [KEY, FREE_KEY],
        "api-key-controls": controls,
        "openai-compatibility": [upstream],
        "plugins": {"disabled": ["demo"]},
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())


def client_of(base_url: str, key: str = KEY) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base_url, headers={"authorization": f"Bearer {key}"}, timeout=10)


def refusal_of(answer: httpx.Response) -> tuple[str, str, str]:
    """Message, type and code, once the body has the shape that SDKs of this surface expect."""
    body = answer.json()
    error = body["error"]
    if "messages" in answer.request.url.path:
        assert body["type"] == "error"
    if "v1beta" in answer.request.url.path:
        assert (error["code"], error["status"]) == (answer.status_code, "PERMISSION_DENIED")
        (info,) = error["details"]
        return error["message"], info["domain"], info["reason"]
    return error["message"], error["type"], error["code"]


@pytest.mark.parametrize(
    "model", ["blocked-model", "teamA/blocked-model", "blocked-model(high)", "blocked-model-low"]
)
@pytest.mark.parametrize("surface", SURFACES)
async def test_a_model_that_a_key_may_not_use_is_a_403_everywhere(surface: str, model: str) -> None:
    """In the shape of the surface, with type and code, and nothing is called; whatever the query says
    (Better a, b and f)."""
    path, fields = SURFACES[surface]
    async with StubUpstream() as stub:
        settings = config(stub, {"api-key": KEY, "models": ["allowed-*"]})
        async with running(settings) as proxy, client_of(proxy.base_url) as client:
            url = path.format(model=model) + "?model=allowed-model"
            answer = await client.post(url, json={"model": model, **fields})
        assert (answer.status_code, refusal_of(answer)) == (403, REFUSED)
        assert stub.requests == []


@pytest.mark.parametrize("form", [{"model": "blocked-model", "prompt": "x"}, {"prompt": "x"}])
async def test_an_image_edit_as_a_form_is_checked(form: Mapping[str, str]) -> None:
    """Better d; and without a model, as the one that it would get (Better e)."""
    async with StubUpstream() as stub:
        drawer = [{"name": "up", "alias": name} for name in ("blocked-model", "gpt-image-2")]
        settings = config(stub, {"api-key": KEY, "models": ["allowed-*"]}, models=drawer)
        async with running(settings) as proxy, client_of(proxy.base_url) as client:
            file = {"image": ("a.png", b"\x89PNG", "image/png")}
            answer = await client.post("/v1/images/edits", data=form, files=file)
        assert (answer.status_code, refusal_of(answer)) == (403, REFUSED)
        assert stub.requests == []


@pytest.mark.parametrize(("allowed", "status"), [("gpt-image-*", 200), ("allowed-*", 403)])
async def test_an_image_request_without_a_model_is_checked(allowed: str, status: int) -> None:
    """As ``gpt-image-2``, which it would get (Better e)."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(b'{"created": 1, "data": [{"b64_json": "eA=="}]}'))
        drawer = [{"name": "up", "alias": "gpt-image-2"}]
        settings = config(stub, {"api-key": KEY, "models": [allowed]}, models=drawer)
        async with running(settings) as proxy, client_of(proxy.base_url) as client:
            answer = await client.post("/v1/images/generations", json={"prompt": "x"})
        assert answer.status_code == status


async def test_what_is_allowed_arrives_whole() -> None:
    """The check changes nothing of the request (pinned)."""
    path, fields = SURFACES["chat"]
    async with StubUpstream() as stub:
        stub.otherwise(whole(chat.reply("fine")))
        settings = config(
            stub, {"key": f" {KEY} ", "models": ["allowed-*"], "excluded-models": ["blocked-*"]}
        )
        async with running(settings) as proxy, client_of(proxy.base_url) as client:
            for model in ("allowed-model", "teamA/allowed-model", "ALLOWED-model"):
                answer = await client.post(path, json={"model": model, **fields})
                assert answer.status_code == 200
        assert [request.json()["messages"] for request in stub.requests] == [fields["messages"]] * 3


async def test_auto_is_checked_as_what_it_stands_for() -> None:
    """Better g: the word is not what is used."""
    path, fields = SURFACES["chat"]
    async with StubUpstream() as stub:
        stub.otherwise(whole(chat.reply("fine")))
        entry = {"models": [{"name": "up", "alias": "only-model"}]}
        settings = config(stub, {"api-key": KEY, "models": ["auto", "x"]}, **entry)
        async with running(settings) as proxy, client_of(proxy.base_url) as client:
            refused = await client.post(path, json={"model": "auto", **fields})
            assert (refused.status_code, refusal_of(refused)) == (403, REFUSED)


@pytest.mark.parametrize(
    ("controls", "status"),
    [
        ([], 200),
        ([{"api-key": "another"}], 200),
        ([{"api-key": KEY, "enabled": True, "name": "someone", "max-requests": 1, "unlimited": True}], 200),
        ([{"api-key": KEY, "enabled": False}], 403),
        ([{"api-key": KEY, "enabled": False}, {"api-key": KEY}], 403),
        ([{"api-key": KEY}, {"api-key": KEY, "enabled": False}], 200),
        ([{"api-key": KEY, "key": "another", "enabled": False}], 403),
    ],
)
@pytest.mark.parametrize("surface", ["chat", "messages", "gemini"])
async def test_a_key_may_be_disabled(
    surface: str, controls: Sequence[Mapping[str, Any]], status: int
) -> None:
    """The first entry of a key counts; a key without one may do everything. Lists are refused as well."""
    path, fields = SURFACES[surface]
    async with StubUpstream() as stub:
        stub.otherwise(whole(chat.reply("fine")))
        async with running(config(stub, *controls)) as proxy, client_of(proxy.base_url) as client:
            url = path.format(model="allowed-model")
            answer = await client.post(url, json={"model": "allowed-model", **fields})
            listed = await client.get("/v1beta/models" if surface == "gemini" else "/v1/models")
    assert (answer.status_code, listed.status_code) == (status, status)
    if status == 403:
        assert refusal_of(answer) == ("API key is disabled", "api_key_access_error", "api_key_disabled")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/models", {}),
        ("/v1/models", {"anthropic-version": "2023-06-01"}),
        ("/v1beta/models", {}),
        ("/v1/models?client_version=1", {}),
        ("/backend-api/codex/models?client_version=1", {}),
    ],
)
async def test_lists_show_what_a_key_may_use(path: str, headers: Mapping[str, str]) -> None:
    """In every shape, one by one too, and for each key its own (Better: filter everywhere)."""
    control = {"api-key": KEY, "models": ["allowed-model"], "excluded-models": ["*-high"]}
    async with StubUpstream() as stub, running(config(stub, control)) as proxy:
        shown = await listed_at(proxy.base_url, KEY, path, headers)
        everything = await listed_at(proxy.base_url, FREE_KEY, path, headers)
        async with client_of(proxy.base_url) as client:
            one = [
                (await client.get(path.replace("models", f"models/{model}", 1), headers=headers)).status_code
                for model in ("allowed-model", "teamA/allowed-model-low", "blocked-model")
            ]
    mine = {"allowed-model", "allowed-model-low", "allowed-model-medium"}
    assert shown == mine | {f"teamA/{name}" for name in mine}
    assert {"blocked-model", "allowed-model-high", "teamA/blocked-model-high"} <= everything
    assert one == [200, 200, 404]


async def listed_at(base_url: str, key: str, path: str, headers: Mapping[str, str]) -> set[str]:
    """The ids in a list, in whatever shape it is."""
    async with client_of(base_url, key) as client:
        listed = (await client.get(path, headers=headers)).json()
    if "models" in listed:
        return {model.get("slug", model.get("name")).removeprefix("models/") for model in listed["models"]}
    return {model["id"] for model in listed["data"]}
