"""Model catalogues: data files of plugins (auth spec, 6.1 and 6.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ppap_core.conversation import ThinkingSupport
from ppap_core.credentials import ModelEntry
from ppap_core.models import Catalogue, InvalidCatalogue


def entry(name: str, *of: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "of": of or ("p",), "display_name": name.upper(), "thinking": {}, **more}


def parsed(*models: dict[str, Any], **more: Any) -> Catalogue:
    file = {"source": "spec", "date": "2026-11-22", "owner": "o", "models": models, **more}
    return Catalogue.parse(json.dumps(file).encode(), "p/models.json")


def item(name: str, alias: str = "") -> ModelEntry:
    return ModelEntry(name=name, alias=alias)


def test_sections_have_entries_of_their_own() -> None:
    """Providers may serve one id and not the same of it."""
    catalogue = parsed(
        entry("m", "p", "q", context=9, max_output=8, created=7, thinking={"levels": ["low"]}),
        entry("n", "p"),
        entry("n", "q", thinking={"max": 5}, image_only=True),
    )
    assert (catalogue.source, catalogue.date, catalogue.owner) == ("spec", "2026-11-22", "o")
    assert {name: list(models) for name, models in catalogue.sections.items()} == {
        "p": ["m", "n"],
        "q": ["m", "n"],
    }
    model = catalogue.sections["q"]["m"]
    assert (model.id, model.upstream, model.owner, model.display_name) == ("m", ("m",), "o", "M")
    assert (model.max_input_tokens, model.max_output_tokens, model.created) == (9, 8, 7)
    assert model.thinking == ThinkingSupport(levels=("low",))
    assert catalogue.sections["p"]["n"].thinking == ThinkingSupport()
    assert catalogue.sections["q"]["n"].thinking == ThinkingSupport(max=5)
    assert [catalogue.sections[name]["n"].image_only for name in "pq"] == [False, True]


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ([], "there are no models in it"),
        ([entry("M"), entry("m", "q", "p")], "'m' stands twice in section 'p'"),
        ([entry(" ")], "' ': a model needs an id and a section"),
        ([{**entry("m"), "of": []}], "'m': a model needs an id and a section"),
        ([entry("m", contxt=1)], "contxt"),
        ([{"id": "m", "of": ["p"], "display_name": "M"}], "thinking"),
    ],
)
def test_what_is_no_catalogue_is_refused_as_a_whole(models: list[dict[str, Any]], reason: str) -> None:
    """With the file and the reason (auth spec, 6.1)."""
    with pytest.raises(InvalidCatalogue, match=reason) as refusal:
        parsed(*models)
    assert str(refusal.value).startswith("p/models.json: ")


def test_without_a_list_of_its_own_an_entry_serves_the_section() -> None:
    catalogue = parsed(entry("m"), entry("n", "q"))
    assert catalogue.served("p", []) == [catalogue.sections["p"]["m"]]


def test_a_list_replaces_the_section() -> None:
    """The first of each client name counts; what the upstream's name says is kept (6.3)."""
    catalogue = parsed(entry("M", created=7, context=9, thinking={"levels": ["low", "high"]}))
    listed = [item("m", "Fast"), item("other", "fast"), item("new"), item("m-high", "deep"), item("m-max")]
    fast, new, deep, odd = catalogue.served("p", listed)
    assert (fast.id, fast.upstream, fast.display_name, fast.max_input_tokens) == ("Fast", ("m",), "m", 9)
    assert (new.id, new.upstream, new.owner, new.thinking) == ("new", ("new",), "o", None)
    assert fast.created == 7
    assert (deep.id, deep.upstream, deep.thinking) == ("deep", ("m(high)",), fast.thinking)
    assert (odd.id, odd.upstream, odd.thinking) == ("m-max", ("m-max",), None)
    assert all(model.configured for model in (fast, new, deep, odd))
