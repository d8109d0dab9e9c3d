"""From what credentials serve to what clients can ask for (client API spec, 9.5).

Exclusions, then prefixes, then a name for each level of thinking; a name that somebody gave to a
model outranks one of ours.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs

from ..conversation.thinking import intent_of
from ..credentials import Candidate, Credential, Route
from ..wire.format import Target
from .index import ListedModel, ModelIndex
from .model import Model
from .patterns import matcher
from .suffix import HYPHENED, upstream_name

log = logging.getLogger("ppap.models")


@attrs.frozen
class _Offer:
    """One way to serve one name."""

    listed: ListedModel
    candidate: Candidate

    @property
    def key(self) -> str:
        return self.listed.id.casefold()


def build_index(served: Sequence[tuple[Credential, Sequence[Model]]], *, force_prefix: bool) -> ModelIndex:
    """The index over every credential and its models."""
    sizes = Counter(credential.label for credential, _ in served)
    named: list[_Offer] = []
    levels: list[_Offer] = []
    for credential, models in served:
        place = (-sizes[credential.label], f"{credential.label}\0{credential.id}")
        excluded = matcher(credential.excluded_models)
        for model in _distinct(models, excluded):
            candidate = Candidate(credential, _targets(credential, model), place)
            if not candidate.targets:
                continue
            for name in _client_names(credential, model.id, force_prefix):
                offer = _Offer(_listed(name, model), candidate)
                named.append(offer)
                levels += _with_levels(offer, model, excluded)
    taken = {offer.key for offer in named}
    return _index([*named, *(offer for offer in levels if offer.key not in taken)])


def _index(offers: Sequence[_Offer]) -> ModelIndex:
    candidates: dict[str, list[Candidate]] = {}
    listed: dict[str, ListedModel] = {}
    for offer in offers:
        candidates.setdefault(offer.key, []).append(offer.candidate)
        listed.setdefault(offer.key, offer.listed)
    return ModelIndex(
        routes={key: Route(listed[key].id, tuple(_sorted(offered))) for key, offered in candidates.items()},
        listed=tuple(sorted(listed.values(), key=_place_in_list)),
    )


def _place_in_list(model: ListedModel) -> tuple[str, int]:
    """By id, and the levels of a model in ascending order right after it."""
    if not model.base:
        return model.id, 0
    return model.base, 1 + HYPHENED.index(model.id[len(model.base) + 1 :])


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
    if model.thinking is None or any(target.intent.mode != "unset" for target in targets):
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


def _listed(name: str, model: Model) -> ListedModel:
    return ListedModel(
        id=name,
        owner=model.owner,
        display_name=model.display_name,
        created=model.created,
        max_input_tokens=model.max_input_tokens,
        max_output_tokens=model.max_output_tokens,
        thinking=model.thinking,
    )


def _sorted(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda each: (-each.credential.priority, each.place))
