"""The rules about names hold for the keys of every provider (config spec, 2.7; auth spec, 6.3–6.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ppap_core.credentials import Route
from ppap_core.models import ModelIndex
from ppap_core.proxy import Proxy

BUILT_IN = {"codex-api-key": ["gpt-image-2"]}
"""Served whatever an entry lists (6.1)."""
LEVELLED = {
    "claude-api-key": "claude-opus-4-7",
    "codex-api-key": "gpt-5.5",
    "gemini-api-key": "gemini-3.1-pro-preview",
    "vertex-api-key": "gemini-3.1-pro-preview",
    "openai-compatibility": "anything",
}
"""A model with the levels low, medium and high, or more, by the catalogue or by default."""
sections = pytest.mark.parametrize("section", LEVELLED)


def index_of(tmp_path: Path, section: str, *entries: Mapping[str, Any], **more: Any) -> ModelIndex:
    """What a proxy with these entries serves."""
    base = {"base-url": "http://127.0.0.1:1"}
    whole = [
        {"name": f"n{place}", **base, **entry}
        if section == "openai-compatibility"
        else {"api-key": f"k{place}", **base, **entry}
        for place, entry in enumerate(entries)
    ]
    told = {"plugins": {"disabled": ["demo"]}, section: whole, **more}
    path = tmp_path / "config.yaml"
    path.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in told.items()))
    return Proxy(path).snapshot.index


def ids(index: ModelIndex, section: str) -> set[str]:
    """Without what is built in, and the names that a prefix or a level makes of it."""
    built_in = BUILT_IN.get(section, [])
    return {model.id for model in index.listed if model.unprefixed not in built_in}


def always(route: Route) -> bool:
    return True


def sent(index: ModelIndex, name: str) -> list[tuple[str, str]]:
    """The upstream models that a name leads to, and what they are asked for."""
    asked = index.resolve(name, always)
    return [
        (target.model, target.intent.label or asked.intent.label)
        for candidate in asked.route.candidates
        for target in candidate.targets
    ]


def items(**by_alias: str) -> list[dict[str, str]]:
    return [{"name": name, "alias": alias} for alias, name in by_alias.items()]


@sections
def test_a_list_of_models_replaces_the_catalogue(tmp_path: Path, section: str) -> None:
    """Under their aliases, in any case, with levels from the upstream's own name (6.3)."""
    name = LEVELLED[section]
    index = index_of(tmp_path, section, {"models": items(Big=name, other="unheard-of")})
    expected = {"Big", "Big-low", "Big-medium", "Big-high", "other"}
    assert expected <= ids(index, section)
    assert sent(index, "bIG") == [(name, "")]
    assert sent(index, "big-HIGH") == sent(index, "big(high)") == [(name, "high")]
    assert sent(index, "big(8192)") == [(name, "medium")]
    assert sent(index, "OTHER") == [("unheard-of", "")]


@sections
def test_a_level_in_the_upstreams_name_is_fixed(tmp_path: Path, section: str) -> None:
    """It beats the client's, and makes no further names (6.5, pinned)."""
    name = LEVELLED[section]
    index = index_of(tmp_path, section, {"models": items(deep=f"{name}(high)")})
    assert ids(index, section) == {"deep"}
    for asked in ("deep", "deep(low)", "deep-low"):
        assert sent(index, asked) == [(name, "high")]


@sections
def test_prefixes_and_exclusions(tmp_path: Path, section: str) -> None:
    """By the names before prefixes, and by those of levels; case does not matter (6.5; 9.5)."""
    entry = {
        "models": items(Big=LEVELLED[section], gone="unheard-of", g1n2e="unheard-of-too"),
        "prefix": " /team/ ",
        "excluded-models": [" GONE ", "", "g*n*e", "*-HIGH", "*-medium", "*-xhigh"],
    }
    index = index_of(tmp_path, section, entry)
    assert ids(index, section) == {"Big", "Big-low", "team/Big", "team/Big-low"}
    assert sent(index, "team/big-low") == [(LEVELLED[section], "low")]
    forced = index_of(tmp_path, section, entry, **{"force-model-prefix": True})
    assert ids(forced, section) == {"team/Big", "team/Big-low"}
    assert sent(forced, "team/big(low)") == [(LEVELLED[section], "low")]


@sections
def test_an_explicit_alias_outranks_a_level(tmp_path: Path, section: str) -> None:
    """Listed once (9.5, pinned)."""
    named = {"Big": LEVELLED[section], "Big-high": "unheard-of"}
    index = index_of(tmp_path, section, {"models": items(**named)})
    assert [model.id for model in index.listed].count("Big-high") == 1
    assert sent(index, "big-high") == [("unheard-of", "")]
    assert sent(index, "big(high)") == [(LEVELLED[section], "high")]


@sections
def test_one_alias_twice(tmp_path: Path, section: str) -> None:
    """The first counts (6.3); where upstreams are of any make, both are a pool (6.5)."""
    index = index_of(tmp_path, section, {"models": [*items(x="one"), *items(X="two")]})
    pool = [("one", ""), ("two", "")]
    assert sent(index, "x") == (pool if section == "openai-compatibility" else pool[:1])


@sections
def test_a_higher_priority_comes_first(tmp_path: Path, section: str) -> None:
    """Whatever the order in the file (4.2)."""
    low, high = {"models": items(x="low"), "priority": -1}, {"models": items(x="high"), "priority": 2}
    assert sent(index_of(tmp_path, section, low, high), "x") == [("high", ""), ("low", "")]


@sections
def test_key_that_is_no_key(tmp_path: Path, section: str) -> None:
    """An entry without what it needs to be used serves nothing (config spec, 2.7)."""
    missing = {"base-url": ""} if section in ("openai-compatibility", "codex-api-key") else {"api-key": " "}
    assert index_of(tmp_path, section, {"models": items(x="one"), **missing}).listed == ()


def test_vertex_models_need_both_names(tmp_path: Path) -> None:
    """An item without an alias is left out (config spec, 2.7)."""
    models = [{"name": "gemini-2.5-pro"}, *items(pro="gemini-2.5-pro")]
    index = index_of(tmp_path, "vertex-api-key", {"models": models})
    assert [model.id for model in index.listed] == ["pro"]
