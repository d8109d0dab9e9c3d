"""Payload rules: vectors, what the config says of bad ones, and their place in the order of work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from ppap_openai import testing as chat

from ppap_core.config import Config, parse
from ppap_core.credentials import Credential
from ppap_core.exchange import OutgoingRequest
from ppap_core.payload import PayloadRules
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.running import running
from ppap_core.wire import JsonBody
from tests.exchange.conftest import bench

CASES = json.loads((Path(__file__).parent / "fixtures.json").read_text())
RULES = PayloadRules()


def read(text: str) -> Config:
    return parse(text.encode(), Path("config.yaml"), RULES.ppap_config_sections())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_vectors(case: dict[str, Any]) -> None:
    config = read(case.get("yaml") or json.dumps({"payload": case["payload"]}))
    assert config.warnings == ()
    body = JsonBody(case["body"].encode())
    request = OutgoingRequest(
        wire="parrot-lines",
        protocol="lines",
        surface="parrot-lines",
        models=frozenset(case.get("models", ["m"])),
        credential=Credential(id="c", provider="p", label="p", settings=None),
        stream=False,
        original=JsonBody(case["original"].encode()) if "original" in case else body,
        body=body,
    )
    (shape,) = RULES.ppap_request_shapers(config)
    assert body.edited(shape(request)).decode() == case["shaped"]


def test_without_rules_nothing_runs() -> None:
    assert RULES.ppap_request_shapers(read("payload: {default: []}")) == []


BAD = """\
payload:
  override-raw:
    - models: [{name: m}]
      params: {tools: '[{"type": ]'}
    - models: [{name: m}]
    - models: [{name: m}]
      params: {x: "1"}
  filter:
    - models: [{name: m}]
      params: ["a..b"]
"""


def test_a_bad_rule_is_left_out_with_its_place_and_the_others_stay() -> None:
    """Config spec, 2.10: not JSON, or nothing to set."""
    config = read(BAD)
    first, second, third = config.warnings
    assert first.startswith("config.yaml:4:15: payload.override-raw[0].params: tools: the value is not valid")
    assert first.endswith("; this entry is left out")
    assert second.startswith("config.yaml:5:7: payload.override-raw[1]: nothing is set here")
    assert third.startswith("config.yaml:10:15: payload.filter[0].params: the path 'a..b' ")
    payload = config["payload"]
    assert [rule.params for rule in payload.override_raw] == [{"x": "1"}]
    assert payload.filter == ()


def rules(**kinds: Any) -> str:
    return f"payload: {json.dumps(kinds)}\nrequest-retry: 0\n"


THINKING = {"levels": ["low", "high"]}
MODELS = [{"name": "upstream-m", "alias": "m", "thinking": THINKING}]


async def test_rules_come_after_thinking() -> None:
    """Translation spec, 0.3: what the name asks for is in the request, and an override beats it."""
    kinds = {
        "default": [{"models": [{"name": "m"}], "params": {"reasoning_effort": "low", "seed": 1}}],
        "override": [{"models": [{"name": "m(high)"}], "params": {"reasoning_effort": "xhigh"}}],
    }
    async with bench(rules(**kinds), accounts=1, models=MODELS) as two:
        two.first.otherwise(whole(chat.reply("fine")))
        for model in ("m", "m-high", "m(high)"):
            await two.ask(model=model)
    efforts = [request.json()["reasoning_effort"] for request in two.first.requests]
    assert efforts == ["low", "high", "xhigh"]
    assert [request.json()["seed"] for request in two.first.requests] == [1, 1, 1]


async def test_rules_apply_to_what_is_translated_and_to_the_next_request_after_an_edit() -> None:
    """By the upstream's protocol, whatever the client speaks."""
    settings = rules(override=[{"models": [{"name": "*", "protocol": "claude"}], "params": {"top_k": 7}}])
    entry = {"api-key": "k", "models": [{"name": "up", "alias": "a"}]}
    async with StubUpstream() as stub:
        entry["base-url"] = stub.url
        upstream = f"claude-api-key: {json.dumps([entry])}\n"
        stub.otherwise(
            whole(b'{"type":"error","error":{"type":"not_found_error","message":"x"}}', status=404)
        )
        async with running(settings + upstream + "disable-cooling: true\n") as proxy:
            await _asked(proxy)
            await proxy.rewrite(upstream + "disable-cooling: true\nrequest-retry: 0\n")
            await _asked(proxy)
    assert [request.json().get("top_k") for request in stub.requests] == [7, None]


async def _asked(proxy: Any) -> None:
    async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
        await client.post("/v1/chat/completions", content=chat.request("x", model="a"))
