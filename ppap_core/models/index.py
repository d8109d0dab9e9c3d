"""Which models clients can ask for, and who serves each (auth spec, 6.3–6.7).

Computed once per reload; at request time, resolving a name is one dictionary look-up, and a few
more for a name that says how much to think.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

import attrs

from ..conversation import ThinkingIntent, ThinkingSupport
from ..conversation.thinking import LEVELS, UNSET
from ..credentials import Candidate, Route
from ..errors import InvalidRequest, ModelNotFound
from .suffix import SuffixedName, hyphened, parenthesised

AUTO: Final = "auto"
"""The pseudo model that stands for the newest one available."""

Test: TypeAlias = Callable[[Route], bool]


@attrs.frozen(kw_only=True)
class ListedModel:
    """A model as clients see it in lists. Limits in tokens; ``created`` in Unix seconds.

    ``base`` is the id of the model that this one is with a fixed level of thinking; empty for
    models that somebody named. ``unprefixed`` is what the model is called without the prefix of its
    credential, and without such a level.
    """

    id: str
    unprefixed: str
    owner: str = ""
    display_name: str = ""
    created: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    thinking: ThinkingSupport | None = None
    image_only: bool = False
    base: str = ""

    def names(self, intent: ThinkingIntent = UNSET) -> tuple[str, ...]:
        """All that the model goes by: as listed, without level, without prefix, with neither.

        `intent` is what was asked of it by name, which may be a level that is listed as well.
        """
        bare = (self.base or self.id, self.unprefixed)
        level = self.id[len(self.base) + 1 :] if self.base else intent.level
        levels = [f"{name}-{level}" for name in bare] if level else []
        return tuple(dict.fromkeys((*bare, *levels)))


@attrs.frozen
class Asked:
    """What a client's model name means: who can serve it, and how much it says to think.

    ``intent`` gives way to that of a target, whose upstream name or level is part of its own.
    """

    route: Route
    model: ListedModel
    intent: ThinkingIntent = UNSET


@attrs.frozen
class ModelIndex:
    """Both are keyed by the case-folded id; ``models`` is sorted by id."""

    routes: Mapping[str, Route]
    models: Mapping[str, ListedModel]
    _narrowed: dict[tuple[str, str], Route] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    @property
    def listed(self) -> tuple[ListedModel, ...]:
        return tuple(self.models.values())

    def route_of(self, model: ListedModel) -> Route:
        return self.routes[model.id.casefold()]

    def resolve(self, model: str, available: Test, preferred: Test = lambda route: False) -> Asked:
        """What a client's model name means; the name as a whole outranks any reading of its parts.

        ``auto`` is the newest model that is `available`, of those that are `preferred` if there are any.

        Raises `InvalidRequest` if the name is empty, or ends in a level that the model lacks or nobody
        knows; `ModelNotFound` if nobody serves it.
        """
        key = model.casefold()
        route = self.routes.get(key)
        if route is not None:  # nearly every request
            return Asked(route, self.models[key])
        search = _Search(self, available, preferred)
        if (asked := search.of(model)) is not None:
            return asked
        named = parenthesised(model)
        if named is not None and (asked := search.of(named.base, named.intent)) is not None:
            if named.intent.mode == "unset" and named.value.isalpha():
                _refuse_word(named.value, asked.route)
            return asked
        named = hyphened(model)
        if named is not None and (asked := search.with_level(named)) is not None:
            return asked
        if not model:
            raise InvalidRequest("Invalid request: `model` is missing", param="model", code="model_not_found")
        raise ModelNotFound(
            f"The model {model!r} is not served here; GET /v1/models lists what is", param="model"
        )

    def able(self, route: Route, intent: ThinkingIntent) -> Route:
        """The route over those who know the level that is asked for, if anybody does; else as it is.

        Providers of one model may differ in what it can, or in what is known of that.
        """
        level = intent.level
        if intent.mode != "level" or level not in LEVELS or len(route.candidates) == 1:
            return route
        key = (route.model.casefold(), level)
        found = self._narrowed.get(key)
        if found is None:
            able = tuple(candidate for candidate in route.candidates if _knows(candidate, level))
            narrows = 0 < len(able) < len(route.candidates)
            found = self._narrowed[key] = attrs.evolve(route, candidates=able) if narrows else route
        return found


def _knows(candidate: Candidate, level: str) -> bool:
    """Also if it takes tokens instead, or nobody said what it takes, or it has its own fixed level."""
    return any(
        target.intent.mode != "unset"
        or target.thinking is None
        or (level in target.thinking.levels or (target.thinking.by_budget and not target.thinking.levels))
        for target in candidate.targets
    )


@attrs.frozen
class _Search:
    """One look-up in an index."""

    index: ModelIndex
    available: Test
    preferred: Test

    def of(self, name: str, intent: ThinkingIntent = UNSET) -> Asked | None:
        key = name.casefold()
        route = self.index.routes.get(key)
        if route is not None:
            return Asked(route, self.index.models[key], intent)
        return self._newest(intent) if key == AUTO else None

    def _newest(self, intent: ThinkingIntent) -> Asked | None:
        """Not a model with a level, which is another model too, nor one that cannot write."""
        able = [model for model in self.index.listed if not (model.base or model.image_only)]
        newest_first = sorted(able, key=lambda model: -(model.created or 0))
        ready = [
            Asked(route, model, intent)
            for model in newest_first
            if self.available(route := self.index.route_of(model))
        ]
        return next((asked for asked in ready if self.preferred(asked.route)), ready[0] if ready else None)

    def with_level(self, named: SuffixedName) -> Asked | None:
        """A level behind a hyphen, where no model has that name: ``auto``'s, or a fixed or wrong one.

        The right ones are models of their own in the index. A model whose level is fixed keeps it.
        """
        asked = self.of(named.base)
        if asked is None:
            return None
        if named.base.casefold() == AUTO:
            return attrs.evolve(asked, intent=named.intent)
        targets = [target for candidate in asked.route.candidates for target in candidate.targets]
        if all(target.intent.mode != "unset" for target in targets):
            return asked
        levels = _levels_of(asked.route)
        if not levels or named.intent.level in levels:
            return None
        raise InvalidRequest(
            f'level "{named.intent.level}" not supported, valid levels: {", ".join(levels)}',
            param="model",
            code="level_not_supported",
        )


def _refuse_word(word: str, route: Route) -> None:
    """A word in parentheses that is no level: left unsaid, it would look as if it had been heard (pain 26).

    Raises `InvalidRequest` where the model has levels; elsewhere it says nothing (translation spec, D.2).
    """
    if levels := _levels_of(route):
        raise InvalidRequest(
            f"unknown level: {word}, valid levels: {', '.join(levels)}", param="model", code="unknown_level"
        )


def _levels_of(route: Route) -> Collection[str]:
    """All that anybody knows who serves it."""
    targets = (target for candidate in route.candidates for target in candidate.targets)
    supports = [target.thinking for target in targets if target.thinking is not None]
    return dict.fromkeys(level for support in supports for level in support.levels)
