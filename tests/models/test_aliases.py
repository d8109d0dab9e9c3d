"""Other names and exclusions for logged-in accounts (auth spec, 6.5; client API spec, 9.5)."""

from __future__ import annotations

from typing import Any

import pytest

from ppap_core.config import ModelAlias
from ppap_core.conversation import ThinkingSupport
from ppap_core.credentials import Credential, Route
from ppap_core.errors import ModelNotFound
from ppap_core.models import Model, ModelIndex, build_index

LEVELS = ThinkingSupport(levels=("low", "high"))


def account(name: str = "a", channel: str = "parrot", **more: Any) -> Credential:
    return Credential(id=name, provider="p", label="p", settings=None, channel=channel, **more)


def model(name: str, thinking: ThinkingSupport | None = None) -> Model:
    return Model(id=name, upstream=(name,), thinking=thinking)


def alias(name: str, alias: str, *, fork: bool = False) -> ModelAlias:
    return ModelAlias(name=name, alias=alias, fork=fork)


def index_of(
    aliases: list[ModelAlias],
    *models: Model,
    excluded: tuple[str, ...] = (),
    credential: Credential | None = None,
) -> ModelIndex:
    return build_index(
        [(credential or account(), models)],
        force_prefix=False,
        aliases={"parrot": aliases},
        excluded={"parrot": excluded},
    )


def ids(index: ModelIndex) -> list[str]:
    return [listed.id for listed in index.listed]


def always(route: Route) -> bool:
    return True


def asked(index: ModelIndex, name: str) -> tuple[str, str]:
    """The upstream model that a name leads to, and what it is asked for: the target's word first."""
    found = index.resolve(name, always)
    (target,) = found.route.candidates[0].targets
    return target.model, target.intent.label or found.intent.label


@pytest.mark.parametrize(
    ("aliases", "listed"),
    [
        pytest.param([], ["m", "n"], id="none"),
        pytest.param([alias("m", "a")], ["a", "n"], id="rename"),
        pytest.param([alias("M", "a")], ["a", "n"], id="rename in another case"),
        pytest.param([alias("models/m", "a")], ["a", "n"], id="rename a full name"),
        pytest.param([alias("m", "a", fork=True)], ["a", "m", "n"], id="fork"),
        pytest.param([alias("m", "a"), alias("m", "b")], ["a", "b", "n"], id="two renames"),
        pytest.param(
            [alias("m", "a", fork=True), alias("m", "b", fork=True)], ["a", "b", "m", "n"], id="two forks"
        ),
        pytest.param([alias("m", "a"), alias("m", "b", fork=True)], ["a", "b", "m", "n"], id="one of two"),
        pytest.param([alias("n", "M")], ["m", "n"], id="the name of another model"),
        pytest.param([alias("m", "a"), alias("n", "A")], ["a", "n"], id="one alias for two"),
        pytest.param([alias("m", "n"), alias("n", "m")], ["m", "n"], id="swap"),
        pytest.param([alias("nothing-here", "a")], ["m", "n"], id="of a model that is not served"),
    ],
)
def test_aliases_rename_or_add(aliases: list[ModelAlias], listed: list[str]) -> None:
    """Without a fork the model's own name is gone; whoever has a name first keeps it (6.5)."""
    assert ids(index_of(aliases, model("m"), model("n"))) == listed


def test_a_swap_means_what_it_says() -> None:
    index = index_of([alias("m", "n"), alias("n", "m")], model("m"), model("n"))
    assert asked(index, "n") == ("m", "")
    assert asked(index, "m") == ("n", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("spark", ("gpt-5.3-codex-spark", "")),
        ("SPARK", ("gpt-5.3-codex-spark", "")),
        ("spark-high", ("gpt-5.3-codex-spark", "high")),
        ("spark(high)", ("gpt-5.3-codex-spark", "high")),
        ("spark(8192)", ("gpt-5.3-codex-spark", "medium")),
        ("spark(auto)", ("gpt-5.3-codex-spark", "auto")),
        ("spark(none)", ("gpt-5.3-codex-spark", "none")),
        ("t/spark-high", ("gpt-5.3-codex-spark", "high")),
        ("fast", ("gpt-5.3-codex-spark", "high")),
        ("fast-low", ("gpt-5.3-codex-spark", "high")),
        ("fast(low)", ("gpt-5.3-codex-spark", "high")),
        ("slow", ("gpt-5.3-codex-spark", "low")),
        ("slow(high)", ("gpt-5.3-codex-spark", "low")),
        ("strong-high", ("X", "")),
        ("strong(high)", ("gpt-5.2", "high")),
    ],
)
def test_names_lead_where_the_spec_pins_them(name: str, expected: tuple[str, str]) -> None:
    """The whole name first; a level of the target wins over the client's (6.5, pinned; D.3; pain 26)."""
    index = index_of(
        [
            alias("gpt-5.3-codex-spark", "spark"),
            alias("gpt-5.3-codex-spark-high", "fast"),
            alias("gpt-5.3-codex-spark(low)", "slow"),
            alias("gpt-5.2", "strong"),
            alias("X", "strong-high"),
        ],
        model("gpt-5.3-codex-spark", LEVELS),
        model("gpt-5.2", LEVELS),
        model("X"),
        credential=account(prefix="t"),
    )
    assert asked(index, name) == expected


