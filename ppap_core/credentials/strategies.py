"""Choosing one of several ready credentials (auth spec, 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import attrs

from ..wire.format import Target
from .credential import Credential


@attrs.frozen
class Candidate:
    """A credential that serves a model, and the upstream models it would use, in pool order.

    ``place`` orders candidates of equal priority: providers with more credentials first, then by
    name, then by credential id.
    """

    credential: Credential
    targets: Sequence[Target]
    place: tuple[int, str]


Strategy: TypeAlias = Callable[[Sequence[Candidate], Candidate | None], Candidate]
"""Chooses one of the ready candidates, which are of one priority and sorted by ``place``.

The second argument is the candidate chosen last for this model and priority, which need not be
ready now, nor exist any more; ``None`` at first. A strategy is pure: same arguments, same choice.
"""


def round_robin(ready: Sequence[Candidate], last: Candidate | None) -> Candidate:
    """The next one after the last; skipped ones do not make anybody lose their turn."""
    if last is None:
        return ready[0]
    return next((candidate for candidate in ready if candidate.place > last.place), ready[0])


def fill_first(ready: Sequence[Candidate], last: Candidate | None) -> Candidate:
    """Always the first ready one: the others are kept in reserve."""
    return ready[0]


STRATEGIES: Mapping[str, Strategy] = {"round-robin": round_robin, "fill-first": fill_first}
