"""Models by config, seen from outside: names, corrections, levels, ``auto`` (auth spec, 6; client API, 8)."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from ppap_claude import testing as messages
from ppap_openai import testing as chat

from ppap_core import hookimpl
from ppap_core.access import Identity
from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    ItemEnd,
    ItemStart,
    Start,
    ThinkingSupport,
)
from ppap_core.credentials import Credential
from ppap_core.errors import RequestError, UpstreamFault
from ppap_core.exchange import by_status
from ppap_core.exchange.exchange import Exchange
from ppap_core.models import ListedModel, Model
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.running import RunningProxy, running
from ppap_core.wire import Target


class Parrot:
    """A provider with an account that is logged in, and an API key; it says what it was asked for."""

    name = "parrot"
    classify = staticmethod(by_status)

    async def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]:
        yield Start(model=target.model)
        yield ItemStart(0, "text")
        yield Delta(0, "text", f"{credential.id} {target.model} {conversation.thinking.label}".strip())
        yield ItemEnd(0)
        yield Finish("stop")
        yield End()

    @hookimpl
    def ppap_providers(self) -> Sequence[Any]:
        return [self]

    @hookimpl
    def ppap_credentials(self) -> Sequence[Credential]:
        key = Credential(id="key", provider="parrot", label="parrot-key", settings=None)
        account = Credential(
            id="account",
            provider="parrot",
            label="me@example.org",
            settings=None,
            channel="parrot",
            priority=1,
        )
        return [account, key]

    @hookimpl
    def ppap_models(self, credential: Credential) -> Sequence[Model] | None:
        levels = ThinkingSupport(levels=("low", "high"))
        known = [Model(id=name, upstream=(name,), thinking=levels) for name in ("ara", "kea")]
        return known if credential.provider == "parrot" else None


def settings(**sections: Any) -> str:
    """A config without the demo model, so that only these models are there."""
    told = {"plugins": {"disabled": ["demo"]}, **sections}
    return "".join(f"{key.replace('_', '-')}: {json.dumps(value)}\n" for key, value in told.items())


def client_of(proxy: RunningProxy) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers), timeout=10)


async def listed(proxy: RunningProxy, **headers: str) -> list[Mapping[str, Any]]:
    async with client_of(proxy) as client:
        found: list[Mapping[str, Any]] = (await client.get("/v1/models", headers=headers)).json()["data"]
        return found


async def said(proxy: RunningProxy, model: str, **fields: Any) -> str:
    """What the parrot said; or the code of the refusal."""
    async with client_of(proxy) as client:
        answer = await client.post("/v1/chat/completions", content=chat.request(model=model, **fields))
    body = answer.json()
    told: str = body["error"]["code"] if answer.is_error else body["choices"][0]["message"]["content"]
    return told


async def test_names_of_a_channel_hold_for_those_who_are_logged_in() -> None:
    """From the next reload on, and never for API keys (6.5; config spec, 2.8)."""
    async with running(settings(), plugins=[Parrot()]) as proxy:
        assert await said(proxy, "kea") == "account kea"
        assert await said(proxy, "bird") == "model_not_found"
        await proxy.rewrite(
            settings(
                oauth_model_alias={
                    " Parrot ": [{"name": "kea", "alias": "bird"}, {"name": "ara-high", "alias": "deep"}]
                },
                oauth_excluded_models={"PARROT": [" *-LOW "]},
            )
        )
        assert await said(proxy, "bird") == "account kea"
        assert await said(proxy, "bird-high") == "account kea high"
        assert await said(proxy, "bird(low)") == "account kea low"
        assert await said(proxy, "deep(low)") == "account ara high"
        assert await said(proxy, "kea") == "key kea"
        assert await said(proxy, "ara-low") == "key ara low"
        assert await said(proxy, "bird-low") == "model_not_found"
        ids = {model["id"] for model in await listed(proxy)}
        assert {"bird", "bird-high", "deep", "kea", "kea-low"} <= ids
        assert not ids & {"bird-low", "deep-high"}
        await proxy.rewrite(settings(oauth_model_alias={"kakadu": [{"name": "kea", "alias": "bird"}]}))
        assert await said(proxy, "bird") == "model_not_found"


async def test_what_is_known_of_a_model_changes_on_reload() -> None:
    """For models of a catalogue and for those that an entry lists; new ones are added (item 5)."""
    async with StubUpstream() as stub:
        compatible = [
            {"name": "Own", "base-url": f"{stub.url}/v1", "models": [{"name": "up", "alias": "mine"}]}
        ]
        claude = [{"api-key": "k", "base-url": stub.url, "excluded-models": ["claude-3*", "claude-opus*"]}]
        accounts = {"claude_api_key": claude, "openai_compatibility": compatible}
        async with running(settings(**accounts)) as proxy:
            before = {model["id"] for model in await listed(proxy)}
            assert {"claude-haiku-4-5-20251001", "mine-medium"} <= before
            await proxy.rewrite(
                settings(
                    **accounts,
                    model_catalogue=[
                        {
                            "id": "claude-haiku-4-5-20251001",
                            "display-name": "Haiku",
                            "context": 5,
                            "max-output": 4,
                        },
                        {"id": "claude-haiku-4-5-20251001", "thinking": {"levels": ["high"]}},
                        {"id": "up", "provider": "own", "thinking": {"levels": ["low"]}, "context": 9},
                        {"id": "claude-next", "provider": "claude", "max-output": 7},
                    ],
                )
            )
            after = {
                model["id"]: model for model in await listed(proxy, **{"anthropic-version": "2023-06-01"})
            }
            haiku = after["claude-haiku-4-5-20251001"]
            assert (haiku["display_name"], haiku["max_input_tokens"], haiku["max_tokens"]) == ("Haiku", 5, 4)
            assert after["mine"]["max_input_tokens"] == 9
            assert {"claude-haiku-4-5-20251001-high", "mine-low", "claude-next"} <= set(after)
            assert not set(after) & {"mine-medium", "claude-haiku-4-5-20251001-low"}
            stub.answers(whole(messages.reply("fine")))
            assert await said(proxy, "claude-next") == "fine"
            assert [request.json()["model"] for request in stub.requests] == ["claude-next"]
            await proxy.rewrite(settings(**accounts))
            assert {model["id"] for model in await listed(proxy)} == before


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{id: nobody}", "config.yaml:3:5: model-catalogue[0]: no account serves a model 'nobody'; to add"),
        (
            "{id: m, provider: nobody}",
            "config.yaml:3:5: model-catalogue[0]: no account of provider nobody serves",
        ),
    ],
)
async def test_what_is_known_of_a_model_that_nobody_serves_is_told_with_its_place(
    caplog: pytest.LogCaptureFixture, entry: str, told: str
) -> None:
    """It does no harm: an account that serves it may be there tomorrow."""
    with caplog.at_level(logging.WARNING, "ppap.snapshot"):
        async with running(f"api-keys: [k]\nmodel-catalogue:\n  - {entry}\n"):
            assert told in caplog.text


LOW = {"levels": ["low", "medium"]}
HIGH = {"levels": ["low", "high", "xhigh"]}


@pytest.mark.parametrize(
    ("model", "fields", "served"),
    [
        ("m(high)", {}, ["second"]),
        ("m-xhigh", {}, ["second"]),
        ("M(XHIGH)", {}, ["second"]),
        ("m", {"reasoning_effort": "high"}, ["second"]),
        ("m(medium)", {"reasoning_effort": "high"}, ["first"]),
        ("m-medium", {}, ["first"]),
        ("m(low)", {}, ["first", "second"]),
        ("m", {}, ["first", "second"]),
        ("m(8192)", {}, ["first", "second"]),
        ("m(max)", {}, []),
        ("m", {"reasoning_effort": "max"}, []),
    ],
)
async def test_a_level_goes_to_those_who_have_it(
    model: str, fields: Mapping[str, Any], served: list[str]
) -> None:
    """Whoever is next in turn; only if nobody has it, it is refused with the levels there are (pain 26)."""
    async with StubUpstream() as first, StubUpstream() as second:
        stubs = {"first": first, "second": second}
        entries = [
            {"name": name, "base-url": f"{stub.url}/v1", "models": [{"name": "m", "thinking": levels}]}
            for (name, stub), levels in zip(stubs.items(), (LOW, HIGH), strict=True)
        ]
        async with running(settings(openai_compatibility=entries)) as proxy, client_of(proxy) as client:
            for stub in stubs.values():
                stub.otherwise(whole(chat.reply("fine")))
            for _ in range(4):
                answer = await client.post(
                    "/v1/chat/completions", content=chat.request(model=model, **fields)
                )
                assert answer.is_success is bool(served)
        assert [name for name, stub in stubs.items() if stub.requests] == served
        if not served:
            assert answer.status_code == 400
            assert "valid levels: low, " in answer.json()["error"]["message"]


IMAGE_ROUTES = [
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    ("/v1/completions", {"prompt": "x"}),
    ("/v1/responses", {"input": "x"}),
    ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
    ("/v1/messages/count_tokens", {"messages": [{"role": "user", "content": "x"}]}),
    ("/v1beta/models/painter:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}),
    ("/v1beta/models/painter:countTokens", {"contents": [{"parts": [{"text": "x"}]}]}),
]


@pytest.mark.parametrize(("path", "fields"), IMAGE_ROUTES)
@pytest.mark.parametrize("model", ["painter", "Painter", "t/painter(high)"])
async def test_a_model_that_only_draws_is_refused_where_it_should_write(
    path: str, fields: Mapping[str, Any], model: str
) -> None:
    """A 400 that says where it is served (client API spec, 8, step 4)."""
    async with StubUpstream() as stub:
        known = [{"id": "up", "image-only": True, "thinking": {}}]
        entry = {
            "name": "c",
            "prefix": "t",
            "base-url": f"{stub.url}/v1",
            "models": [{"name": "up", "alias": "painter"}],
        }
        config = settings(model_catalogue=known, openai_compatibility=[entry])
        async with running(config) as proxy, client_of(proxy) as client:
            answer = await client.post(path, json={"model": model, **fields})
            assert answer.status_code == 400
            told = answer.json()["error"]
            assert told["message"].endswith(
                "painter is only supported on /v1/images/generations and /v1/images/edits"
            )
            assert told.get("type", told.get("status")) in ("invalid_request_error", "INVALID_ARGUMENT")
            assert [listed["id"] for listed in (await client.get("/v1/models")).json()["data"]] == [
                "painter",
                "t/painter",
            ]
        assert stub.requests == []


@pytest.mark.parametrize(
    ("path", "fields", "served"),
    [
        ("/v1/messages", {"max_tokens": 9}, "claude-sonnet-4-6"),
        ("/v1/chat/completions", {}, "chat"),
    ],
)
async def test_auto_prefers_the_clients_own_family(path: str, fields: Mapping[str, Any], served: str) -> None:
    """The newest that speaks like the client, drawing ones and levels aside; else the newest (8, step 2)."""
    async with StubUpstream() as stub:
        claude = [{"api-key": "k", "base-url": stub.url, "models": [{"name": "claude-sonnet-4-6"}]}]
        models = [{"name": name, "alias": name} for name in ("chat", "painter")]
        compatible = [{"name": "c", "base-url": f"{stub.url}/v1", "models": models}]
        accounts = {"claude_api_key": claude, "openai_compatibility": compatible}
        known = [{"id": "painter", "image-only": True}]
        config = settings(**accounts, model_catalogue=known)
        async with running(config) as proxy, client_of(proxy) as client:
            stub.otherwise(whole((messages if served.startswith("claude") else chat).reply("fine")))
            for model, word in (("auto", None), ("auto-high", "high"), ("AUTO(high)", "high")):
                body = {"model": model, "messages": [{"role": "user", "content": "x"}], **fields}
                answer = await client.post(path, json=body)
                assert answer.status_code == 200, answer.text
                sent = stub.requests[-1].json()
                assert sent["model"] == served
                effort = sent.get("reasoning_effort", sent.get("output_config", {}).get("effort"))
                assert effort == word


class Bouncer:
    """Lets nobody have one of the parrots, and says so only to those who ask for it."""

    @hookimpl
    def ppap_admit(self, exchange: Exchange) -> None:
        if "kea" in exchange.model_names:
            raise Refused("not for you", code="not_yours")

    @hookimpl
    def ppap_model_filter(self, identity: Identity) -> Callable[[ListedModel], bool] | None:
        return lambda model: model.unprefixed != "kea"


class Refused(RequestError):
    status = 402


@pytest.mark.parametrize("model", ["kea", "kea(high)", "kea-low"])
async def test_any_plugin_may_refuse_and_hide(model: str) -> None:
    """By the hooks that the built-in rules use, too."""
    async with running(settings(), plugins=[Parrot(), Bouncer()]) as proxy:
        assert await said(proxy, model) == "not_yours"
        assert await said(proxy, "ara") == "account ara"
        assert {each["id"] for each in await listed(proxy)} == {"ara", "ara-low", "ara-high"}
        (refused, _) = await proxy.finished(2)
        assert (refused.outcome, refused.status, refused.error) == ("refused", 402, "not_yours")


class Tired(Parrot):
    """Its one account has had enough."""

    async def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]:
        raise UpstreamFault(ErrorDetail(message="enough", status=429, retry_after=60))
        yield End()

    @hookimpl
    def ppap_credentials(self) -> Sequence[Credential]:
        return super().ppap_credentials()[:1]


async def test_errors_do_not_name_accounts() -> None:
    """A label may be a person's address; the channel says enough (5.6)."""
    config = settings(request_retry=0)
    async with running(config, plugins=[Tired()]) as proxy, client_of(proxy) as client:
        answers = [
            await client.post("/v1/chat/completions", content=chat.request(model="kea")) for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert "via provider parrot" in answers[1].json()["error"]["message"]
    assert "example.org" not in answers[0].text + answers[1].text
