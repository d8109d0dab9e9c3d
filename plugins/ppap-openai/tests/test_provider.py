"""`openai-compatibility`: its config, its accounts, how upstreams are called, what failures mean."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
from ppap_openai.config import SECTION, SECTIONS, CompatibleUpstream, KeyEntry
from ppap_openai.plugin import ppap_credentials, ppap_models
from ppap_openai.provider import OpenAICompatible, credentials_of
from ppap_openai.testing import error, reply, request, stream

from ppap_core.config import Config, parse
from ppap_core.conversation import ErrorDetail, ThinkingSupport
from ppap_core.credentials import Credential
from ppap_core.exchange import Call, Failure, Provider, Scope
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.contract import Check
from ppap_core.testing.provider import ProviderCase, provider_checks
from ppap_core.upstream import Upstream, UpstreamSettings
from ppap_core.wire import Target

KEY = "sk-compatible-0001"


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Provider]:
    upstream = Upstream(UpstreamSettings())
    try:
        yield OpenAICompatible(upstream)
    finally:
        await upstream.close()


def credential(url: str, **fields: object) -> Credential:
    """The account of an entry with one key, at `url`."""
    told = {"api_key_entries": (KeyEntry(api_key=KEY),), **fields}
    entry = CompatibleUpstream(name="Acme", base_url=url, **told)  # type: ignore[arg-type]
    return credentials_of([entry])[0]


CASE = ProviderCase(
    opened=opened,
    credential=credential,
    key=KEY,
    body=request(),
    reply=reply("Hello"),
    frames=stream(["Hel", "lo"]),
    error=error,
)


@pytest.mark.parametrize("check", provider_checks(CASE), ids=str)
async def test_the_provider_keeps_the_contract(check: Check) -> None:  # type: ignore[type-arg]
    """The provider keeps every promise of `Provider` against a real socket."""
    await check()


async def sent_headers(account: Credential, *, stream: bool) -> dict[str, str]:
    """What an upstream receives for one call."""
    async with StubUpstream() as stub, opened() as provider:
        stub.otherwise(whole(CASE.reply))
        settings = attrs.evolve(account.settings.entry, base_url=f"{stub.url}/v1/")
        placed = attrs.evolve(account, settings=attrs.evolve(account.settings, entry=settings))
        call = Call(
            credential=placed,
            target=Target(model="m"),
            body=CASE.body,
            stream=stream,
            headers={"x-format": "1"},
            client_headers={"x-private": "no"},
        )
        answer = await provider.send(call)
        await answer.body()
        await answer.close()
        assert stub.requests[0].target == "/v1/chat/completions"
        assert stub.requests[0].method == "POST"
        return dict(stub.requests[0].headers)


async def test_a_stream_is_asked_for_as_one() -> None:
    """Streams carry the headers of auth spec, 3; nothing private of the client travels."""
    headers = await sent_headers(credential("http://x.example"), stream=True)
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept"] == "text/event-stream"
    assert headers["cache-control"] == "no-cache"
    assert headers["content-type"] == "application/json"
    assert headers["x-format"] == "1"
    assert "x-private" not in headers


async def test_custom_headers_win_over_all_others() -> None:
    """The entry's own headers replace even the authorization (auth spec, 3)."""
    account = credential("http://x.example", headers={"Authorization": "Token t", "X-Team": "a"})
    headers = await sent_headers(account, stream=False)
    assert headers["authorization"] == "Token t"
    assert headers["x-team"] == "a"
    assert headers["accept"] == "application/json"


async def test_an_entry_without_keys_sends_none() -> None:
    """Local servers need no key."""
    headers = await sent_headers(credential("http://x.example", api_key_entries=()), stream=False)
    assert "authorization" not in headers


# --- config -------------------------------------------------------------------------------------

CONFIG = """
openai-compatibility:
  - name: " Acme "
    base-url: https://api.acme.example/v1
    prefix: /team/
    priority: 3
    headers: {X-Team: " a ", Blank: ""}
    excluded-models: ["*-OLD"]
    disable-cooling: true
    request-retry: 0
    proxy-url: http://proxy.example:3128
    api-key-entries:
      - api-key: 0123
      - api-key: second
        proxy-url: direct
    models:
      - name: big-1
        alias: big
      - name: big-2
        alias: BIG
      - name: small
        thinking: {min: 1024, max: 32000, zero-allowed: true, levels: [low]}
  - name: local
    base-url: http://127.0.0.1:11434/v1
  - name: off
    base-url: http://127.0.0.1:1/v1
    disabled: true
  - name: no-address
"""


def config_of(text: str) -> Config:
    return parse(text.encode(), Path("config.yaml"), SECTIONS)


