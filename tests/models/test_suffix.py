"""Names that say how much to think (translation spec, D.2 and D.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.models import Model, upstream_name
from ppap_core.models.suffix import hyphened, parenthesised

NOTHING = ThinkingIntent()
NONE = ThinkingIntent(mode="none")
AUTO = ThinkingIntent(mode="auto")


def level(name: str) -> ThinkingIntent:
    return ThinkingIntent(mode="level", level=name)


def budget(tokens: int) -> ThinkingIntent:
    return ThinkingIntent(mode="budget", budget=tokens)


@pytest.mark.parametrize(
    ("name", "base", "intent"),
    [
        ("m(none)", "m", NONE),
        ("m(None)", "m", NONE),
        ("m(auto)", "m", AUTO),
        ("m(-1)", "m", AUTO),
        *((f"m({word})", "m", level(word)) for word in ("minimal", "low", "medium", "high", "xhigh", "max")),
        ("m(HIGH)", "m", level("high")),
        ("m(8192)", "m", budget(8192)),
        ("m(08192)", "m", budget(8192)),
        ("m(0)", "m", NONE),
        ("m(000)", "m", NONE),
        ("m()", "m", NOTHING),
        ("m(ultra)", "m", NOTHING),
        ("m( high )", "m", NOTHING),
        ("m(-5)", "m", NOTHING),
        ("m(+5)", "m", NOTHING),
        ("m(٣)", "m", NOTHING),
        ("m(99999999999999999999)", "m", NOTHING),
        ("m(1e3)", "m", NOTHING),
        ("m(low)(high)", "m(low)", level("high")),
        ("team/m-x(high)", "team/m-x", level("high")),
        ("(high)", "", level("high")),
    ],
)
def test_a_value_in_parentheses_is_read(name: str, base: str, intent: ThinkingIntent) -> None:
    """It is always cut off, and counts where it says something (D.2)."""
    found = parenthesised(name)
    assert found is not None
    assert (found.base, found.intent) == (base, intent)


@pytest.mark.parametrize("name", ["m", "m(high", "mhigh)", "m(high) ", ""])
def test_other_names_have_no_suffix(name: str) -> None:
    """Without both parentheses, at the very end, the whole name is the model's (D.2)."""
    assert parenthesised(name) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("m-low", ("m", level("low"))),
        ("m-MEDIUM", ("m", level("medium"))),
        ("a-b-high", ("a-b", level("high"))),
        ("m-xhigh", ("m", level("xhigh"))),
        ("m-max", None),
        ("m-none", None),
        ("m-auto", None),
        ("m-minimal", None),
        ("m-8192", None),
        ("-high", None),
        ("mhigh", None),
    ],
)
def test_four_levels_may_follow_a_hyphen(name: str, found: tuple[str, ThinkingIntent] | None) -> None:
    """All others stand in parentheses only (D.3)."""
    taken = hyphened(name)
    assert (taken and (taken.base, taken.intent)) == found


CATALOGUE = {
    "spark": Model(id="spark", upstream=("spark",), thinking=ThinkingSupport(levels=("low", "high"))),
    "spark-low": Model(id="spark-low", upstream=("spark-low",)),
    "old": Model(id="old", upstream=("old",), thinking=ThinkingSupport(max=9)),
}


@pytest.mark.parametrize(
    ("name", "base", "intent"),
    [
        ("spark", "spark", NOTHING),
        ("spark(low)", "spark", level("low")),
        ("spark(8192)", "spark", budget(8192)),
        ("spark-high", "spark", level("high")),
        ("spark-xhigh", "spark", level("xhigh")),
        ("spark-low", "spark-low", NOTHING),
        ("old-high", "old-high", NOTHING),
        ("unheard-of-high", "unheard-of-high", NOTHING),
        ("some model (free)", "some model (free)", NOTHING),
    ],
)
def test_an_upstreams_name_may_fix_the_level(name: str, base: str, intent: ThinkingIntent) -> None:
    """A hyphen counts only by the catalogue, and parentheses that say nothing belong to the name (D.3)."""
    found = upstream_name(name, CATALOGUE)
    assert (found.base, found.intent) == (base, intent)
    assert upstream_name(str(found)) == found


@given(st.text(max_size=20), st.sampled_from(["(", ")", "(high)", "-high", "-low(8)", "()"]))
def test_taking_apart_loses_nothing(start: str, end: str) -> None:
    """Whatever the name, its parts are the name, and nothing is raised."""
    name = start + end
    if (found := parenthesised(name)) is not None:
        assert f"{found.base}({found.value})" == name
    if (found := hyphened(name)) is not None:
        assert f"{found.base}-{found.value}".casefold() == name.casefold()
