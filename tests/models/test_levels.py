"""A model's levels as names of their own (translation spec, D.3; client API spec, 8 and 9.5; pain 26)."""

from __future__ import annotations

import logging

import pytest

from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.credentials import Credential, Route
from ppap_core.errors import InvalidRequest, ModelNotFound
from ppap_core.models import Model, ModelIndex, build_index

ALL = ThinkingSupport(levels=("none", "minimal", "low", "medium", "high", "xhigh", "max"))
SOME = ThinkingSupport(levels=("high", "low"))
FIVE = ["m", "m-high", "m-low", "m-medium", "m-xhigh"]


def credential(name: str = "a", prefix: str = "", excluded: tuple[str, ...] = ()) -> Credential:
    return Credential(
        id=name, provider="p", label="p", settings=None, prefix=prefix, excluded_models=excluded
    )


def model(name: str, *upstream: str, thinking: ThinkingSupport | None = SOME, created: int = 1) -> Model:
    return Model(id=name, upstream=upstream or (name,), thinking=thinking, created=created)


def index_of(*models: Model, account: Credential | None = None, force_prefix: bool = False) -> ModelIndex:
    return build_index([(account or credential(), models)], force_prefix=force_prefix)


def ids(index: ModelIndex) -> list[str]:
    return [listed.id for listed in index.listed]


def always(route: Route) -> bool:
    return True


def asked(index: ModelIndex, name: str) -> tuple[str, str]:
    """The upstream model that a name leads to, and what it is asked for: the target's word first."""
    found = index.resolve(name, always)
    (target,) = found.route.candidates[0].targets
    return target.model, target.intent.label or found.intent.label


# --- lists ------------------------------------------------------------------------------------


def test_four_levels_are_listed() -> None:
    """Those that a hyphen may bring; the list as a whole is in the order of ids (9.0)."""
    index = index_of(model("m", thinking=ALL), model("m-kilo", thinking=None), model("A", thinking=None))
    assert ids(index) == ["A", "m", "m-high", "m-kilo", "m-low", "m-medium", "m-xhigh"]


def test_a_level_is_listed_as_its_model() -> None:
    """Everything is copied but the id, and the name says the level."""
    named = Model(
        id="m",
        upstream=("up",),
        display_name="Em",
        owner="o",
        created=7,
        max_input_tokens=8,
        max_output_tokens=9,
        thinking=SOME,
    )
    base, high, low = index_of(named).listed
    assert [base.base, low.base, high.base] == ["", "m", "m"]
    assert [base.display_name, low.display_name, high.display_name] == ["Em", "Em LOW", "Em HIGH"]
    assert (high.owner, high.created, high.max_input_tokens, high.max_output_tokens) == ("o", 7, 8, 9)
    assert high.thinking is SOME
    assert index_of(model("n")).listed[1].display_name == "n HIGH"


@pytest.mark.parametrize("thinking", [None, ThinkingSupport(), ThinkingSupport(min=1, max=9)])
def test_without_levels_there_are_no_more_names(thinking: ThinkingSupport | None) -> None:
    """Budgets alone make none."""
    assert ids(index_of(model("m", thinking=thinking))) == ["m"]


@pytest.mark.parametrize(
    ("pattern", "listed"),
    [
        ("*-high", ["m", "m-low", "t/m", "t/m-low"]),
        ("m-high", ["m", "m-low", "t/m", "t/m-low"]),
        ("t/m-*", ["m", "m-high", "m-low", "t/m"]),
        ("m", []),
    ],
)
def test_exclusions_hide_levels(pattern: str, listed: list[str]) -> None:
    """With and without a prefix; what is hidden is not served either."""
    index = index_of(model("m"), account=credential(prefix="t", excluded=(pattern,)))
    assert ids(index) == listed
    hidden = {"m-low", "m-high", "t/m-low", "t/m-high"} - set(listed)
    for name in hidden:
        with pytest.raises(ModelNotFound):
            index.resolve(name, always)


def test_a_level_is_excluded_for_one_account_only() -> None:
    """The other account still serves it, and only that one."""
    served = [(credential("a", excluded=("*-high",)), [model("m")]), (credential("b"), [model("m")])]
    route = build_index(served, force_prefix=False).resolve("m-high", always).route
    assert [candidate.credential.id for candidate in route.candidates] == ["b"]


def test_only_accounts_whose_model_has_the_level_serve_it() -> None:
    """Two providers may know the same name and not the same levels."""
    more = model("m", thinking=ALL)
    served = [(credential("a"), [model("m")]), (credential("b"), [more]), (credential("c"), [more])]
    index = build_index(served, force_prefix=False)
    assert ids(index) == FIVE
    route = index.resolve("m-xhigh", always).route
    assert [candidate.credential.id for candidate in route.candidates] == ["b", "c"]


