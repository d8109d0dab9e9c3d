"""From what credentials serve to what clients can ask for (client API spec, 9.5).

Exclusions, then aliases, then prefixes, then a name for each level of thinking; a name that somebody
gave to a model outranks one of ours.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import attrs

from ..config import ModelAlias
from ..conversation.thinking import intent_of
from ..credentials import Candidate, Credential, Route
from ..wire.format import Target
from .aliases import renamed
from .index import ListedModel, ModelIndex
from .model import Model
from .patterns import matcher
from .suffix import HYPHENED, upstream_name

log = logging.getLogger("ppap.models")

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@attrs.frozen
class _Offer:
    """One way to serve one name."""

    listed: ListedModel
    candidate: Candidate

    @property
    def key(self) -> str:
        return self.listed.id.casefold()


def build_index(
    served: Sequence[tuple[Credential, Sequence[Model]]],
    *,
    force_prefix: bool,
    aliases: Mapping[str, Sequence[ModelAlias]] = _NOTHING,
    excluded: Mapping[str, Sequence[str]] = _NOTHING,
) -> ModelIndex:
    """The index over every credential and its models.

    aliases, excluded: by channel, for credentials that have one.
    """
    sizes = Counter(credential.group for credential, _ in served)
    named: list[_Offer] = []
    levels: list[_Offer] = []
    for credential, models in served:
        place = (-sizes[credential.group], f"{credential.group}\0{credential.id}")
        hidden = matcher((*credential.excluded_models, *excluded.get(credential.channel, ())))
        for model in renamed(_distinct(models, hidden), aliases.get(credential.channel, ())):
            candidate = Candidate(credential, _targets(credential, model), place)
            if not candidate.targets:
                continue
            for name in _client_names(credential, model.id, force_prefix):
                offer = _Offer(_listed(name, model, candidate), candidate)
                named.append(offer)
                levels += _with_levels(offer, model, hidden)
    taken = {offer.key for offer in named}
    return _index([*named, *(offer for offer in levels if offer.key not in taken)])


def _index(offers: Sequence[_Offer]) -> ModelIndex:
    """What is shown of a model is what was said of it last (client API spec, 9.0)."""
    candidates: dict[str, list[Candidate]] = {}
    models: dict[str, ListedModel] = {}
    for offer in offers:
        candidates.setdefault(offer.key, []).append(offer.candidate)
        models[offer.key] = offer.listed
    in_order = sorted(models, key=lambda key: models[key].id)
    return ModelIndex(
        routes={
            key: Route(models[key].id, tuple(_sorted(candidates[key])), models[key].base) for key in in_order
        },
        models={key: models[key] for key in in_order},
    )


def _distinct(models: Sequence[Model], excluded: Callable[[str], bool]) -> Iterator[Model]:
    """Those that are not excluded, the first of each name."""
    seen: set[str] = set()
    for model in models:
        if model.id.casefold() not in seen and not excluded(model.id):
            seen.add(model.id.casefold())
            yield model


def _client_names(credential: Credential, model: str, force_prefix: bool) -> list[str]:
    """With and without the credential's prefix, as ``force-model-prefix`` wants it (4.3)."""
    if not credential.prefix:
        return [model]
    prefixed = f"{credential.prefix}/{model}"
    return [prefixed] if force_prefix and credential.prefix != model else [model, prefixed]


def _targets(credential: Credential, model: Model) -> tuple[Target, ...]:
    """The upstream models, without those whose name fixes a level that the model lacks (D.3)."""
    targets: list[Target] = []
    for name in model.upstream:
        upstream = upstream_name(name)
        levels = model.thinking.levels if model.thinking is not None else ()
        if levels and upstream.intent.mode == "level" and upstream.intent.level not in levels:
            log.warning(
                "%s: model %s is left out: its upstream %s has the levels %s",
                credential.label,
                model.id,
                name,
                ", ".join(levels),
            )
            continue
        targets.append(
            Target(
                model=upstream.base,
                max_output_tokens=model.max_output_tokens,
                thinking=model.thinking,
                intent=upstream.intent,
            )
        )
    return tuple(targets)


def _with_levels(offer: _Offer, model: Model, excluded: Callable[[str], bool]) -> Iterator[_Offer]:
    """The same model once per level that a hyphen may bring, unless its level is fixed (D.3)."""
    targets = offer.candidate.targets
    if model.thinking is None or _is_fixed(offer.candidate):
        return
    for level in HYPHENED:
        name = f"{offer.listed.id}-{level}"
        if level not in model.thinking.levels or excluded(name) or excluded(f"{model.id}-{level}"):
            continue
        listed = attrs.evolve(
            offer.listed,
            id=name,
            base=offer.listed.id,
            display_name=f"{offer.listed.display_name or offer.listed.id} {level.upper()}",
        )
        asked = tuple(attrs.evolve(target, intent=intent_of(level)) for target in targets)
        yield _Offer(listed, attrs.evolve(offer.candidate, targets=asked))


def _is_fixed(candidate: Candidate) -> bool:
    return any(target.intent.mode != "unset" for target in candidate.targets)


def _listed(name: str, model: Model, candidate: Candidate) -> ListedModel:
    """A model whose level is fixed is shown as one that cannot be told how much to think (6.5)."""
    return ListedModel(
        id=name,
        unprefixed=model.id,
        owner=model.owner,
        display_name=model.display_name,
        created=model.created,
        max_input_tokens=model.max_input_tokens,
        max_output_tokens=model.max_output_tokens,
        thinking=None if _is_fixed(candidate) else model.thinking,
        image_only=model.image_only,
    )


def _sorted(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda each: (-each.credential.priority, each.place))
