"""Upstreams by API key: where calls go, with which headers, and what failures mean."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from ppap_claude import MESSAGES
from ppap_claude.catalogue import CATALOGUE
from ppap_claude.config import SECTIONS, ClaudeKey
from ppap_claude.plugin import ppap_models
from ppap_claude.provider import ClaudeApiKeys, credentials_of, headers_of, models_of
from ppap_claude.testing import error, reply, stream

from ppap_core.config import load
from ppap_core.conversation import ErrorDetail
from ppap_core.credentials import Credential
from ppap_core.errors import MalformedReply, UpstreamFault
from ppap_core.exchange import Call, CountCall, CountsTokens, Failure, Scope
from ppap_core.exchange.provider import Provider
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.provider import AsyncCheck, ProviderCase, provider_checks
from ppap_core.upstream import Upstream, UpstreamSettings
from ppap_core.wire import JsonBody, Target

KEY = "sk-ant-test-0001"
MODELS = CATALOGUE.sections["claude"]
BODY = b'{"model":"upstream-model","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    upstream = Upstream(UpstreamSettings())
    try:
        yield ClaudeApiKeys(upstream)
    finally:
        await upstream.close()


def credential_at(url: str) -> Credential:
    (credential,) = credentials_of([ClaudeKey(api_key=KEY, base_url=url)])
    return credential


CASE = ProviderCase(
    opened=provider,
    credential=credential_at,
    key=KEY,
    body=BODY,
    reply=reply("Hi"),
    frames=stream("Hi"),
    error=error,
)


@pytest.mark.parametrize("check", provider_checks(CASE), ids=str)
async def test_the_provider_keeps_the_contract(check: AsyncCheck) -> None:
    """One request per call, the key in its header only, every failure told apart, nothing left open."""
    await check()


# --- headers ----------------------------------------------------------------------------------


def call(entry: ClaudeKey, *, streams: bool = False, betas: str = "", **client_headers: str) -> Call:
    (credential,) = credentials_of([entry])
    return Call(
        credential=credential,
        target=Target(model="m"),
        body=BODY,
        stream=streams,
        headers={"anthropic-beta": betas} if betas else {},
        client_headers={name.replace("_", "-"): value for name, value in client_headers.items()},
    )


@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        ("", "x-api-key", KEY),
        ("https://api.anthropic.com", "x-api-key", KEY),
        ("https://api.anthropic.com/", "x-api-key", KEY),
        ("https://api.anthropic.com.example.org", "authorization", f"Bearer {KEY}"),
        ("https://llm.example.com/anthropic", "authorization", f"Bearer {KEY}"),
    ],
)
def test_the_key_stands_in_one_header(base: str, name: str, value: str) -> None:
    """Anthropic gets its own header, every other address a Bearer key, and nobody both."""
    entry = ClaudeKey(api_key=KEY, base_url=base)
    headers = headers_of(call(entry), entry)
    assert headers[name] == value
    assert [header for header, told in headers.items() if KEY in told] == [name]


def test_what_the_client_says_to_the_vendor_goes_along() -> None:
    """Version, session and feature names reach the upstream; other headers of the client do not."""
    entry = ClaudeKey(api_key=KEY)
    made = call(
        entry,
        betas="b,c",
        anthropic_beta="a, b",
        anthropic_version="2024-01-01",
        x_claude_code_session_id="s",
        user_agent="claude-cli/2",
        x_stainless_lang="py",
    )
    headers = headers_of(made, entry)
    assert headers["anthropic-beta"] == "a,b,c"
    assert headers["anthropic-version"] == "2024-01-01"
    assert headers["x-claude-code-session-id"] == "s"
    assert not {"user-agent", "x-stainless-lang"} & set(headers)


def test_no_feature_is_made_up() -> None:
    """A client that names no feature asks for none, and the version has a default."""
    entry = ClaudeKey(api_key=KEY)
    headers = headers_of(call(entry), entry)
    assert "anthropic-beta" not in headers
    assert headers["anthropic-version"] == "2023-06-01"


def test_headers_of_the_config_win() -> None:
    """What the operator set replaces all, but a stream is never asked for compressed."""
    entry = ClaudeKey(
        api_key=KEY, headers={"X-Api-Key": "other", "Anthropic-Beta": "z", "Accept-Encoding": "gzip"}
    )
    headers = headers_of(call(entry, streams=True, anthropic_beta="a"), entry)
    assert (headers["x-api-key"], headers["anthropic-beta"]) == ("other", "z")
    assert (headers["accept"], headers["accept-encoding"]) == ("text/event-stream", "identity")


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "message", "scope", "reason"),
    [
        (400, "invalid_request_error", "messages: too long", Scope.REQUEST, "request"),
        (400, "invalid_request_error", "this model is not supported", Scope.MODEL, "model_not_supported"),
        (400, "odd_error", "x", Scope.NOTHING, "error"),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to…",
            Scope.CREDENTIAL,
            "payment_required",
        ),
        (
            400,
            "invalid_request_error",
            "This organization has been disabled.",
            Scope.CREDENTIAL,
            "payment_required",
        ),
        (401, "authentication_error", "invalid x-api-key", Scope.CREDENTIAL, "unauthorized"),
        (403, "permission_error", "x", Scope.MODEL, "forbidden"),
        (404, "not_found_error", "model: x", Scope.MODEL, "not_found"),
        (413, "request_too_large", "x", Scope.REQUEST, "request"),
        (429, "rate_limit_error", "x", Scope.MODEL, "quota"),
        (500, "api_error", "x", Scope.MODEL, "upstream_error"),
        (529, "overloaded_error", "x", Scope.MODEL, "upstream_error"),
    ],
)
async def test_a_failure_is_judged(status: int, kind: str, message: str, scope: Scope, reason: str) -> None:
    """A failure is laid to the request, the model or the account, as the error says (pain 2)."""
    detail = ErrorDetail(message=message, status=status, type=kind)
    async with provider() as made:
        verdict = made.classify(Failure(detail=detail))
    assert (verdict.scope, verdict.reason) == (scope, reason)


# --- counting ---------------------------------------------------------------------------------


async def count(stub: StubUpstream) -> int:
    async with provider() as made:
        assert isinstance(made, CountsTokens)
        conversation = attrs.evolve(MESSAGES.decode_request(JsonBody(BODY)), betas=("a",))
        call = CountCall(
            conversation=conversation,
            credential=credential_at(stub.url),
            target=Target(model="up"),
            client_headers={"anthropic-beta": "b"},
        )
        return await made.count_tokens(call)


async def test_tokens_are_counted_by_the_upstream() -> None:
    """A count is a real call, with the fields that the endpoint knows and the client's features."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(b'{"input_tokens":17}'))
        assert await count(stub) == 17
    (request,) = stub.requests
    assert request.target == "/v1/messages/count_tokens?beta=true"
    assert request.headers["anthropic-beta"] == "b,a"
    assert set(json.loads(request.body)) == {"model", "messages"}


