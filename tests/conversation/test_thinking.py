"""How much a model is asked to think (translation spec, D.1, D.4, D.7, D.8; Gemini's spec, 8.5)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.conversation.resolution import resolved
from ppap_core.conversation.thinking import (
    BUDGET_OF_LEVEL,
    LEVELS,
    intent_of,
    intent_of_budget,
    level_of_budget,
    nearest_level,
)
from ppap_core.errors import InvalidRequest

# The models of the pinned matrices, under the names that the specs give them.
L = ThinkingSupport(levels=("minimal", "low", "medium", "high"))
S = ThinkingSupport(levels=("low", "high"))
C = ThinkingSupport(min=1024, max=128000, zero_allowed=True)
B = ThinkingSupport(min=128, max=20000, dynamic_allowed=True)
H = ThinkingSupport(min=128, max=32768, dynamic_allowed=True, levels=("low", "high"))
A = ThinkingSupport(min=128, max=20000, zero_allowed=True, dynamic_allowed=True)
K = ThinkingSupport(min=1024, max=32000, zero_allowed=True, dynamic_allowed=True)
O46 = ThinkingSupport(
    min=1024, max=128000, zero_allowed=True, dynamic_allowed=True, levels=("low", "medium", "high", "max")
)
N = ThinkingSupport()
U = None

ASKED: dict[str | int, ThinkingIntent] = {
    **{word: intent_of(word) for word in (*LEVELS, "none", "auto")},
    **{number: intent_of_budget(number) for number in (0, -1, 1, 512, 1024, 8192, 24576, 64000, 200000)},
    "": ThinkingIntent(),
    "as you like": ThinkingIntent(level="xhigh"),
}


def told(intent: ThinkingIntent) -> str | int:
    """An intent in one word or number; empty for none at all."""
    if intent.mode == "budget":
        return intent.budget or 0
    return intent.label


# --- D.1 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "level"),
    [
        (-2, None),
        (-1, "auto"),
        (0, "none"),
        (1, "minimal"),
        (512, "minimal"),
        (513, "low"),
        (1024, "low"),
        (1025, "medium"),
        (8192, "medium"),
        (8193, "high"),
        (24576, "high"),
        (24577, "xhigh"),
        (10**9, "xhigh"),
    ],
)
def test_a_budget_stands_for_a_level(budget: int, level: str | None) -> None:
    """The thresholds are pinned; no budget is ``max`` (D.1)."""
    assert level_of_budget(budget) == level


def test_every_level_has_a_budget() -> None:
    """The order of levels and the table of budgets name the same levels (D.1)."""
    assert {*LEVELS, "none", "auto"} == set(BUDGET_OF_LEVEL)
    assert sorted(LEVELS, key=BUDGET_OF_LEVEL.__getitem__) == list(LEVELS)


@pytest.mark.parametrize(
    ("word", "intent"),
    [
        (" High ", ThinkingIntent(mode="level", level="high", summary="auto")),
        ("NONE", ThinkingIntent(mode="none")),
        ("Auto", ThinkingIntent(mode="auto", summary="auto")),
        (" ", ThinkingIntent(summary="auto")),
        ("ultra", ThinkingIntent(mode="level", level="ultra", summary="auto")),
    ],
)
def test_a_word_is_read(word: str, intent: ThinkingIntent) -> None:
    """Case and blanks do not matter, and nothing is shown of no thought (D.1, D.8)."""
    assert intent_of(word, "auto") == intent


@pytest.mark.parametrize(
    ("wanted", "levels", "nearest"),
    [
        ("medium", ("low", "high"), "low"),
        ("xhigh", ("low", "high", "max"), "max"),
        ("xhigh", ("low", "high"), "high"),
        ("max", ("low", "xhigh"), "xhigh"),
        ("minimal", ("high", "low"), "low"),
        ("low", ("own", "words"), "own"),
        ("ultra", ("low", "high"), "ultra"),
    ],
)
def test_the_nearest_level_is_the_lower_of_two(wanted: str, levels: tuple[str, ...], nearest: str) -> None:
    """But what is above high is rather more than less (D.4, D.6)."""
    assert nearest_level(wanted, levels) == nearest


# --- D.4 and the pinned matrices ---------------------------------------------------------------

FOREIGN = [
    # level-only (D.7)
    (L, "", ""),
    (L, "medium", "medium"),
    (L, 8192, "medium"),
    (L, 64000, "high"),
    (L, 0, "minimal"),
    (L, -1, "medium"),
    (L, "none", "minimal"),
    (L, "auto", "medium"),
    (L, "minimal", "minimal"),
    (L, "low", "low"),
    (L, "high", "high"),
    (L, "xhigh", "high"),
    (L, "max", "high"),
    (L, "as you like", "high"),
    (S, 8192, "low"),
    (S, 1, "low"),
    (S, "auto", "low"),
    (S, "high", "high"),
    # budgets only
    (C, "medium", 8192),
    (C, "xhigh", 32768),
    (C, "minimal", 1024),
    (C, "none", "none"),
    (C, "auto", 64512),
    (C, 8192, 8192),
    (C, 200000, 128000),
    (C, 0, "none"),
    (C, -1, 64512),
    (B, "", ""),
    (B, "medium", 8192),
    (B, "xhigh", 20000),
    (B, "none", 128),
    (B, "auto", "auto"),
    (B, 64000, 20000),
    (B, 0, 128),
    (B, -1, "auto"),
    (B, "high", 20000),
    (B, "low", 1024),
    (B, "as you like", 20000),
    (A, "medium", 8192),
    (A, "xhigh", 20000),
    (A, "none", "none"),
    (A, "auto", "auto"),
    (A, 64000, 20000),
    (A, 0, "none"),
    (A, "as you like", 20000),
    (K, "minimal", 1024),
    (K, "max", 32000),
    (K, "auto", "auto"),
    # both
    (H, "high", "high"),
    (H, "xhigh", "high"),
    (H, "none", "low"),
    (H, "auto", "auto"),
    (H, 8192, 8192),
    (H, 64000, 32768),
    (H, 0, "low"),
    (H, -1, "auto"),
    (O46, "xhigh", "max"),
    (O46, "max", "max"),
    (O46, "auto", "auto"),
    (O46, "none", "none"),
    # none at all, and nobody knows
    *((N, asked, "") for asked in ASKED),
    (U, "ultra", "ultra"),
    (U, 8192, 8192),
    (U, 64000, 64000),
    (U, 0, "none"),
    (U, -1, "auto"),
    (U, "max", "max"),
    (U, "as you like", "xhigh"),
]


@pytest.mark.parametrize(("support", "asked", "expected"), FOREIGN)
def test_what_another_family_asks_for_becomes_the_nearest_thing(
    support: ThinkingSupport | None, asked: str | int, expected: str | int
) -> None:
    """A client cannot know other makers' models, so nothing that it asks of them is refused (D.4, D.7)."""
    intent = ASKED[asked] if asked in ASKED else intent_of(str(asked))
    assert told(resolved(intent, support, from_name=False, same_family=False)) == expected


