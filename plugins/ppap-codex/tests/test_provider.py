"""Upstreams by API key: where calls go, with which headers, and what failures mean."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from ppap_codex.catalogue import CATALOGUE, IMAGES, LARGEST_PLAN
from ppap_codex.config import SECTIONS, CodexKey
from ppap_codex.plugin import ppap_models
from ppap_codex.provider import BACKEND, PASSED_ON, Account, Codex, credentials_of, headers_of, with_cache_key
from ppap_openai.responses.testing import error, reply, stream

from ppap_core.config import load
from ppap_core.credentials import Credential
from ppap_core.exchange import Call, Failure, Scope
from ppap_core.exchange.provider import Provider
from ppap_core.testing.provider import AsyncCheck, ProviderCase, provider_checks
from ppap_core.upstream import Upstream, UpstreamSettings
from ppap_core.wire import Target

KEY = "sk-codex-test-0001"
BODY = b'{"model":"gpt-5.5","input":[],"stream":true}'


def credential_at(url: str, **entry: Any) -> Credential:
    (credential,) = credentials_of([CodexKey(api_key=KEY, base_url=url, **entry)])
    return credential


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Provider]:
    upstream = Upstream(UpstreamSettings())
    try:
        yield Codex(upstream)
    finally:
        await upstream.close()


CASE = ProviderCase(
    opened=opened,
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


def call_of(
    body: bytes = BODY, client: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Call:
    return Call(
        credential=credential_at("https://x.example/codex/"),
        target=Target(model="gpt-5.5"),
        body=body,
        stream=True,
        headers=headers or {},
        client_headers=client or {},
    )


def sent_headers(entry: Mapping[str, str] | None = None, **call: Any) -> dict[str, str]:
    return headers_of(call_of(**call), Account(token=KEY, headers=entry or {}), streams=True)


def test_addresses() -> None:
    """Paths stand below the base, with or without a slash at its end; accounts have one by default."""
    settings: Account = call_of().credential.settings
    assert settings.url_of("/responses") == "https://x.example/codex/responses"
    assert Account(token="").url_of("/responses") == f"{BACKEND}/responses"


def test_what_a_client_says_of_itself_goes_along() -> None:
    """The listed headers are passed on, and none is made up (auth spec, 3.1)."""
    client = dict.fromkeys(PASSED_ON, "x") | {"x-other": "no"}
    assert {name: sent_headers(client=client).get(name) for name in client} == dict.fromkeys(
        PASSED_ON, "x"
    ) | {"x-other": None}
    assert sorted(sent_headers()) == ["accept", "authorization", "content-type"]


def test_headers_of_the_config_win() -> None:
    """What the operator set replaces all, also the header that carries the key (auth spec, 3)."""
    headers = sent_headers({"authorization": "other", "user-agent": "mine"}, client={"user-agent": "theirs"})
    assert (headers["authorization"], headers["user-agent"]) == ("other", "mine")


@pytest.mark.parametrize("name", ["session_id", "session-id"])
def test_a_clients_session_is_its_cache_key(name: str) -> None:
    """Where the body names no key, and never over one that it names (auth spec, 3.1; C.19)."""
    body = json.loads(with_cache_key(call_of(client={name: "thread-1"})))
    assert body["prompt_cache_key"] == "thread-1"
    assert sent_headers(client={name: "thread-1"})["session_id"] == "thread-1"
    assert with_cache_key(call_of(client={name: "thread-1"}, headers={"session_id": "own"})) == BODY
    assert with_cache_key(call_of()) == BODY


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "scope", "quota"),
    [
        (400, b'{"error":{"message":"x","type":"invalid_request_error"}}', Scope.REQUEST, False),
        (400, b'{"detail":"Unsupported parameter: x"}', Scope.NOTHING, False),
        (400, b'{"error":{"message":"Selected model is at capacity"}}', Scope.MODEL, True),
        (429, b'{"error":{"message":"x","type":"usage_limit_reached"}}', Scope.CREDENTIAL, True),
        (429, b'{"error":{"message":"x"}}', Scope.MODEL, True),
        (413, b"", Scope.REQUEST, False),
        (400, b'{"error":{"message":"x","code":"context_length_exceeded"}}', Scope.REQUEST, False),
        (400, b'{"error":{"message":"x","code":"invalid_encrypted_content"}}', Scope.REQUEST, False),
        (404, b'{"error":{"message":"previous_response_id r not found"}}', Scope.REQUEST, False),
        (404, b'{"error":{"message":"no such model"}}', Scope.MODEL, False),
        (403, b'{"error":{"message":"x","type":"authentication_error"}}', Scope.CREDENTIAL, False),
        (400, b'{"detail":"Model is not supported"}', Scope.MODEL, False),
        (502, b"", Scope.MODEL, False),
    ],
)
def test_what_a_failure_means(status: int, body: bytes, scope: Scope, quota: bool) -> None:
    """The client's mistakes end the request; what is wrong with an account leads to the next (5.1)."""
    provider = Codex(Upstream(UpstreamSettings()))
    verdict = provider.classify(Failure(detail=provider.wire.decode_error(status, body), body=body))
    assert (verdict.scope, verdict.quota) == (scope, quota)