def test_every_key_of_every_entry_is_an_account() -> None:
    """One credential for each key, one for an entry without keys, none for the unusable (auth spec, 1.6)."""
    accounts = ppap_credentials(config_of(CONFIG))
    assert [account.label for account in accounts] == ["acme", "acme", "local"]
    assert [account.settings.api_key for account in accounts] == ["0123", "second", ""]
    assert len({account.id for account in accounts}) == 3
    first, second, local = accounts
    assert first.id.startswith("openai-compatibility:acme:")
    assert (first.provider, first.prefix, first.priority) == (SECTION, "team", 3)
    assert (first.proxy_url, second.proxy_url, local.proxy_url) == ("http://proxy.example:3128", "direct", "")
    assert first.excluded_models == ("*-old",)
    assert (first.disable_cooling, first.request_retry, local.request_retry) == (True, 0, None)
    assert first.settings.entry.headers == {"x-team": "a"}


def test_ids_do_not_depend_on_the_order_of_entries() -> None:
    """Run-time knowledge is kept by id, so ids survive a reordered file."""
    entries = config_of(CONFIG)[SECTION]
    assert {c.id for c in credentials_of(entries)} == {c.id for c in credentials_of(entries[::-1])}


def test_no_secret_shows_in_a_repr() -> None:
    """Keys and custom headers never stand in logs (pain 39)."""
    shown = repr([credential("http://x.example", headers={"X-Key": "hidden-header-value"})])
    shown += repr(credential("http://x.example").settings)
    assert KEY not in shown
    assert "hidden-header-value" not in shown


def test_models_under_one_alias_are_a_pool() -> None:
    """Several upstream names under one alias take turns, in config order (auth spec, 6.5)."""
    account = ppap_credentials(config_of(CONFIG))[0]
    models = ppap_models(account)
    assert models is not None
    assert [(model.id, tuple(model.upstream)) for model in models] == [
        ("big", ("big-1", "big-2")),
        ("small", ("small",)),
    ]
    big, small = models
    assert big.owner == "Acme"
    assert big.thinking is not None
    assert big.thinking == ThinkingSupport(levels=("low", "medium", "high"))
    assert small.thinking == ThinkingSupport(min=1024, max=32000, zero_allowed=True, levels=("low",))


def test_an_entry_without_models_serves_none() -> None:
    """There is no catalogue for these upstreams (auth spec, 6.3)."""
    assert ppap_models(ppap_credentials(config_of(CONFIG))[2]) == []


def test_other_plugins_credentials_are_not_ours() -> None:
    """The hook leaves accounts of other providers alone."""
    assert ppap_models(Credential(id="x:1", provider="x", label="x", settings=None)) is None


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "scope", "reason"),
    [
        (ErrorDetail(message="bad", status=400, type="invalid_request_error"), Scope.REQUEST, "request"),
        (ErrorDetail(message="bad", status=400), Scope.NOTHING, "error"),
        (
            ErrorDetail(
                message="The requested model is not supported", status=400, type="invalid_request_error"
            ),
            Scope.MODEL,
            "model_not_supported",
        ),
        (ErrorDetail(message="x", status=400, code="context_length_exceeded"), Scope.REQUEST, "request"),
        (ErrorDetail(message="x", status=404, code="previous_response_not_found"), Scope.REQUEST, "request"),
        (
            ErrorDetail(
                message="Item with id 'r' not found. Items are not persisted when `store` is set to false",
                status=404,
            ),
            Scope.REQUEST,
            "request",
        ),
        (ErrorDetail(message="x", status=404), Scope.MODEL, "not_found"),
        (ErrorDetail(message="x", status=413), Scope.REQUEST, "request"),
        (ErrorDetail(message="x", status=401), Scope.CREDENTIAL, "unauthorized"),
        (ErrorDetail(message="x", status=429), Scope.MODEL, "quota"),
        (ErrorDetail(message="x", status=429, code="insufficient_quota"), Scope.CREDENTIAL, "quota"),
        (
            ErrorDetail(message="stream disconnected before completion: …", status=408),
            Scope.NOTHING,
            "disconnected",
        ),
        (ErrorDetail(message="x", status=408), Scope.MODEL, "upstream_error"),
        (ErrorDetail(message="x", status=529), Scope.MODEL, "upstream_error"),
    ],
)
async def test_what_a_failure_means(detail: ErrorDetail, scope: Scope, reason: str) -> None:
    """Failures are told apart as auth spec, 5.1 and its Betters want (pain 2)."""
    async with opened() as provider:
        verdict = provider.classify(Failure(detail=detail))
    assert (verdict.scope, verdict.reason) == (scope, reason)
