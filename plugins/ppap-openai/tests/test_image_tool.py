"""``disable-image-generation`` (translation spec, C.16; client API spec, 10.7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from ppap_openai import testing as chat
from ppap_openai.config import SECTIONS
from ppap_openai.image_tool import IMAGE_FORMATS, KEY, request_shapers, settings_of, without_image_tool

from ppap_core.config import ConfigError, parse
from ppap_core.credentials import Credential
from ppap_core.exchange import OutgoingRequest
from ppap_core.testing import StubUpstream, whole
from ppap_core.testing.running import running
from ppap_core.wire import JsonBody

DRAW = {"type": "image_generation", "output_format": "png"}
NAMESAKE = {"type": "function", "name": "image_generation"}
SEARCH = {"type": "web_search"}


def shaped(body: Mapping[str, Any], surface: str = "openai-responses") -> dict[str, Any]:
    data = JsonBody(json.dumps(body).encode())
    request = OutgoingRequest(
        wire="openai-responses",
        protocol="openai-response",
        surface=surface,
        models=frozenset({"m"}),
        credential=Credential(id="c", provider="p", label="p", settings=None),
        stream=False,
        original=data,
        body=data,
    )
    changed: dict[str, Any] = json.loads(data.edited(without_image_tool(request)))
    return changed


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"tools": [SEARCH, DRAW]}, {"tools": [SEARCH]}),
        ({"tools": [DRAW]}, {}),
        ({"tools": [DRAW], "tool_choice": "required"}, {}),
        (
            {"tools": [SEARCH, DRAW], "tool_choice": "required"},
            {"tools": [SEARCH], "tool_choice": "required"},
        ),
        ({"tools": [SEARCH, DRAW], "tool_choice": {"type": "image_generation"}}, {"tools": [SEARCH]}),
        (
            {"tools": [SEARCH], "tool_choice": {"type": "tool", "name": "image_generation"}},
            {"tools": [SEARCH]},
        ),
        (
            {"tools": [SEARCH, DRAW], "tool_choice": {"type": "allowed_tools", "tools": [SEARCH, DRAW]}},
            {"tools": [SEARCH], "tool_choice": {"type": "allowed_tools", "tools": [SEARCH]}},
        ),
        ({"tools": [NAMESAKE], "tool_choice": NAMESAKE}, {"tools": [NAMESAKE], "tool_choice": NAMESAKE}),
        ({"input": 'say "image_generation"'}, {"input": 'say "image_generation"'}),
        ({"tools": "image_generation"}, {"tools": "image_generation"}),
    ],
)
def test_the_tool_and_a_choice_of_it_are_taken_out(body: dict[str, Any], left: dict[str, Any]) -> None:
    assert shaped(body) == left


def test_who_asks_for_pictures_only_keeps_the_tool() -> None:
    assert shaped({"tools": [DRAW]}, IMAGE_FORMATS[1]) == {"tools": [DRAW]}


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("", "false"),
        (": false", "false"),
        (": off", "false"),
        (': "0"', "false"),
        (": true", "true"),
        (": ON", "true"),
        (": Chat", "chat"),
    ],
)
def test_the_words_of_the_setting(written: str, word: str) -> None:
    """Config spec, 2.1: texts in any case; absent: false."""
    config = parse(f"{KEY}{written}\n".encode() if written else b"x: 1\n", Path("config.yaml"), SECTIONS)
    assert settings_of(config).disable_image_generation == word
    assert len(request_shapers(config)) == (word != "false")


def test_any_other_word_is_refused() -> None:
    """Config spec, 1."""
    with pytest.raises(ConfigError) as refused:
        parse(f"{KEY}: foo".encode(), Path("config.yaml"), SECTIONS)
    expected = 'invalid disable-image-generation value "foo" (allowed: true, false, chat)'
    assert expected in str(refused.value)


@pytest.mark.parametrize("restored", [False, True])
async def test_payload_overrides_can_restore_it(restored: bool) -> None:
    """It runs before the payload rules (C.16)."""
    rule = {"models": [{"name": "m"}], "params": {"tools": json.dumps([DRAW])}}
    upstream = {"name": "c", "models": [{"name": "m"}]}
    async with StubUpstream(whole(chat.reply("fine"))) as stub:
        upstream["base-url"] = stub.url
        settings = {
            KEY: "chat",
            "openai-compatibility": [upstream],
            "payload": {"override-raw" if restored else "default-raw": [rule]},
        }
        async with (
            running("".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())) as proxy,
            httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client,
        ):
            await client.post("/v1/chat/completions", content=chat.request("x", model="m", tools=[DRAW]))
    assert ("tools" in stub.requests[0].json()) is restored
