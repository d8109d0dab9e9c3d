"""What is known of a maker's models: a data file in its plugin, read once (auth spec, 6.1).

    {"source": "where it was read", "date": "and when", "owner": "parrot-inc", "models": [
      {"id": "parrot-1", "of": ["parrot"], "display_name": "Parrot 1", "created": 1759276800,
       "context": 200000, "max_output": 64000, "thinking": {"levels": ["low", "high"]}}]}

``of`` names the sections that an entry belongs to: providers, or plans, that serve it; where they
differ, an id has several entries. ``thinking`` without keys: the model does not think. Limits are in
tokens, ``created`` in Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources

import attrs
import msgspec

from ..conversation import ThinkingSupport
from ..credentials import ModelEntry
from .model import Model
from .suffix import upstream_name


class InvalidCatalogue(ValueError):
    """A data file is not a catalogue; the message says where and why."""


class _Entry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    id: str
    of: list[str]
    display_name: str
    thinking: ThinkingSupport
    created: int | None = None
    context: int | None = None
    max_output: int | None = None
    image_only: bool = False

    def model(self, owner: str) -> Model:
        return Model(
            id=self.id,
            upstream=(self.id,),
            owner=owner,
            display_name=self.display_name,
            created=self.created,
            max_input_tokens=self.context,
            max_output_tokens=self.max_output,
            thinking=self.thinking,
            image_only=self.image_only,
        )


class _File(msgspec.Struct, forbid_unknown_fields=True):
    source: str
    date: str
    owner: str
    models: list[_Entry]


@attrs.frozen
class Catalogue:
    """``source`` and ``date`` (of reading it) say how far to trust it.

    ``sections``: section → case-folded id → model.
    """

    source: str
    date: str
    owner: str
    sections: Mapping[str, Mapping[str, Model]]

    @classmethod
    def read(cls, package: str, name: str = "models.json") -> Catalogue:
        """The data file of a package. Raises `InvalidCatalogue`."""
        return cls.parse(resources.files(package).joinpath(name).read_bytes(), f"{package}/{name}")

    @classmethod
    def parse(cls, text: bytes, place: str) -> Catalogue:
        """The catalogue in `text`; messages call it `place`. Raises `InvalidCatalogue`."""
        try:
            file = msgspec.json.decode(text, type=_File)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidCatalogue(f"{place}: {error}") from None
        sections: dict[str, dict[str, Model]] = {}
        for entry in file.models:
            if not entry.id.strip() or not entry.of:
                raise InvalidCatalogue(f"{place}: {entry.id!r}: a model needs an id and a section")
            for section in entry.of:
                models = sections.setdefault(section, {})
                if entry.id.casefold() in models:
                    raise InvalidCatalogue(f"{place}: {entry.id!r} stands twice in section {section!r}")
                models[entry.id.casefold()] = entry.model(file.owner)
        if not sections:
            raise InvalidCatalogue(f"{place}: there are no models in it")
        return cls(file.source, file.date, file.owner, sections)

    def served(self, section: str, configured: Sequence[ModelEntry]) -> list[Model]:
        """The models that a config entry lists, the first of each client name; all if it lists none (6.3)."""
        if not configured:
            return list(self.sections[section].values())
        by_client_name: dict[str, Model] = {}
        for item in configured:
            model = self.configured(section, item.client_name, item.name)
            by_client_name.setdefault(model.id.casefold(), model)
        return list(by_client_name.values())

    def configured(self, section: str, client_name: str, name: str) -> Model:
        """A model from a config entry; the section says what it can do, if it knows the upstream's name.

        That `name` may end in a level or a budget, as `Model` has it.
        """
        known = self.sections[section]
        upstream = upstream_name(name, known)
        model = known.get(upstream.base.casefold()) or Model(id=client_name, upstream=(), owner=self.owner)
        return attrs.evolve(
            model, id=client_name, upstream=(str(upstream),), display_name=name, configured=True
        )
