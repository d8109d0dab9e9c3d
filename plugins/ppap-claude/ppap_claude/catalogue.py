"""Anthropic's models as far as they are known: a data file, read once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

import attrs
import msgspec

from ppap_core.models import Model


class _Entry(msgspec.Struct):
    """``thinking`` without keys: the model does not think. Limits in tokens, ``created`` in Unix seconds."""

    id: str
    display_name: str
    context: int
    max_output: int
    created: int
    thinking: dict[str, Any]


class _Catalogue(msgspec.Struct):
    """``date``: when ``source`` was read."""

    source: str
    date: str
    owner: str
    models: list[_Entry]


def _load() -> Mapping[str, Model]:
    text = resources.files(__package__).joinpath("models.json").read_bytes()
    catalogue = msgspec.json.decode(text, type=_Catalogue)
    return {entry.id: _model(entry, catalogue.owner) for entry in catalogue.models}


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


CATALOGUE: Final[Mapping[str, Model]] = _load()
OWNER: Final = "anthropic"


def configured(client_name: str, upstream_name: str) -> Model:
    """A model from a config entry; the catalogue says what it can do, if it knows the upstream's name."""
    known = CATALOGUE.get(upstream_name) or Model(id=client_name, upstream=(upstream_name,), owner=OWNER)
    return attrs.evolve(known, id=client_name, upstream=(upstream_name,), display_name=upstream_name)
