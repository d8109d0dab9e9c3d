"""Laws of the dialect that hold for any input, and tables that must be complete."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_codex import CODEX
from ppap_codex.catalogue import CATALOGUE
from ppap_codex.dialect.request import ALWAYS_REFUSED, FORCED, REFUSED
from ppap_codex.dialect.tool_names import LIMIT, candidate, restored, short_names
from ppap_codex.model_list import EFFORTS
from ppap_openai.responses.testing import TRAFFIC

from ppap_core.errors import InvalidRequest
from ppap_core.testing.contract import Check
from ppap_core.testing.relay_rules import relay_checks
from ppap_core.testing.strategies import conversations, json_values
from ppap_core.testing.upstream_rules import upstream_checks
from ppap_core.wire import JsonBody, NameMap, Target

modest = settings(max_examples=100, deadline=None)
TARGET = Target(model="gpt-5.5")
CHECKS = [
    *upstream_checks(CODEX, TRAFFIC),
    *relay_checks(CODEX, TRAFFIC),
]


@pytest.mark.parametrize(
    "check", [check for check in CHECKS if "request" not in str(check)], ids=lambda check: str(check)
)
def test_the_dialect_keeps_the_contract(check: Check[None]) -> None:
    """All that holds for a codec, but that a request is left as it was."""
    check()


roles = st.sampled_from(["system", "user", "developer", "assistant"])
names = st.text(st.sampled_from('a_é"\\'), max_size=90).filter(bool)
items = st.fixed_dictionaries({"role": roles, "content": st.text(max_size=9)}) | st.fixed_dictionaries(
    {"type": st.just("function_call"), "name": names, "arguments": st.just("{}")}
)
tools = st.fixed_dictionaries({"type": st.sampled_from(["function", "custom"]), "name": names})
known = st.fixed_dictionaries(
    {},
    optional={
        "input": st.text(max_size=9) | st.lists(items, max_size=4),
        "tools": st.lists(tools, max_size=4),
        "instructions": st.none() | st.text(max_size=9),
        "parallel_tool_calls": st.none() | st.booleans(),
        "service_tier": st.none() | st.sampled_from(["fast", "flex", ""]),
        **{key: st.integers() for key in (*REFUSED, *ALWAYS_REFUSED)},
    },
)


@modest
@given(known, st.dictionaries(st.text(max_size=3).map("x-".__add__), json_values, max_size=3), st.booleans())
def test_any_request_is_fitted_once(asked: dict[str, Any], others: dict[str, Any], plain: bool) -> None:
    """What must hold holds; what nobody named stays; and what fits is left alone, byte for byte."""
    data = json.dumps({"model": "m", **others, **asked}, ensure_ascii=plain).encode()
    encoded = CODEX.patch_request(JsonBody(data), TARGET)
    told = json.loads(encoded.body)
    assert {key: told[key] for key in FORCED} == {key: json.loads(text) for key, text in FORCED.items()}
    assert (told["stream"], told["model"]) == (True, TARGET.model)
    assert not any(key in told for key in (*REFUSED, *ALWAYS_REFUSED))
    assert isinstance(told["instructions"], str)
    assert {key: told[key] for key in others} == others
    for item in told.get("input", []):
        assert item.get("role") != "system"
    for named in (*told["tools"], *told.get("input", [])):
        assert len(named.get("name", "").encode()) <= LIMIT
    assert CODEX.patch_request(JsonBody(encoded.body), TARGET).body == encoded.body


@modest
@given(st.lists(names, unique=True, max_size=6))
def test_short_names_are_told_apart(declared: list[str]) -> None:
    """Of any tools, no two are called alike, and each gets its own name back in an answer."""
    tools = [{"type": "function", "name": name} for name in declared]
    short = short_names(JsonBody(json.dumps({"tools": tools}).encode()))
    wire = [short.wire_name(name) for name in declared]
    assert len(set(wire)) == len(wire)
    for name, told in zip(declared, wire, strict=True):
        item = json.dumps({"name": told, "text": f'"name":"{told}"'}).encode()
        back = json.loads(restored(item, short.back))
        assert back == {"name": name, "text": f'"name":"{told}"'}


@modest
@given(conversations())
def test_any_conversation_is_asked_for_as_the_upstream_wants_it(conversation: Any) -> None:
    """Whatever the client's format: an answer is streamed, and nothing stored."""
    try:
        told = json.loads(CODEX.encode_request(conversation, TARGET).body)
    except InvalidRequest:
        return
    assert (told["stream"], told["store"]) == (True, False)


def test_names_that_need_no_change_cost_nothing() -> None:
    """The commonest case: every name fits, and none has to be looked up in an answer."""
    assert candidate("a" * LIMIT) == "a" * LIMIT
    assert short_names(JsonBody(b'{"tools":[{"type":"function","name":"f"}]}')).back == NameMap()


def test_every_level_of_the_catalogue_has_its_words() -> None:
    """Codex is told what each level is for, and of none that it does not know."""
    levels = {
        level
        for models in CATALOGUE.sections.values()
        for model in models.values()
        if model.thinking
        for level in model.thinking.levels
    }
    assert levels <= set(EFFORTS)
