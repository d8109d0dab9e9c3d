"""How models are listed: one set of models, several shapes on one path (client API spec, 9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from ..wire.format import ClientWire
from .index import ListedModel


@attrs.frozen(kw_only=True)
class ModelList:
    """One shape of the list on ``path``.

    Of several shapes on a path the first whose ``applies(headers, query)`` holds is used (header
    names in lower case); if none does, the one marked ``fallback``, else the first. ``wire`` is
    the dialect of refusals. ``render_one`` answers for ``path``/{id}.
    """

    path: str
    wire: ClientWire
    applies: Callable[[Mapping[str, str], Mapping[str, str]], bool]
    render: Callable[[Sequence[ListedModel]], bytes]
    render_one: Callable[[ListedModel], bytes]
    fallback: bool = False


def shape_for(shapes: Sequence[ModelList], headers: Mapping[str, str], query: Mapping[str, str]) -> ModelList:
    """The shape this client gets; `shapes` is not empty."""
    for shape in shapes:
        if shape.applies(headers, query):
            return shape
    return next((shape for shape in shapes if shape.fallback), shapes[0])
