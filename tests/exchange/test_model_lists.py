"""Lists of models, in every shape (client API spec, 9; auth spec, 4.3 and 6)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import attrs
import httpx
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from ppap_core.testing import StubUpstream
from ppap_core.testing.running import RunningProxy, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANTHROPIC = {"anthropic-version": "2023-06-01"}
HAIKU = "claude-haiku-4-5-20251001"
SPARK = "gpt-5.3-codex"


@attrs.frozen
class Bench:
    """A proxy with an account of each provider, and a client."""

    proxy: RunningProxy
    client: httpx.AsyncClient

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        return (await self.client.get(path, headers=headers)).json()


def config(url: str) -> str:
    compatible = {
        "name": "Own Place",
        "base-url": url,
        "models": [
            {"name": "up-1", "alias": "Zeta"},
            {"name": "up-2", "alias": "zeta"},
            {"name": "up-3", "alias": "beta", "thinking": {}},
        ],
    }
    claude = {
        "api-key": "k",
        "base-url": url,
        "excluded-models": ["claude-s*", "claude-o*", "claude-3*"],
    }
    claude_own = {"api-key": "l", "base-url": url, "models": [{"name": "claude-unheard-of", "alias": "odd"}]}
    codex = {
        "api-key": "k",
        "base-url": url,
        "prefix": "teamA",
        "excluded-models": ["gpt-5.4*", "gpt-5.5", "*-low", "codex-*"],
    }
    told = {
        "plugins": {"disabled": ["demo"]},
        "openai-compatibility": [compatible],
        "claude-api-key": [claude, claude_own],
        "codex-api-key": [codex],
        "gemini-api-key": [{"api-key": "k", "base-url": url, "models": [{"name": "gemini-2.5-pro"}]}],
        "vertex-api-key": [
            {"api-key": "k", "base-url": url, "models": [{"name": "gemini-2.5-pro", "alias": "vpro"}]}
        ],
    }
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in told.items())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with (
        StubUpstream() as stub,
        running(config(stub.url)) as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client,
    ):
        yield Bench(proxy, client)


IDS = sorted(
    [
        HAIKU,
        "Zeta",
        *(f"Zeta-{level}" for level in ("low", "medium", "high")),
        "beta",
        "odd",
        "gemini-2.5-pro",
        "vpro",
        *(
            f"{prefix}{name}"
            for prefix in ("", "teamA/")
            for name in (
                "gpt-image-2",
                *(
                    f"{base}{level}"
                    for base in ("gpt-5.2", SPARK, f"{SPARK}-spark")
                    for level in ("", "-medium", "-high", "-xhigh")
                ),
            )
        ),
    ]
)
"""Everything that is served, by the steps of 9.5, in byte order."""


async def test_every_list_shows_everything_in_order(bench: Bench) -> None:
    """Whatever the provider, each id once; by id, in the bytes of it (9.0; pain 26)."""
    chat = [model["id"] for model in (await bench.get("/v1/models"))["data"]]
    claude = [model["id"] for model in (await bench.get("/v1/models", ANTHROPIC))["data"]]
    google = [model["name"] for model in (await bench.get("/v1beta/models"))["models"]]
    assert chat == IDS
    assert claude == IDS
    assert google == sorted(f"models/{name}" for name in IDS)


async def test_openais_shape(bench: Bench) -> None:
    """Exactly four keys; what an entry lists is as old as its registration (9.1; 9.5, step 1)."""
    told = await bench.get("/v1/models")
    assert set(told) == {"object", "data"}
    assert told["object"] == "list"
    assert all(set(model) == {"id", "object", "created", "owned_by"} for model in told["data"])
    by_id = {model["id"]: model for model in told["data"]}
    assert by_id[HAIKU] == {"id": HAIKU, "object": "model", "created": 1759276800, "owned_by": "anthropic"}
    assert by_id["gpt-image-2"]["created"] == 1704067200
    assert {name: by_id[name]["owned_by"] for name in ("Zeta", "odd", "vpro", SPARK)} == {
        "Zeta": "Own Place",
        "odd": "anthropic",
        "vpro": "google",
        SPARK: "openai",
    }
    assert by_id["odd"]["created"] == by_id["Zeta-high"]["created"] > 1_700_000_000


async def test_anthropics_shape(bench: Bench) -> None:
    """One page, whatever is asked for; a date in words, limits always, a name always (9.2)."""
    told = await bench.get("/v1/models?limit=1&after_id=x", ANTHROPIC)
    assert set(told) == {"data", "has_more", "first_id", "last_id"}
    assert (told["has_more"], told["first_id"], told["last_id"]) == (False, IDS[0], IDS[-1])
    by_id = {model["id"]: model for model in told["data"]}
    assert by_id[HAIKU] == {
        "id": HAIKU,
        "type": "model",
        "object": "model",
        "owned_by": "anthropic",
        "display_name": "Claude 4.5 Haiku",
        "created_at": "2025-10-01T00:00:00Z",
        "max_input_tokens": 200000,
        "max_tokens": 64000,
    }
    assert by_id["odd"]["display_name"] == "claude-unheard-of"
    assert (by_id["odd"]["max_input_tokens"], by_id["odd"]["max_tokens"]) == (200000, 64000)
    assert by_id[f"teamA/{SPARK}-high"]["display_name"] == "GPT 5.3 Codex HIGH"
    assert by_id[f"teamA/{SPARK}-high"]["max_input_tokens"] == 400000


@pytest.mark.parametrize("agent", ["claude-cli/2.0.1 (external, cli)", "Claude-CLI/1", "curl"])
async def test_claude_code_gets_anthropics_shape(bench: Bench, agent: str) -> None:
    """By the exact beginning of its name (9.2)."""
    told = await bench.get("/v1/models", {"user-agent": agent})
    assert ("has_more" in told) is agent.startswith("claude-cli")


async def test_googles_shape(bench: Bench) -> None:
    """What is unknown is absent, but for names (9.4)."""
    told = {model["name"]: model for model in (await bench.get("/v1beta/models?pageSize=1"))["models"]}
    assert told["models/gemini-2.5-pro"] == {
        "name": "models/gemini-2.5-pro",
        "displayName": "gemini-2.5-pro",
        "description": "gemini-2.5-pro",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent"],
    }
    assert told["models/beta"] == {
        "name": "models/beta",
        "displayName": "up-3",
        "description": "up-3",
        "supportedGenerationMethods": ["generateContent"],
    }


@pytest.mark.parametrize(
    ("path", "headers"), [("/v1/models", {}), ("/v1/models", ANTHROPIC), ("/v1beta/models", {})]
)
async def test_one_model_is_told_as_in_the_list(bench: Bench, path: str, headers: Mapping[str, str]) -> None:
    """With slashes, in any case, and with the prefix of Google's names (9.4)."""
    told = await bench.get(path, headers)
    by_id = {
        model.get("id", model.get("name")).removeprefix("models/"): model
        for model in told.get("data", told.get("models"))
    }
    for asked, meant in (
        (HAIKU, HAIKU),
        ("ZETA", "Zeta"),
        ("models/zeta-high", "Zeta-high"),
        (f"teamA/{SPARK}-high", f"teamA/{SPARK}-high"),
        ("teamA%2Fgpt-5.2", "teamA/gpt-5.2"),
    ):
        assert await bench.get(f"{path}/{asked}", headers) == by_id[meant]


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/v1/models/nope", {}, {"type": "invalid_request_error", "code": "model_not_found"}),
        ("/v1/models/nope", ANTHROPIC, {"type": "not_found_error"}),
        ("/v1beta/models/nope", {}, {"code": 404, "status": "NOT_FOUND"}),
    ],
)
async def test_an_unknown_model_is_a_404_in_the_shape(
    bench: Bench, path: str, headers: Mapping[str, str], shape: Mapping[str, Any]
) -> None:
    answer = await bench.client.get(path, headers=headers)
    assert answer.status_code == 404
    assert shape.items() <= answer.json()["error"].items()


