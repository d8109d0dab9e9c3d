"""Which models clients can ask for, and who serves each (auth spec, 6.3–6.7).

Computed once per reload; at request time, resolving a name is one dictionary look-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs

from ..credentials import Candidate, Credential, Route
from ..errors import InvalidRequest, ModelNotFound
from ..wire.format import Target
from .model import Model
from .patterns import matcher

AUTO = "auto"
"""The pseudo model that stands for the newest one available."""


@attrs.frozen(kw_only=True)
class ListedModel:
    """A model as clients see it in lists. Limits in tokens; ``created`` in Unix seconds."""

    id: str
    owner: str = ""
    display_name: str = ""
    created: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None


@attrs.frozen
class ModelIndex:
    """``routes`` is keyed by the case-folded id; ``listed`` is sorted by id."""

    routes: dict[str, Route]
    listed: Sequence[ListedModel]

    def resolve(self, model: str, available: Callable[[Route], bool]) -> Route:
        """The route of a client's model name.

        Raises `InvalidRequest` if the name is empty, `ModelNotFound` if nobody serves it.
        """
        route = self.routes.get(model.casefold())
        if route is None and model.casefold() == AUTO:
            route = self._newest(available)
        if route is not None:
            return route
        if not model:
            raise InvalidRequest("Invalid request: `model` is missing", param="model", code="model_not_found")
        raise ModelNotFound(
            f"The model {model!r} is not served here; GET /v1/models lists what is", param="model"
        )

    def _newest(self, available: Callable[[Route], bool]) -> Route | None:
        newest_first = sorted(self.listed, key=lambda model: -(model.created or 0))
        routes = (self.routes[model.id.casefold()] for model in newest_first)
        return next((route for route in routes if available(route)), None)


def build_index(served: Sequence[tuple[Credential, Sequence[Model]]], *, force_prefix: bool) -> ModelIndex:
    """The index over every credential and its models."""
    sizes = Counter(credential.label for credential, _ in served)
    offers: dict[str, list[Candidate]] = {}
    names: dict[str, ListedModel] = {}
    for credential, models in served:
        place = (-sizes[credential.label], f"{credential.label}\0{credential.id}")
        for model in _not_excluded(credential, models):
            targets = tuple(_target(model, upstream) for upstream in model.upstream)
            for name in _client_names(credential, model.id, force_prefix):
                offers.setdefault(name.casefold(), []).append(Candidate(credential, targets, place))
                names.setdefault(name.casefold(), _listed(name, model))
    return ModelIndex(
        routes={key: Route(names[key].id, tuple(_sorted(offered))) for key, offered in offers.items()},
        listed=tuple(sorted(names.values(), key=lambda model: model.id)),
    )


def _not_excluded(credential: Credential, models: Sequence[Model]) -> Iterator[Model]:
    excluded = matcher(credential.excluded_models)
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


def _target(model: Model, upstream: str) -> Target:
    return Target(model=upstream, max_output_tokens=model.max_output_tokens, thinking=model.thinking)


def _listed(name: str, model: Model) -> ListedModel:
    return ListedModel(
        id=name,
        owner=model.owner,
        display_name=model.display_name,
        created=model.created,
        max_input_tokens=model.max_input_tokens,
        max_output_tokens=model.max_output_tokens,
    )


def _sorted(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda each: (-each.credential.priority, each.place))
