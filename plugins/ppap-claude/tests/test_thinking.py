"""How much a model thinks (translation spec, D; fixtures/thinking_*.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ppap_claude import MESSAGES
from ppap_claude.catalogue import CATALOGUE
from ppap_claude.messages.thinking import OutputLimit, in_these_words, written

from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.conversation.resolution import resolved
from ppap_core.conversation.thinking import LEVELS
from ppap_core.errors import InvalidRequest
from ppap_core.testing.fixtures import fixture_cases
from ppap_core.wire import JsonBody

MODELS = CATALOGUE.sections["claude"]
FIXTURES = Path(__file__).parent / "fixtures"


def cases(name: str) -> Any:
    """The cases of a fixture file, as parameters."""
    listed = fixture_cases(FIXTURES / name)
    return pytest.mark.parametrize("case", listed.values(), ids=listed)


@cases("thinking_read")
def test_an_intent_is_read(case: dict[str, Any]) -> None:
    """What a client asks for becomes an intent that every format understands."""
    fields = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **case["fields"]}
    conversation = MESSAGES.decode_request(JsonBody(json.dumps(fields).encode()))
    assert conversation.thinking == ThinkingIntent(**case["intent"])


@cases("thinking_read")
def test_an_intent_is_read_from_a_body_that_is_not_decoded(case: dict[str, Any]) -> None:
    """A relay knows what is asked for without reading the whole request."""
    body = JsonBody(json.dumps({"model": "m", "messages": [], **case["fields"]}).encode())
    assert MESSAGES.peek(body).thinking == ThinkingIntent(**case["intent"])


@pytest.mark.parametrize(
    "fields", [{"thinking": "x"}, {"thinking": None}, {"thinking": {"type": "adaptive"}, "output_config": 3}]
)
def test_fields_of_a_wrong_type_ask_for_nothing(fields: dict[str, Any]) -> None:
    """They are passed on, and the upstream says what is wrong with them."""
    body = JsonBody(json.dumps({"model": "m", "messages": [], **fields}).encode())
    assert MESSAGES.peek(body).thinking == ThinkingIntent()


@cases("thinking_write")
def test_an_intent_is_fitted_and_written(case: dict[str, Any]) -> None:
    """A model gets the nearest thing it can do; what it cannot is refused, clearly (pain 26)."""
    support = ThinkingSupport(**case["model"]) if case["model"] is not None else None
    own, named = case.get("same_format", False), case.get("named", False)
    expected = dict(case["expect"])
    if "refused" in expected:
        with pytest.raises(InvalidRequest) as refusal:
            resolved(ThinkingIntent(**case["intent"]), support, from_name=named, same_family=own)
        assert expected["refused"] in refusal.value.detail.message
        return
    limit = OutputLimit(
        asked=case.get("max_tokens", 200000),
        default=8192 if case.get("ceiling") == 8192 else 32000,
        ceiling=case.get("ceiling"),
    )
    intent = resolved(ThinkingIntent(**case["intent"]), support, from_name=named, same_family=own)
    thinking = written(intent if own or named else in_these_words(intent, support), support, limit)
    assert thinking.field == expected.get("thinking")
    assert thinking.effort == expected.get("effort")
    assert thinking.max_tokens == expected.get("max_tokens", limit.asked or limit.default)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_model_of_the_catalogue_takes_every_level_of_another_format(name: str, level: str) -> None:
    """A budget is always below ``max_tokens``, and a level always one that the model knows."""
    model = MODELS[name]
    support, ceiling = model.thinking, model.max_output_tokens
    assert support is not None
    assert ceiling is not None
    intent = resolved(ThinkingIntent(mode="level", level=level), support, from_name=False, same_family=False)
    limit = OutputLimit(asked=None, default=min(32000, ceiling), ceiling=ceiling)
    thinking = written(in_these_words(intent, support), support, limit)
    assert thinking.max_tokens <= ceiling
    if thinking.by_budget:
        assert thinking.field is not None
        assert 1024 <= thinking.field["budget_tokens"] < thinking.max_tokens
    elif thinking.active:
        assert thinking.effort in support.levels
    else:
        assert not support.thinks


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_catalogue_can_be_told_not_to_think(name: str) -> None:
    """``disabled`` is always understood, also by models that take no budget of 0 (D.4, step 11)."""
    intent = resolved(ThinkingIntent(mode="none"), MODELS[name].thinking, from_name=False, same_family=False)
    thinking = written(intent, MODELS[name].thinking, OutputLimit(asked=9, default=9, ceiling=9))
    assert thinking.field in (None, {"type": "disabled"})


@pytest.mark.parametrize(
    ("name", "upstream", "support"),
    [
        ("claude-opus-4-6", "claude-opus-4-6", "claude-opus-4-6"),
        ("claude-opus-4-6(high)", "claude-opus-4-6(high)", "claude-opus-4-6"),
        ("claude-opus-4-6-high", "claude-opus-4-6(high)", "claude-opus-4-6"),
        ("claude-opus-4-1-20250805-high", "claude-opus-4-1-20250805-high", None),
        (
            "claude-opus-4-1-20250805(8192)",
            "claude-opus-4-1-20250805(8192)",
            "claude-opus-4-1-20250805",
        ),
        ("some-model-high", "some-model-high", None),
    ],
)
def test_a_configured_name_may_fix_a_level(name: str, upstream: str, support: str | None) -> None:
    """The catalogue says whether the end of a name is a level (translation spec, D.3)."""
    model = CATALOGUE.configured("claude", "deep", name)
    assert model.upstream == (upstream,)
    assert model.thinking == (MODELS[support].thinking if support else None)
