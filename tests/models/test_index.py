"""What clients can ask for (auth spec, 4.3 and 6.3–6.7)."""

from __future__ import annotations

import pytest

from ppap_core.conversation import ThinkingSupport
from ppap_core.credentials import Credential, Pool, Route
from ppap_core.errors import InvalidRequest, ModelNotFound
from ppap_core.models import Model, ModelIndex, build_index, matcher


def credential(name: str, prefix: str = "", excluded: tuple[str, ...] = (), label: str = "p") -> Credential:
    return Credential(
        id=name, provider="p", label=label, settings=None, prefix=prefix, excluded_models=excluded
    )


def model(name: str, *upstream: str, created: int | None = None) -> Model:
    return Model(id=name, upstream=upstream or (name,), created=created)


def ids(index: ModelIndex) -> list[str]:
    return [listed.id for listed in index.listed]


def always(route: Route) -> bool:
    return True


@pytest.mark.parametrize(
    ("force", "prefix", "listed"),
    [
        (False, "", ["m"]),
        (True, "", ["m"]),
        (False, "teamA", ["m", "teamA/m"]),
        (True, "teamA", ["teamA/m"]),
        (True, "m", ["m", "m/m"]),
    ],
)
def test_a_prefix_adds_a_name_or_replaces_it(force: bool, prefix: str, listed: list[str]) -> None:
    """And is never sent upstream (4.3)."""
    index = build_index([(credential("a", prefix), [model("m")])], force_prefix=force)
    assert ids(index) == listed
    for name in listed:
        assert index.resolve(name, always).route.candidates[0].targets[0].model == "m"
    if "m" not in listed:
        with pytest.raises(ModelNotFound):
            index.resolve("m", always)


def test_accounts_may_share_a_prefix() -> None:
    served = [(credential("a", "t"), [model("m")]), (credential("b", "t"), [model("m")])]
    route = build_index(served, force_prefix=True).resolve("t/m", always).route
    assert [each.credential.id for each in route.candidates] == ["a", "b"]


def test_a_model_is_shown_as_it_was_told_of_last() -> None:
    """Once, whoever serves it (client API spec, 9.0; pain 26)."""
    served = [
        (credential("a"), [Model(id="m", upstream=("m",), owner="first", created=1)]),
        (credential("b"), [Model(id="M", upstream=("m",), owner="last", created=2)]),
    ]
    (shown,) = build_index(served, force_prefix=False).listed
    assert (shown.id, shown.owner, shown.created) == ("M", "last", 2)


def test_a_model_and_its_levels_take_turns_together() -> None:
    """Whatever form of the name a client chooses (4.2)."""
    levels = ThinkingSupport(levels=("low", "high"))
    models = [Model(id="m", upstream=("m",), thinking=levels)]
    index = build_index([(credential("a"), models), (credential("b"), models)], force_prefix=False)
    pool = Pool()
    picked = [pool.pick(index.resolve(name, always).route, ()) for name in ("m", "m-high", "m(low)", "M-low")]
    assert [each.credential.id for each in picked if each] == ["a", "b", "a", "b"]


def test_providers_take_turns_by_the_number_of_their_accounts() -> None:
    """gemini {a, b} and claude {a}: gemini a, gemini b, claude a, gemini a (4.2)."""
    served = [
        (credential("claude-a", label="claude"), [model("m")]),
        (credential("gemini-a", label="gemini"), [model("m")]),
        (credential("gemini-b", label="gemini"), [model("m")]),
    ]
    route = build_index(served, force_prefix=False).resolve("m", always).route
    pool = Pool()
    picked = [pool.pick(route, ()) for _ in range(4)]
    assert [each.credential.id for each in picked if each] == ["gemini-a", "gemini-b", "claude-a", "gemini-a"]


def test_a_prefixed_name_reaches_only_its_own_credentials() -> None:
    index = build_index(
        [(credential("a", "t"), [model("m")]), (credential("b"), [model("m")])], force_prefix=False
    )
    assert [each.credential.id for each in index.resolve("t/m", always).route.candidates] == ["a"]
    assert [each.credential.id for each in index.resolve("m", always).route.candidates] == ["a", "b"]


def test_excluded_models_are_not_served() -> None:
    index = build_index(
        [
            (
                credential("a", excluded=("*-Preview", "x*y*z")),
                [model("m-preview"), model("m"), model("x1y2z")],
            )
        ],
        force_prefix=False,
    )
    assert ids(index) == ["m"]


def test_names_are_found_in_any_case_and_listed_as_written() -> None:
    index = build_index([(credential("a"), [model("Big-Model")])], force_prefix=False)
    assert index.resolve("big-model", always).route.model == "Big-Model"
    assert ids(index) == ["Big-Model"]


def test_providers_with_more_credentials_come_first() -> None:
    served = [
        (credential("z1", label="zeta"), [model("m")]),
        (credential("b", label="alpha"), [model("m")]),
        (credential("z2", label="zeta"), [model("m")]),
    ]
    route = build_index(served, force_prefix=False).resolve("m", always).route
    assert [each.credential.id for each in route.candidates] == ["z1", "z2", "b"]


def test_an_unknown_model_is_a_404_that_names_it() -> None:
    """Not a 502, which clients would retry (client API spec, 8)."""
    index = build_index([], force_prefix=False)
    with pytest.raises(ModelNotFound, match="'nope'"):
        index.resolve("nope", always)


def test_a_missing_model_is_a_400() -> None:
    with pytest.raises(InvalidRequest, match="`model` is missing"):
        build_index([], force_prefix=False).resolve("", always)


def test_auto_is_the_newest_model_that_is_available() -> None:
    served = [(credential("a"), [model("old", created=1), model("new", created=3), model("mid", created=2)])]
    index = build_index(served, force_prefix=False)
    assert index.resolve("auto", always).route.model == "new"
    assert index.resolve("AUTO", lambda route: route.model != "new").route.model == "mid"
    assert index.resolve("auto", always, lambda route: route.model == "old").route.model == "old"
    with pytest.raises(ModelNotFound):
        index.resolve("auto", lambda route: False)


def test_auto_never_draws() -> None:
    """Nor is a model's level newer than the model (client API spec, 8, step 2)."""
    painter = Model(id="painter", upstream=("p",), created=9, image_only=True)
    index = build_index([(credential("a"), [model("m", created=1), painter])], force_prefix=False)
    assert index.resolve("auto", always).route.model == "m"


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "anything", True),
        ("gpt-*", "GPT-5", True),
        ("gpt-*", "my-gpt-5", False),
        ("a*b*c", "axxbyyc", True),
        ("models/x", "x", True),
        ("x", "models/x", True),
        ("a.c", "abc", False),
        ("", "", False),
        ("   ", "x", False),
    ],
)
def test_patterns_are_anchored_wildcards(pattern: str, name: str, matches: bool) -> None:
    assert matcher([pattern])(name) is matches
