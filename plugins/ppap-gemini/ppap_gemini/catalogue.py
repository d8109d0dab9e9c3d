"""Google's models as far as they are known: a data file, read once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Final

import attrs
import msgspec

from ppap_core.conversation import ThinkingSupport
from ppap_core.models import Model


class _Entry(msgspec.Struct):
    """``thinking`` without keys: the model does not think. Limits in tokens, ``created`` in Unix seconds.

    ``of`` names the providers that serve it; where they differ, an id has several entries.
    """

    id: str
    of: list[str]
    display_name: str
    created: int
    thinking: ThinkingSupport
    context: int | None = None
    max_output: int | None = None


class _Catalogue(msgspec.Struct):
    """``date``: when ``source`` was read."""

    source: str
    date: str
    owner: str
    models: list[_Entry]


def _load() -> Mapping[str, Mapping[str, Model]]:
    text = resources.files(__package__).joinpath("models.json").read_bytes()
    catalogue = msgspec.json.decode(text, type=_Catalogue)
    found: dict[str, dict[str, Model]] = {}
    for entry in catalogue.models:
        for provider in entry.of:
            found.setdefault(provider, {})[entry.id] = _model(entry, catalogue.owner)
    return found


def _model(entry: _Entry, owner: str) -> Model:
    return Model(
        id=entry.id,
        upstream=(entry.id,),
        owner=owner,
        display_name=entry.display_name,
        created=entry.created,
        max_input_tokens=entry.context,
        max_output_tokens=entry.max_output,
        thinking=entry.thinking,
    )


CATALOGUE: Final[Mapping[str, Mapping[str, Model]]] = _load()
"""Provider → id → model."""
OWNER: Final = "google"


def configured(provider: str, client_name: str, upstream_name: str) -> Model:
    """A model from a config entry; the catalogue says what it can do, if it knows the upstream's name."""
    known = CATALOGUE[provider].get(upstream_name)
    if known is None:
        known = Model(id=client_name, upstream=(upstream_name,), owner=OWNER)
    return attrs.evolve(known, id=client_name, upstream=(upstream_name,), display_name=upstream_name)