async def test_a_refused_count_says_why() -> None:
    """An upstream that refuses to count is heard."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(error(429, "slow down"), status=429))
        with pytest.raises(UpstreamFault) as fault:
            await count(stub)
    assert (fault.value.detail.status, fault.value.detail.message) == (429, "slow down")


async def test_a_count_that_is_none_is_reported() -> None:
    """An answer without a number is an error, never a zero (pain 29)."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(b'{"tokens":17}'))
        with pytest.raises(MalformedReply):
            await count(stub)


# --- config -----------------------------------------------------------------------------------


def entries_of(text: str, tmp_path: Path) -> list[ClaudeKey]:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    entries: list[ClaudeKey] = load(path, SECTIONS)["claude-api-key"]
    return entries


def test_an_entry_is_read_with_all_its_fields(tmp_path: Path) -> None:
    """Every key of the section reaches the credential, normalised."""
    text = """
claude-api-key:
  - api-key: " sk-ant-0123 "
    base-url: https://llm.example.com/
    prefix: /team/
    priority: 3
    proxy-url: direct
    disable-cooling: true
    headers: {X-Extra: " yes, really "}
    excluded-models: [" Claude-3-* ", ""]
    models:
      - {name: claude-opus-4-6, alias: big}
      - {name: other, alias: BIG}
      - {name: claude-haiku-4-5-20251001}
  - api-key: ""
"""
    (credential,) = credentials_of(entries_of(text, tmp_path))
    assert credential.id.startswith("claude:apikey:")
    assert (credential.provider, credential.label) == ("claude", "claude-apikey")
    assert (credential.prefix, credential.priority, credential.proxy_url) == ("team", 3, "direct")
    assert credential.disable_cooling
    assert credential.excluded_models == ("claude-3-*",)
    assert credential.secrets == ("sk-ant-0123", "yes, really")
    assert "sk-ant-0123" not in repr(credential)
    models = models_of(credential)
    assert [(model.id, model.upstream) for model in models] == [
        ("big", ("claude-opus-4-6",)),
        ("claude-haiku-4-5-20251001", ("claude-haiku-4-5-20251001",)),
    ]
    assert models[0].thinking == MODELS["claude-opus-4-6"].thinking
    assert models[0].max_output_tokens == 128000


def test_the_id_is_stable() -> None:
    """The same key at the same address is the same credential, whatever else of it changes."""
    first, second = credentials_of([ClaudeKey(api_key=KEY), ClaudeKey(api_key=KEY, priority=1)])
    assert first.id == second.id
    assert credential_at("https://other.example").id != first.id


def test_without_models_the_catalogue_is_served() -> None:
    """An entry that lists none serves Anthropic's models; other plugins' credentials are not ours."""
    credential = credential_at("")
    assert models_of(credential) == list(MODELS.values())
    assert ppap_models(attrs.evolve(credential, provider="another")) is None


def test_the_catalogue_is_sound() -> None:
    """Every model has a limit, a date and what it can think (auth spec, 6.1)."""
    assert len(MODELS) == 11
    for model in MODELS.values():
        limits: Any = (model.max_input_tokens, model.max_output_tokens, model.created)
        assert all(limits)
        assert model.owner == "anthropic"
        assert model.thinking is not None
