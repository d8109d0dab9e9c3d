"""Upstreams by API key: where calls go, with which headers, and what failures mean."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from ppap_gemini import GEMINI
from ppap_gemini.catalogue import CATALOGUE
from ppap_gemini.config import SAFETY_SETTINGS, SECTIONS, GeminiKey, VertexKey
from ppap_gemini.plugin import ppap_models
from ppap_gemini.provider import (
    GEMINI_API,
    VERTEX_AI,
    GoogleApi,
    Place,
    gemini_credentials,
    headers_of,
    models_of,
    vertex_credentials,
    with_safety_settings,
)
from ppap_gemini.testing import error, reply, stream
from ppap_gemini.vertex.imagen import draws

from ppap_core.config import load
from ppap_core.conversation import Conversation, ErrorDetail
from ppap_core.credentials import Credential
from ppap_core.errors import MalformedReply, UpstreamFault
from ppap_core.exchange import CountCall, CountsTokens, Failure, Forwards, Scope
from ppap_core.exchange.provider import Provider
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.provider import AsyncCheck, ProviderCase, provider_checks
from ppap_core.upstream import Upstream, UpstreamSettings
from ppap_core.wire import Target

KEY = "AIza-test-0001"
SECTIONS_OF_MODELS = CATALOGUE.sections
BODY = b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"safetySettings":[]}'


def gemini_at(url: str) -> Credential:
    (credential,) = gemini_credentials([GeminiKey(api_key=KEY, base_url=url)])
    return credential


def vertex_at(url: str) -> Credential:
    (credential,) = vertex_credentials([VertexKey(api_key=KEY, base_url=url)])
    return credential


def case_of(place: Place, credential: Any) -> ProviderCase:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Provider]:
        upstream = Upstream(UpstreamSettings())
        try:
            yield GoogleApi(upstream, place)
        finally:
            await upstream.close()

    return ProviderCase(
        opened=opened,
        credential=credential,
        key=KEY,
        key_header="x-goog-api-key",
        body=BODY,
        reply=reply("Hi"),
        frames=stream("Hi"),
        error=error,
    )


CASES = {"gemini": case_of(GEMINI_API, gemini_at), "vertex": case_of(VERTEX_AI, vertex_at)}


@pytest.mark.parametrize("check", provider_checks(CASES["gemini"]), ids=str)
async def test_the_gemini_api_keeps_the_contract(check: AsyncCheck) -> None:
    """One request per call, the key in its header only, every failure told apart, nothing left open."""
    await check()


@pytest.mark.parametrize("check", provider_checks(CASES["vertex"]), ids=str)
async def test_vertex_ai_keeps_the_contract(check: AsyncCheck) -> None:
    """The same for the other of Google's APIs."""
    await check()


@pytest.mark.parametrize(
    ("place", "entry", "model", "url"),
    [
        (
            GEMINI_API,
            GeminiKey(api_key=KEY),
            "models/gemini-2.5-pro",
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
        ),
        (
            GEMINI_API,
            GeminiKey(api_key=KEY, base_url="https://x.example/g/"),
            "a b",
            "https://x.example/g/v1beta/models/a%20b:generateContent",
        ),
        (
            VERTEX_AI,
            VertexKey(api_key=KEY),
            "gemini-2.5-pro",
            "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-pro:generateContent",
        ),
    ],
)
def test_addresses(place: Place, entry: Any, model: str, url: str) -> None:
    """Base, path and model make the address; streams are always asked for as events (16.3, 18)."""
    assert place.url(entry, model, "generateContent") == url
    streaming = place.url(entry, model, "streamGenerateContent")
    assert streaming == url.replace(":generate", ":streamGenerate") + "?alt=sse"


def test_headers_of_the_config_win() -> None:
    """What the operator set replaces all, also the header that carries the key."""
    entry = GeminiKey(api_key=KEY, headers={"X-Goog-Api-Key": "other", "X-Extra": "1"})
    headers = headers_of(entry, streams=True)
    assert (headers["x-goog-api-key"], headers["x-extra"]) == ("other", "1")
    assert headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"safetySettings":[]}', True),
        (b'{"safety_settings":[]}', True),
        (b'{"x":{"safetySettings":[]}}', False),
        (b"{}", False),
        (b"{ } \n", False),
    ],
)
def test_a_requests_own_filters_stay(body: bytes, kept: bool) -> None:
    """Filters are added to a request that has none at its top level, by either spelling (9.3)."""
    patched = with_safety_settings(body, SAFETY_SETTINGS)
    assert (patched == body) is kept
    assert kept or len(json.loads(patched)["safetySettings"]) == len(SAFETY_SETTINGS)
    assert with_safety_settings(body, {}) == body


# --- failures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "detail", "scope"),
    [
        (400, {"type": "INVALID_ARGUMENT"}, Scope.REQUEST),
        (400, {"type": "FAILED_PRECONDITION"}, Scope.REQUEST),
        (400, {"type": "INVALID_ARGUMENT", "code": "API_KEY_INVALID"}, Scope.CREDENTIAL),
        (400, {"message": "API key expired. Please renew the API key."}, Scope.CREDENTIAL),
        (400, {"message": "User location is not supported for the API use."}, Scope.CREDENTIAL),
        (403, {"type": "PERMISSION_DENIED", "code": "SERVICE_DISABLED"}, Scope.CREDENTIAL),
        (403, {"type": "PERMISSION_DENIED"}, Scope.MODEL),
        (404, {"type": "NOT_FOUND"}, Scope.MODEL),
        (400, {"type": "INVALID_ARGUMENT", "message": "This model is not supported"}, Scope.MODEL),
        (400, {}, Scope.NOTHING),
        (503, {"type": "UNAVAILABLE"}, Scope.MODEL),
    ],
)
def test_what_a_failure_means(status: int, detail: Any, scope: Scope) -> None:
    """The client's mistakes end the request; what is wrong with a key leads to the next one (pain 2)."""
    provider = GoogleApi(Upstream(UpstreamSettings()), GEMINI_API)
    failure = Failure(detail=ErrorDetail(**{"message": "No", "status": status, **detail}))
    assert provider.classify(failure).scope is scope


