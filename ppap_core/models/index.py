"""Which models clients can ask for, and who serves each (auth spec, 6.3–6.7).

Computed once per reload; at request time, resolving a name is one dictionary look-up, and a few
more for a name that says how much to think.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from ..conversation import ThinkingIntent, ThinkingSupport
from ..conversation.thinking import UNSET
from ..credentials import Route
from ..errors import InvalidRequest, ModelNotFound
from .suffix import SuffixedName, hyphened, parenthesised

AUTO = "auto"
"""The pseudo model that stands for the newest one available."""


@attrs.frozen(kw_only=True)
class ListedModel:
    """A model as clients see it in lists. Limits in tokens; ``created`` in Unix seconds.

    ``base`` is the id of the model that this one is with a fixed level of thinking; empty for
    models that somebody named.
    """

    id: str
    owner: str = ""
    display_name: str = ""
    created: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    thinking: ThinkingSupport | None = None
    base: str = ""


@attrs.frozen
class Asked:
    """What a client's model name means: who can serve it, and how much it says to think.

    ``intent`` gives way to that of a target, whose upstream name or level is part of its own.
    """

    route: Route
    intent: ThinkingIntent = UNSET


@attrs.frozen
class ModelIndex:
    """``routes`` is keyed by the case-folded id; ``listed`` is sorted by id, levels after their base."""

    routes: dict[str, Route]
    listed: Sequence[ListedModel]

    def resolve(self, model: str, available: Callable[[Route], bool]) -> Asked:
        """What a client's model name means; the name as a whole outranks any reading of its parts.

        Raises `InvalidRequest` if the name is empty, or ends in a level that the model lacks;
        `ModelNotFound` if nobody serves it.
        """
        route = self._route(model, available)
        if route is not None:
            return Asked(route)
        named = parenthesised(model)
        if named is not None and (route := self._route(named.base, available)) is not None:
            return Asked(route, named.intent)
        named = hyphened(model)
        if named is not None and (asked := self._with_level(named, available)) is not None:
            return asked
        if not model:
            raise InvalidRequest("Invalid request: `model` is missing", param="model", code="model_not_found")
        raise ModelNotFound(
            f"The model {model!r} is not served here; GET /v1/models lists what is", param="model"
        )

    def _route(self, name: str, available: Callable[[Route], bool]) -> Route | None:
        key = name.casefold()
        route = self.routes.get(key)
        return self._newest(available) if route is None and key == AUTO else route

    def _newest(self, available: Callable[[Route], bool]) -> Route | None:
        named = (model for model in self.listed if not model.base)
        newest_first = sorted(named, key=lambda model: -(model.created or 0))
        routes = (self.routes[model.id.casefold()] for model in newest_first)
        return next((route for route in routes if available(route)), None)

    def _with_level(self, named: SuffixedName, available: Callable[[Route], bool]) -> Asked | None:
        """A level behind a hyphen, where no model has that name: ``auto``'s, or a fixed or wrong one.

        The right ones are models of their own in the index. A model whose level is fixed keeps it.
        """
        route = self._route(named.base, available)
        if route is None:
            return None
        if named.base.casefold() == AUTO:
            return Asked(route, named.intent)
        targets = [target for candidate in route.candidates for target in candidate.targets]
        if all(target.intent.mode != "unset" for target in targets):
            return Asked(route)
        supports = [target.thinking for target in targets if target.thinking is not None]
        levels = dict.fromkeys(level for support in supports for level in support.levels)
        if not levels or named.intent.level in levels:
            return None
        raise InvalidRequest(
            f'level "{named.intent.level}" not supported, valid levels: {", ".join(levels)}',
            param="model",
            code="level_not_supported",
        )
