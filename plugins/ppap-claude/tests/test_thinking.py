"""How much a model thinks (translation spec, D; fixtures/thinking_*.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ppap_claude import MESSAGES
from ppap_claude.catalogue import CATALOGUE
from ppap_claude.messages.thinking import LEVELS, OutputLimit, capability, fitted, written

from ppap_core.conversation import ThinkingIntent
from ppap_core.conversation.thinking import BUDGET_OF_LEVEL
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

FIXTURES = Path(__file__).parent / "fixtures"


def cases(name: str) -> Any:
    """The cases of a fixture file, as parameters."""
    listed = json.loads((FIXTURES / f"{name}.json").read_text())
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in listed])


@cases("thinking_read")
def test_an_intent_is_read(case: dict[str, Any]) -> None:
    """What a client asks for becomes an intent that every format understands."""
    fields = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **case["fields"]}
    conversation = MESSAGES.decode_request(JsonBody(json.dumps(fields).encode()))
    assert conversation.thinking == ThinkingIntent(**case["intent"])


@cases("thinking_write")
def test_an_intent_is_fitted_and_written(case: dict[str, Any]) -> None:
    """A model gets the nearest thing it can do; what it cannot is refused, clearly (pain 26)."""
    model = capability(case["model"])
    intent = ThinkingIntent(**case["intent"])
    same_format = case.get("same_format", False)
    expected = dict(case["expect"])
    if "refused" in expected:
        with pytest.raises(InvalidRequest) as refusal:
            fitted(intent, model, same_format=same_format)
        assert expected["refused"] in refusal.value.detail.message
        return
    limit = OutputLimit(
        asked=case.get("max_tokens", 200000),
        default=8192 if case.get("ceiling") == 8192 else 32000,
        ceiling=case.get("ceiling"),
    )
    thinking = written(fitted(intent, model, same_format=same_format), model, limit)
    assert thinking.field == expected.get("thinking")
    assert thinking.effort == expected.get("effort")
    assert thinking.max_tokens == expected.get("max_tokens", limit.asked or limit.default)


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("level", LEVELS)
def test_every_model_of_the_catalogue_takes_every_level_of_another_format(name: str, level: str) -> None:
    """A budget is always below ``max_tokens``, and a level always one that the model knows."""
    model = CATALOGUE[name]
    ability = capability(model.thinking)
    ceiling = model.max_output_tokens
    assert ceiling is not None
    intent = fitted(ThinkingIntent(mode="level", level=level), ability, same_format=False)
    thinking = written(intent, ability, OutputLimit(asked=None, default=min(32000, ceiling), ceiling=ceiling))
    assert thinking.max_tokens <= ceiling
    if thinking.by_budget:
        assert thinking.field is not None
        assert 1024 <= thinking.field["budget_tokens"] < thinking.max_tokens
    elif thinking.active:
        assert ability is not None
        assert thinking.effort in ability.levels
    else:
        assert ability is not None
        assert not ability.thinks


def test_every_level_has_a_budget() -> None:
    """The order of levels and the table of budgets name the same levels."""
    assert set(LEVELS) | {"none", "auto"} == set(BUDGET_OF_LEVEL)
    assert sorted(LEVELS, key=BUDGET_OF_LEVEL.__getitem__) == list(LEVELS)