async def test_nothing_served_is_an_empty_list() -> None:
    """In every shape (9.1, 9.2, 9.4)."""
    async with (
        running("plugins: {disabled: [demo]}\n") as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client,
    ):
        assert (await client.get("/v1/models")).json() == {"object": "list", "data": []}
        empty = {"data": [], "has_more": False, "first_id": "", "last_id": ""}
        assert (await client.get("/v1/models", headers=ANTHROPIC)).json() == empty
        assert (await client.get("/v1beta/models")).json() == {"models": []}


async def test_the_vendors_own_types_accept_the_lists(bench: Bench) -> None:
    """Every field that they promise is there."""
    key, url = bench.proxy.client_key, bench.proxy.base_url
    async with AsyncOpenAI(api_key=key, base_url=f"{url}/v1") as client:
        models = [model async for model in client.models.list()]
        assert [model.id for model in models] == IDS
        for model in models:
            type(model).model_validate(model.model_dump(), strict=True)
        assert (await client.models.retrieve("teamA/gpt-5.2")).id == "teamA/gpt-5.2"
    async with AsyncAnthropic(api_key=key, base_url=url) as anthropic:
        infos = [info async for info in anthropic.models.list()]
        assert [info.id for info in infos] == IDS
        assert {info.created_at.tzinfo is not None for info in infos} == {True}
        assert (await anthropic.models.retrieve(HAIKU)).display_name == "Claude 4.5 Haiku"