# --- config and models ------------------------------------------------------------------------


def test_entries_are_read_with_all_their_fields(tmp_path: Path) -> None:
    """Every key of the section reaches its credential, normalised; entries without address are left out."""
    path = tmp_path / "config.yaml"
    path.write_text(
        """
codex-api-key:
  - api-key: " sk-0123456 "
    base-url: https://llm.example.com/codex/
    prefix: /team/
    priority: 3
    proxy-url: direct
    disable-cooling: true
    websockets: true
    headers: {X-Extra: " yes, really "}
    excluded-models: [" GPT-5.2* ", ""]
    models:
      - {name: gpt-5.5, alias: big}
      - {name: other, alias: BIG}
      - {name: gpt-5.4(high)}
  - {api-key: sk-0123456, base-url: "https://llm.example.com/codex/"}
  - {api-key: sk-0123456}
  - {base-url: "https://llm.example.com/codex/"}
""",
        encoding="utf-8",
    )
    first, again = credentials_of(load(path, SECTIONS)["codex-api-key"])
    assert first.id == again.id
    assert first.id.startswith("codex:apikey:")
    assert (first.provider, first.label) == ("codex", "codex-apikey")
    assert (first.prefix, first.priority, first.proxy_url) == ("team", 3, "direct")
    assert first.disable_cooling
    assert first.excluded_models == ("gpt-5.2*",)
    assert first.secrets == ("sk-0123456", "yes, really")
    assert "sk-0123456" not in repr(first) + repr(first.settings)
    assert [(model.id, tuple(model.upstream)) for model in ppap_models(first) or ()] == [
        ("big", ("gpt-5.5",)),
        ("gpt-5.4(high)", ("gpt-5.4(high)",)),
        (IMAGES, (IMAGES,)),
    ]


def test_without_models_the_catalogue_is_served() -> None:
    """An entry that lists none serves all that the largest plan has; other credentials are not ours."""
    credential = credential_at("https://x.example")
    assert ppap_models(credential) == list(CATALOGUE.sections[LARGEST_PLAN].values())
    assert ppap_models(attrs.evolve(credential, provider="another")) is None


def test_the_catalogue_is_sound() -> None:
    """Smaller plans have less; every model but the one that draws has limits, a date and its levels."""
    sizes = {plan: len(models) for plan, models in CATALOGUE.sections.items()}
    assert sizes == {"codex-free": 7, "codex-team": 7, "codex-plus": 8, "codex-pro": 8}
    for model in CATALOGUE.sections[LARGEST_PLAN].values():
        assert model.created
        assert model.owner == "openai"
        if model.id != IMAGES:
            assert model.max_input_tokens
            assert model.thinking
            assert model.thinking.levels