# --- names that clients send ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("m", ""),
        ("m-high", "high"),
        ("M-HIGH", "high"),
        ("t/m-high", "high"),
        ("m(high)", "high"),
        ("t/m(high)", "high"),
        ("m(xhigh)", "xhigh"),
        ("m(8192)", "medium"),
        ("m(none)", "none"),
        ("m(auto)", "auto"),
        ("m()", ""),
        ("m(-5)", ""),
        ("auto", ""),
        ("auto(high)", "high"),
        ("auto-high", "high"),
        ("AUTO-Low", "low"),
    ],
)
def test_a_name_may_say_how_much_to_think(name: str, level: str) -> None:
    """In both forms, with a prefix or without, and for ``auto`` (pain 26)."""
    index = index_of(model("m", "up"), account=credential(prefix="t"))
    assert asked(index, name) == ("up", level)


def test_exact_names_outrank_levels() -> None:
    """A model registered as ``foo-high`` stays what it is, listed once, whoever serves it (D.3)."""
    served = [
        (credential("a"), [model("foo")]),
        (
            credential("b"),
            [model("FOO-high", "strong", thinking=None), model("foo(low)", "odd", thinking=None)],
        ),
    ]
    index = build_index(served, force_prefix=False)
    assert ids(index) == ["FOO-high", "foo", "foo(low)", "foo-low"]
    assert asked(index, "foo-high") == ("strong", "")
    assert asked(index, "foo(low)") == ("odd", "")
    assert asked(index, "foo(high)") == ("foo", "high")


@pytest.mark.parametrize("name", ["m-xhigh", "m-medium"])
def test_a_level_that_the_model_lacks_is_refused_with_those_it_has(name: str) -> None:
    """Not as an unknown model, which says nothing of the reason (pain 26)."""
    with pytest.raises(InvalidRequest, match="valid levels: high, low") as refusal:
        index_of(model("m")).resolve(name, always)
    assert refusal.value.detail.code == "level_not_supported"
    assert refusal.value.detail.param == "model"


def test_a_word_that_is_no_level_is_refused_with_those_there_are() -> None:
    """Other text in parentheses says nothing, and nor does a word to a model without levels (D.2)."""
    index = index_of(model("m"), model("n", thinking=None))
    with pytest.raises(InvalidRequest, match="unknown level: ultra, valid levels: high, low") as refusal:
        index.resolve("m(ultra)", always)
    assert refusal.value.detail.code == "unknown_level"
    for name in ("m()", "m( high )", "m(-5)", "n(ultra)"):
        assert index.resolve(name, always).intent == ThinkingIntent()


@pytest.mark.parametrize("name", ["m-max", "m-minimal", "n-high", "k-high", "k-high(low)", "x(high)"])
def test_other_names_are_unknown_models(name: str) -> None:
    """Numbers and the other levels take parentheses; a model without levels takes no hyphen (D.3)."""
    index = index_of(
        model("m", thinking=ALL), model("n", thinking=None), model("k", thinking=ThinkingSupport())
    )
    with pytest.raises(ModelNotFound):
        index.resolve(name, always)


def test_auto_is_never_a_level() -> None:
    """The newest model is meant, not one of its names."""
    index = index_of(model("old"), model("new", created=2))
    assert index.resolve("auto", always).route.model == "new"


# --- configured aliases (D.3) -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("spark", ("gpt-spark", "")),
        ("SPARK", ("gpt-spark", "")),
        ("spark-high", ("gpt-spark", "high")),
        ("spark(high)", ("gpt-spark", "high")),
        ("spark(8192)", ("gpt-spark", "medium")),
        ("spark(auto)", ("gpt-spark", "auto")),
        ("spark(none)", ("gpt-spark", "none")),
        ("spark()", ("gpt-spark", "")),
        ("slow", ("gpt-spark", "low")),
        ("slow(high)", ("gpt-spark", "low")),
        ("slow-high", ("gpt-spark", "low")),
        ("few", ("gpt-spark", "low")),
        ("few(high)", ("gpt-spark", "low")),
        ("spark-fast", ("gpt-spark", "high")),
        ("strong-high", ("other", "")),
    ],
)
def test_an_alias_keeps_the_level_of_its_target(name: str, expected: tuple[str, str]) -> None:
    """The whole name first, then without its suffix; the target's own suffix wins over the client's."""
    index = index_of(
        model("spark", "gpt-spark"),
        model("slow", "gpt-spark(low)"),
        model("few", "gpt-spark(1024)", thinking=ThinkingSupport(max=9000, levels=("low",))),
        model("spark-fast", "gpt-spark(high)"),
        model("strong", "weak"),
        model("strong-high", "other", thinking=None),
    )
    assert asked(index, name) == expected


def test_a_fixed_alias_has_no_levels_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """And is listed only if the model it stands for has that level."""
    with caplog.at_level(logging.WARNING, "ppap.models"):
        index = index_of(model("fast", "m(high)"), model("faster", "m(xhigh)"), model("most", "m(64000)"))
    assert ids(index) == ["fast", "most"]
    assert "faster" in caplog.text
    assert "high, low" in caplog.text


def test_a_fixed_level_holds_for_its_target_only() -> None:
    """Of a pool, one may be asked for a level while the others go by the client's name."""
    index = index_of(model("pool", "one(high)", "two"))
    assert ids(index) == ["pool"]
    targets = index.resolve("pool(low)", always).route.candidates[0].targets
    assert [(target.model, target.intent.label) for target in targets] == [("one", "high"), ("two", "")]
    assert index.resolve("pool(low)", always).intent == ThinkingIntent(mode="level", level="low")
