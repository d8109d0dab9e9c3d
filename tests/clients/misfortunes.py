"""What can befall the answer of a model on its way to a client (clients, section 10, lines 13 and 32)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from ppap_core.testing import Answer, Fault, Framing, cut_after, in_band_error, whole

from ..dialects import Dialect
from .roads import TOLD_AS

Misfortune: TypeAlias = Callable[[Dialect, int, Answer], Answer]
"""Of a dialect, the number of an answer from 1, and the healthy answer: what comes instead."""
SAID: Final = "Not on a Sunday"
"""What an upstream says when it refuses."""


def none(dialect: Dialect, number: int, answer: Answer) -> Answer:
    """All is well."""
    return answer


def refused(status: int) -> Misfortune:
    """Every answer is a refusal."""
    return lambda dialect, number, answer: whole(dialect.error(status, SAID), status=status)


def _in_the_first_stream(fault: Callable[[Dialect, int], Fault]) -> Misfortune:
    """The first answer has a fault after its first word; what follows is healthy."""

    def befalls(dialect: Dialect, number: int, answer: Answer) -> Answer:
        if number > 1 or answer.framing is not Framing.CHUNKED:
            return answer
        return fault(dialect, _first_word(answer))(answer)

    return befalls


def _first_word(answer: Answer) -> int:
    """How many frames it takes until a word is out."""
    frames = [frame for frame in answer.frames if isinstance(frame, bytes)]
    return next(number for number, frame in enumerate(frames, 1) if b"The m" in frame)


def _error(dialect: Dialect, frames: int) -> bytes:
    """The frame of an error after so many others; in a format that numbers its frames, with its number."""
    return re.sub(rb'("sequence_number": )\d+', rb"\g<1>%d" % frames, dialect.in_band_error(SAID))


CUT: Final = _in_the_first_stream(lambda dialect, frames: cut_after(frames))
TOLD: Final = _in_the_first_stream(
    lambda dialect, frames: in_band_error(_error(dialect, frames), after=frames)
)

REFUSALS: Final[Mapping[str, int]] = {f"refused-{status}": status for status in (401, 429, 500, 503, 529)}
MISFORTUNES: Final[Mapping[str, Misfortune]] = {
    "marker": none,
    "cut": CUT,
    "told": TOLD,
    **{name: refused(status) for name, status in REFUSALS.items()},
}
SEEN_AS: Final[Mapping[str, str]] = {
    "cut": "told",
    **{f"refused-{status}": f"refused-{told}" for status, told in TOLD_AS.items()},
}
"""What befalls the proxy → what its client sees instead: a cut stream is told as an error."""