OWN = [
    (L, "medium", False, "medium"),
    (S, 8192, False, "low"),
    (C, "medium", False, 8192),
    (C, "max", False, 128000),
    (C, 200000, True, 128000),
    (C, 512, True, 1024),
    (B, 64000, True, 20000),
    (B, 8192, False, 8192),
    (O46, "max", False, "max"),
    (O46, "as you like", False, ""),
    (N, "as you like", False, ""),
    (U, "as you like", False, ""),
    (U, 200000, False, 200000),
]


@pytest.mark.parametrize(("support", "asked", "named", "expected"), OWN)
def test_what_the_own_family_asks_for_is_taken_at_its_word(
    support: ThinkingSupport | None, asked: str | int, named: bool, expected: str | int
) -> None:
    """Only a budget in a name is brought into range (D.4, steps 4–9)."""
    assert told(resolved(ASKED[asked], support, from_name=named, same_family=True)) == expected


REFUSED = [
    (
        L,
        intent_of("xhigh"),
        False,
        True,
        'level "xhigh" not supported, valid levels: minimal, low, medium, high',
    ),
    (
        L,
        intent_of("xhigh"),
        True,
        True,
        'level "xhigh" not supported, valid levels: minimal, low, medium, high',
    ),
    (
        O46,
        intent_of("xhigh"),
        False,
        True,
        'level "xhigh" not supported, valid levels: low, medium, high, max',
    ),
    (C, intent_of_budget(200000), False, True, "budget 200000 out of range [1024,128000]"),
    (B, intent_of_budget(64000), False, True, "budget 64000 out of range [128,20000]"),
    (S, intent_of("ultra"), False, False, "unknown level: ultra, valid levels: low, high"),
    (C, intent_of("ultra"), False, False, "unknown level: ultra, valid levels: minimal, low"),
    (L, intent_of_budget(-5), False, False, "budget -5 cannot be converted to a valid level"),
]