def test_a_retry_hint_is_the_cooldown() -> None:
    """A quota that says when it returns pauses the key until then (17.2; pain 1)."""
    provider = GoogleApi(Upstream(UpstreamSettings()), VERTEX_AI)
    told = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "41s"}]
    verdict = provider.classify(Failure(detail=GEMINI.decode_error(429, error(429, details=told))))
    assert (verdict.quota, verdict.cooldown, verdict.backoff) == (True, 41.0, False)


# --- counting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "raised"),
    [(b'{"total":1}', 200, MalformedReply), (b"[]", 200, MalformedReply), (error(403), 403, UpstreamFault)],
)
async def test_a_count_that_is_none_is_an_error(answer: bytes, status: int, raised: type[Exception]) -> None:
    """An upstream that refuses, or says nothing, has not counted zero tokens."""
    async with StubUpstream() as stub, CASES["gemini"].opened() as provider:
        stub.otherwise(whole(answer, status=status))
        assert isinstance(provider, CountsTokens)
        assert isinstance(provider, Forwards)
        asked = Conversation(model="m", format="gemini")
        call = CountCall(conversation=asked, credential=gemini_at(stub.url), target=Target(model="m"))
        with pytest.raises(raised):
            await provider.count_tokens(call)


# --- config and models ------------------------------------------------------------------------


def test_entries_are_read_with_all_their_fields(tmp_path: Path) -> None:
    """Every key of both sections reaches its credential, normalised; repeated entries count once."""
    path = tmp_path / "config.yaml"
    path.write_text(
        """
gemini-api-key:
  - api-key: " AIza-0123 "
    base-url: https://llm.example.com/
    prefix: /team/
    priority: 3
    proxy-url: direct
    disable-cooling: true
    headers: {X-Extra: " yes, really "}
    excluded-models: [" Gemini-2* ", ""]
    safety-settings: {}
    models:
      - {name: gemini-2.5-pro, alias: big}
      - {name: other, alias: BIG}
      - {name: gemini-2.5-flash}
  - {api-key: AIza-0123, base-url: "https://llm.example.com/"}
  - api-key: ""
vertex-api-key:
  - api-key: AQ.01234567
    models:
      - {name: gemini-2.5-pro, alias: vertex-pro}
      - {name: gemini-2.5-flash}
""",
        encoding="utf-8",
    )
    config = load(path, SECTIONS)
    (gemini,) = gemini_credentials(config["gemini-api-key"])
    (vertex,) = vertex_credentials(config["vertex-api-key"])
    assert gemini.id.startswith("gemini:apikey:")
    assert (gemini.provider, gemini.label) == ("gemini", "gemini-apikey")
    assert (gemini.prefix, gemini.priority, gemini.proxy_url) == ("team", 3, "direct")
    assert gemini.disable_cooling
    assert gemini.excluded_models == ("gemini-2*",)
    assert gemini.settings.safety_settings == {}
    assert gemini.secrets == ("AIza-0123", "yes, really")
    assert "AIza-0123" not in repr(gemini)
    assert [(model.id, model.upstream) for model in models_of(gemini)] == [
        ("big", ("gemini-2.5-pro",)),
        ("gemini-2.5-flash", ("gemini-2.5-flash",)),
    ]
    assert models_of(gemini)[0].thinking == SECTIONS_OF_MODELS["gemini"]["gemini-2.5-pro"].thinking
    assert (vertex.provider, vertex.label) == ("vertex", "vertex-apikey")
    assert vertex.id.startswith("vertex:apikey:")
    assert vertex.settings.safety_settings == SAFETY_SETTINGS
    assert [model.id for model in models_of(vertex)] == ["vertex-pro"]


def test_without_models_the_catalogue_is_served() -> None:
    """An entry that lists none serves Google's models; other plugins' credentials are not ours."""
    assert models_of(gemini_at("")) == list(SECTIONS_OF_MODELS["gemini"].values())
    assert ppap_models(vertex_at("")) == list(SECTIONS_OF_MODELS["vertex"].values())
    assert ppap_models(attrs.evolve(gemini_at(""), provider="another")) is None


def test_the_catalogue_is_sound() -> None:
    """Every model has limits, a date and what it can think; where the APIs differ, so do the entries."""
    assert [len(SECTIONS_OF_MODELS[name]) for name in ("gemini", "vertex")] == [10, 15]
    for models in SECTIONS_OF_MODELS.values():
        for model in models.values():
            limits = (model.max_input_tokens, model.max_output_tokens)
            assert all((model.created, model.thinking, draws(model.id) or all(limits)))
            assert model.owner == "google"
    lite = "gemini-3.1-flash-lite-preview"
    levels = [SECTIONS_OF_MODELS[name][lite].thinking for name in ("gemini", "vertex")]
    assert [len(each.levels) for each in levels if each] == [2, 4]
