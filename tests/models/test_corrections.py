"""``model-catalogue``: what an operator says of models, before catalogues and config entries."""

from __future__ import annotations

from typing import Any

import pytest

from ppap_core.config import KnownModel, ThinkingRange
from ppap_core.conversation import ThinkingSupport
from ppap_core.credentials import Credential
from ppap_core.models import Corrections, Model

LEVELS = ThinkingSupport(levels=("low", "high"))


def account(**more: Any) -> Credential:
    return Credential(**{"id": "a", "provider": "parrot", "label": "Parrots", "settings": None, **more})


def applied(model: Model, *entries: KnownModel, credential: Credential | None = None) -> list[Model]:
    return Corrections(entries).applied(credential or account(), [model])


def test_what_is_said_goes_before_the_catalogue() -> None:
    """What is not said stays."""
    known = Model(
        id="m",
        upstream=("m",),
        display_name="Em",
        created=7,
        max_input_tokens=1,
        max_output_tokens=2,
        thinking=LEVELS,
    )
    (model,) = applied(known, KnownModel(id="M", context=9, thinking=ThinkingRange(min=1, max=5)))
    assert (model.id, model.display_name, model.created) == ("m", "Em", 7)
    assert (model.max_input_tokens, model.max_output_tokens) == (9, 2)
    assert model.thinking == ThinkingSupport(min=1, max=5)
    (model,) = applied(known, KnownModel(id="m", display_name="Emma", max_output=3, image_only=True))
    assert (model.display_name, model.max_output_tokens, model.image_only) == ("Emma", 3, True)
    assert model.thinking == LEVELS
    (model,) = applied(known, KnownModel(id="m", thinking=ThinkingRange()))
    assert model.thinking == ThinkingSupport()


@pytest.mark.parametrize(
    ("upstream", "concerned"),
    [("m", True), ("m(high)", True), ("m(8192)", True), ("n", False), ("m-high", False), ("alias", False)],
)
def test_it_is_about_the_upstreams_name(upstream: str, concerned: bool) -> None:
    """Under whatever name clients know it: an entry's ``models`` are meant as well."""
    (model,) = applied(
        Model(id="alias", upstream=(upstream,), configured=True), KnownModel(id="m", context=9)
    )
    assert model.max_input_tokens == (9 if concerned else None)


def test_levels_that_are_said_tell_how_a_name_ends() -> None:
    """A configured ``m-high`` is ``m`` with a level, once ``m`` is known to have it (D.3)."""
    entry = KnownModel(id="m", thinking=ThinkingRange(levels=("high",)))
    (model,) = applied(Model(id="deep", upstream=("m-high",), configured=True), entry)
    assert (model.upstream, model.thinking) == (("m(high)",), ThinkingSupport(levels=("high",)))
    (other,) = applied(Model(id="m-high", upstream=("m-high",), thinking=ThinkingSupport()), entry)
    assert (other.upstream, other.thinking) == (("m-high",), ThinkingSupport())


@pytest.mark.parametrize(
    ("provider", "concerned"),
    [("", True), ("parrot", True), ("parrots", True), ("nest", True), ("cage", False)],
)
def test_it_may_be_about_one_provider(provider: str, concerned: bool) -> None:
    """By its name, by that of an entry, or by the channel of its accounts."""
    entry = KnownModel(id="m", provider=provider, context=9)
    (model,) = applied(Model(id="m", upstream=("m",)), entry, credential=account(channel="nest"))
    assert model.max_input_tokens == (9 if concerned else None)


def test_the_later_of_two_entries_counts() -> None:
    entries = (KnownModel(id="m", context=1, max_output=1), KnownModel(id="m", provider="parrot", context=2))
    (model,) = applied(Model(id="m", upstream=("m",)), *entries)
    assert (model.max_input_tokens, model.max_output_tokens) == (2, 1)


@pytest.mark.parametrize(
    ("served", "provider", "added"),
    [
        ([Model(id="m", upstream=("m",), owner="o")], "parrot", True),
        ([Model(id="m", upstream=("m",), owner="o")], "", False),
        ([Model(id="m", upstream=("m",), owner="o", configured=True)], "parrot", False),
        ([], "parrot", False),
    ],
)
def test_a_new_model_is_added_where_the_catalogue_serves(
    served: list[Model], provider: str, added: bool
) -> None:
    """Only to those that list no models of their own; and what was of no use is known."""
    corrections = Corrections((KnownModel(id="new", provider=provider, context=9),))
    models = corrections.applied(account(), served)
    assert corrections.unused == ([] if added else [0])
    if added:
        assert models[1:] == [Model(id="new", upstream=("new",), owner="o", max_input_tokens=9)]
    else:
        assert models == served
