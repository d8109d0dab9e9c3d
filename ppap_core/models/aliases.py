"""``oauth-model-alias`` of config.yaml: other names for the models of logged-in accounts (auth spec, 6.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from ..config import ModelAlias
from .model import Model
from .suffix import SuffixedName, hyphened, parenthesised, upstream_name


def renamed(models: Iterable[Model], aliases: Sequence[ModelAlias]) -> Iterator[Model]:
    """The models under the names that clients know them by; of two with one name the first.

    A model goes by its aliases, and by its own name only if one of them is a fork, or none was left
    for it. An alias with a fixed level of thinking is one more name.
    """
    by_id = {model.id.casefold(): model for model in models}
    names: dict[str, list[ModelAlias]] = {}
    fixed: dict[str, list[Model]] = {}
    for alias in aliases:
        key = alias.name.casefold()
        if key in by_id:
            names.setdefault(key, []).append(alias)
        elif (found := _fixed(alias, by_id)) is not None:
            base, model = found
            fixed.setdefault(base, []).append(model)
    taken: set[str] = set()
    for key, model in by_id.items():
        own = names.get(key, ())
        keeps_its_name = not own or any(alias.fork for alias in own)
        shown = [model] if keeps_its_name else []
        shown += [attrs.evolve(model, id=alias.alias) for alias in own]
        fresh = _fresh(shown, taken) or _fresh([model], taken)
        yield from fresh
        yield from _fresh(fixed.get(key, ()), taken)


def _fresh(models: Iterable[Model], taken: set[str]) -> list[Model]:
    """Those whose names are not taken, which they then are."""
    fresh: list[Model] = []
    for model in models:
        if model.id.casefold() not in taken:
            taken.add(model.id.casefold())
            fresh.append(model)
    return fresh


def _fixed(alias: ModelAlias, by_id: Mapping[str, Model]) -> tuple[str, Model] | None:
    """The model that an alias fixes the thinking of, by key, and what it makes of it; ``None``: nothing.

    A name with a level counts only if the model has that level.
    """
    found = parenthesised(alias.name) or hyphened(alias.name)
    if found is None or (base := by_id.get(found.base.casefold())) is None or base.thinking is None:
        return None
    if found.intent.mode == "unset":
        return None
    if found.intent.mode == "level" and found.intent.level not in base.thinking.levels:
        return None
    upstream = tuple(_asking(name, found) for name in base.upstream)
    return base.id.casefold(), attrs.evolve(base, id=alias.alias, upstream=upstream)


def _asking(upstream: str, wanted: SuffixedName) -> str:
    """The upstream's name with what is wanted of it; what it says itself stays."""
    own = upstream_name(upstream)
    return upstream if own.intent.mode != "unset" else f"{upstream}({wanted.value})"
