"""Anthropic's models as far as they are known: a data file, read once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Final

import attrs
import msgspec

from ppap_core.conversation import ThinkingSupport
from ppap_core.models import Model, upstream_name


class _Entry(msgspec.Struct):
    """``thinking`` without keys: the model does not think. Limits in tokens, ``created`` in Unix seconds."""

    id: str
    display_name: str
    context: int
    max_output: int
    created: int
    thinking: ThinkingSupport


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
        thinking=_in_this_api(entry.thinking),
    )


def _in_this_api(thinking: ThinkingSupport) -> ThinkingSupport:
    """The API takes ``disabled`` for every model, and ``adaptive`` for those that know levels.

    Translation spec, D.4: step 11 and Better b.
    """
    return attrs.evolve(thinking, zero_allowed=thinking.thinks, dynamic_allowed=bool(thinking.levels))


CATALOGUE: Final[Mapping[str, Model]] = _load()
OWNER: Final = "anthropic"


def configured(client_name: str, name: str) -> Model:
    """A model from a config entry; the catalogue says what it can do, if it knows the upstream's name.

    That `name` may end in a level or a budget, as `ppap_core.models.Model` has it.
    """
    upstream = upstream_name(name, CATALOGUE)
    known = CATALOGUE.get(upstream.base) or Model(id=client_name, upstream=(), owner=OWNER)
    return attrs.evolve(known, id=client_name, upstream=(str(upstream),), display_name=name)
