"""Declaring settings."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import pytest

from ppap_core.config import check_section, setting
from ppap_core.config.declaration import declared_fields, type_name


@attrs.frozen(kw_only=True)
class Inner:
    """Inside."""

    word: str = setting("A word.")


@attrs.frozen(kw_only=True)
class Outer:
    """Outside."""

    long_name: str = setting("A name.", default="x", reload="restart", aliases=["older-name"])
    inner: Inner | None = setting("A block.", default=None)
    derived: int = attrs.field(init=False, default=0)


def test_a_declaration_is_read_back_from_the_class() -> None:
    """The key is the field's name with dashes; fields that nobody can set are no settings."""
    first, second = declared_fields(Outer)
    assert (first.key, first.type, first.default) == ("long-name", str, "x")
    assert (first.setting.reload, first.setting.aliases) == ("restart", ("older-name",))
    assert (second.key, second.required, second.default) == ("inner", False, None)
    assert declared_fields(Inner)[0].required


def test_a_setting_needs_a_meaning() -> None:
    """There is no undocumented setting."""
    with pytest.raises(TypeError, match="needs a doc"):
        setting("  ", default=1)


def test_settings_are_given_by_name() -> None:
    """So that fields can be added anywhere."""
    with pytest.raises(TypeError):
        Inner("word")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        (str, "text"),
        (int, "whole number"),
        (float, "number"),
        (bool, "true or false"),
        (Any, "anything"),
        (list[str], "list of text"),
        (tuple[int, ...], "list of whole number"),
        (dict[str, list[str]], "map of list of text"),
        (Literal["a", "b"], "one of `a`, `b`"),
        (str | None, "text"),
        (Inner, "block"),
        (list[Outer], "list of block"),
    ],
)
def test_types_have_names_for_operators(declared: Any, name: str) -> None:
    """Every type that can be declared."""
    assert type_name(declared) == name


@pytest.mark.parametrize(
    "declared", [bytes, set[str], str | int, tuple[str, int], dict[int, str], Literal[1], list]
)
def test_other_types_are_refused_when_declared(declared: Any) -> None:
    """At start and by name, not when the first file happens to use them."""
    wrong = attrs.make_class("Wrong", {"field": attrs.field(type=declared)})
    with pytest.raises(TypeError, match=r"Wrong\.field: .* cannot be read from YAML"):
        check_section(wrong)


def test_a_top_level_block_must_do_without_its_key() -> None:
    """An absent section has defaults, so nothing in it can be required; items of lists may."""
    with pytest.raises(TypeError, match="Inner needs defaults for word"):
        check_section(Inner)
    check_section(list[Inner])