def test_an_explicit_alias_outranks_a_level() -> None:
    """And is listed once."""
    index = index_of([alias("x", "m-high")], model("m", LEVELS), model("x", LEVELS))
    assert ids(index) == ["m", "m-high", "m-high-high", "m-high-low", "m-low"]
    assert asked(index, "m-high") == ("x", "")


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("m-high", ["fixed", "m", "m-high", "m-low", "n"]),
        ("m(high)", ["fixed", "m", "m-high", "m-low", "n"]),
        ("m(HIGH)", ["fixed", "m", "m-high", "m-low", "n"]),
        ("m(4096)", ["fixed", "m", "m-high", "m-low", "n"]),
        ("m-xhigh", ["m", "m-high", "m-low", "n"]),
        ("m(xhigh)", ["m", "m-high", "m-low", "n"]),
        ("m(what)", ["m", "m-high", "m-low", "n"]),
        ("n-high", ["m", "m-high", "m-low", "n"]),
    ],
)
def test_a_fixed_level_is_there_if_the_model_has_it(name: str, listed: list[str]) -> None:
    """The model keeps its name, and the alias gets no levels of its own (6.5, pinned)."""
    index = index_of([alias(name, "fixed")], model("m", LEVELS), model("n"))
    assert ids(index) == listed
    shown = [each for each in index.listed if each.id == "fixed"]
    assert all(each.thinking is None for each in shown)


def test_a_model_named_so_is_no_level() -> None:
    """``m-high`` in the list is renamed like any other."""
    index = index_of([alias("m-high", "a")], model("m", LEVELS), model("m-high"))
    assert ids(index) == ["a", "m", "m-high", "m-low"]
    assert asked(index, "a") == ("m-high", "")
    assert asked(index, "m-high") == ("m", "high")


def test_exclusions_come_before_aliases_and_count_for_levels_again() -> None:
    """By the ids of before; ``*-high`` hides the levels of an alias too (6.5; 9.5, steps 2 and 5)."""
    index = index_of(
        [alias("m", "kept"), alias("gone", "back")],
        model("m", LEVELS),
        model("gone"),
        excluded=("GONE", "kept", "*-high"),
    )
    assert ids(index) == ["kept", "kept-low"]


def test_an_accounts_own_exclusions_are_added() -> None:
    index = index_of(
        [], model("m"), model("n"), model("o"), excluded=("n",), credential=account(excluded_models=("m",))
    )
    assert ids(index) == ["o"]


def test_api_keys_belong_to_no_channel() -> None:
    """Neither names nor exclusions of a channel hold for them (6.5)."""
    index = index_of(
        [alias("m", "a")], model("m"), model("n"), excluded=("n",), credential=account(channel="")
    )
    assert ids(index) == ["m", "n"]
    with pytest.raises(ModelNotFound):
        index.resolve("a", always)


def test_accounts_of_one_channel_share_an_alias() -> None:
    """Whichever model it stands for there."""
    served = [
        (account("a"), [model("m")]),
        (account("b"), [model("n")]),
        (account("c", "other"), [model("m")]),
    ]
    aliases = {"parrot": [alias("m", "x"), alias("n", "x")]}
    index = build_index(served, force_prefix=False, aliases=aliases)
    route = index.resolve("x", always).route
    assert [each.credential.id for each in route.candidates] == ["a", "b"]
    assert [each.targets[0].model for each in route.candidates] == ["m", "n"]
    assert [each.credential.id for each in index.resolve("m", always).route.candidates] == ["c"]