@pytest.mark.parametrize(("support", "intent", "named", "own", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_what_can(
    support: ThinkingSupport, intent: ThinkingIntent, named: bool, own: bool, message: str
) -> None:
    """The refusal lists the levels, or names the range (D.8; pain 26)."""
    with pytest.raises(InvalidRequest) as refusal:
        resolved(intent, support, from_name=named, same_family=own)
    detail = refusal.value.detail
    assert detail.message.startswith(message)
    assert detail.status == 400
    assert detail.code in {"level_not_supported", "unknown_level", "budget_out_of_range"}
    assert detail.param == ("model" if named else None)


def test_thoughts_are_shown_as_asked_whatever_their_amount() -> None:
    """Visibility survives every conversion, and no thoughts show nothing (D.8)."""
    asked = ThinkingIntent(mode="level", level="medium", summary="detailed")
    for support in (U, L, S, C, O46):
        assert resolved(asked, support, from_name=False, same_family=False).summary == "detailed"
    off = ThinkingIntent(mode="none", summary="detailed")
    assert resolved(off, C, from_name=False, same_family=False).summary == "unset"
    assert resolved(off, H, from_name=False, same_family=False).summary == "off"


supports = st.none() | st.builds(
    ThinkingSupport,
    min=st.integers(0, 2000),
    max=st.just(0) | st.integers(2000, 200000),
    zero_allowed=st.booleans(),
    dynamic_allowed=st.booleans(),
    levels=st.lists(st.sampled_from((*LEVELS, "none", "auto")), unique=True).map(tuple),
)
intents = st.builds(
    ThinkingIntent,
    mode=st.sampled_from(("unset", "none", "auto", "level", "budget")),
    level=st.none() | st.sampled_from((*LEVELS, "none", "auto", "ultra")),
    budget=st.none() | st.integers(-3, 300000),
)


@settings(max_examples=200)
@given(intents, supports, st.booleans(), st.booleans())
@example(ThinkingIntent(mode="budget", budget=-2), ThinkingSupport(max=2000), False, False)
def test_whatever_comes_out_the_model_understands(
    intent: ThinkingIntent, support: ThinkingSupport | None, named: bool, own: bool
) -> None:
    """A level is one of the model's, a budget in its range, and doing it twice changes nothing."""
    try:
        fitted = resolved(intent, support, from_name=named, same_family=own)
    except InvalidRequest:
        return
    if support is not None:
        assert support.thinks or fitted == ThinkingIntent()
        assert fitted.mode != "level" or fitted.level in support.levels
        assert fitted.mode != "budget" or fitted.budget == support.clamped(fitted.budget or 0)
    assert resolved(fitted, support, from_name=named, same_family=own) == fitted
