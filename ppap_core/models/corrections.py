"""``model-catalogue`` of config.yaml: what an operator knows better than a catalogue, or earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..config import KnownModel
from ..credentials import Credential
from .model import Model
from .suffix import upstream_name


@attrs.define
class Corrections:
    """The entries in the file's order; of two about one thing the later counts. Made for one reading."""

    known: Sequence[KnownModel]
    _used: set[int] = attrs.field(factory=set, init=False)

    @property
    def unused(self) -> list[int]:
        """Places in ``known`` of entries that were of no use to any credential so far."""
        return [place for place in range(len(self.known)) if place not in self._used]

    def applied(self, credential: Credential, models: Sequence[Model]) -> list[Model]:
        """The models of a credential, corrected and with those that its catalogue does not know yet."""
        corrected = list(models)
        for place, entry in enumerate(self.known):
            if entry.provider and entry.provider not in _names(credential):
                continue
            found = [_corrected(model, entry) for model in corrected]
            if any(found):
                corrected = [new or old for new, old in zip(found, corrected, strict=True)]
            elif entry.provider and models and not any(model.configured for model in models):
                corrected.append(_new(entry, models[0].owner))
            else:
                continue
            self._used.add(place)
        return corrected


def _names(credential: Credential) -> set[str]:
    return {name.lower() for name in (credential.provider, credential.label, credential.channel)}


def _corrected(model: Model, entry: KnownModel) -> Model | None:
    """``None`` if the entry is about another model. Its levels may tell how an upstream's name ends."""
    levels = {entry.id.casefold(): _new(entry, "")} if model.thinking is None else {}
    names = [upstream_name(name, levels) for name in model.upstream]
    if not names or names[0].base.casefold() != entry.id.casefold():
        return None
    return attrs.evolve(model, upstream=tuple(map(str, names)), **_told(entry))


def _new(entry: KnownModel, owner: str) -> Model:
    return attrs.evolve(Model(id=entry.id, upstream=(entry.id,), owner=owner), **_told(entry))


def _told(entry: KnownModel) -> Mapping[str, Any]:
    """The fields of a `Model` that the entry says something about."""
    told = {
        "display_name": entry.display_name,
        "max_input_tokens": entry.context,
        "max_output_tokens": entry.max_output,
        "thinking": entry.thinking and entry.thinking.support,
        "image_only": entry.image_only,
    }
    return {name: value for name, value in told.items() if value is not None}
