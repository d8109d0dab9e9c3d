"""Everything that upstreams are known to do wrong, by name (pains 11 to 14).

A fault takes a healthy answer and returns the broken one. Two tables hold them all, so that a test
of fallback is parametrised over a table and new faults reach it by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs

from .answer import Answer, Ending, Frame, Framing, Opening, whole

Fault: TypeAlias = Callable[[Answer], Answer]


def _opens(opening: Opening) -> Fault:
    return lambda answer: attrs.evolve(answer, opening=opening)


HEAD_FAULTS: Final[Mapping[str, Fault]] = {
    "slow_headers": _opens(Opening.SILENT),
    "half_head": _opens(Opening.HALF_HEAD),
    "garbage": _opens(Opening.GARBAGE),
    "close_before_reply": _opens(Opening.CLOSED),
    "reset_before_reply": _opens(Opening.RESET),
}
"""Faults before the head of an answer is complete."""


def cut_after(frames: int) -> Fault:
    """The connection is closed in the middle of the body, after so many frames."""
    return lambda answer: _broken_off(answer, frames, Ending.CLOSED)


def reset_after(frames: int) -> Fault:
    """The connection is reset in the middle of the body, after so many frames."""
    return lambda answer: _broken_off(answer, frames, Ending.RESET)


def stall_after(frames: int) -> Fault:
    """Nothing more comes after so many frames, and the connection stays open."""
    return lambda answer: _broken_off(answer, frames, Ending.STALLED)


def malformed_chunk_after(frames: int) -> Fault:
    """After so many frames comes something that is no chunk."""
    return lambda answer: _broken_off(answer, frames, Ending.MALFORMED_CHUNK)


def ends_after(frames: int) -> Fault:
    """A clean end of HTTP after so many frames, though the format's own end is missing."""
    return lambda answer: attrs.evolve(answer, frames=_first(answer, frames))


def garbage_after(frames: int) -> Fault:
    """Well-formed HTTP, but after so many frames the body is no longer in any format."""
    return lambda answer: attrs.evolve(answer, frames=(*_first(answer, frames), GARBAGE_FRAME))


STREAM_FAULTS: Final[Mapping[str, Callable[[int], Fault]]] = {
    "cut": cut_after,
    "reset": reset_after,
    "stall": stall_after,
    "malformed_chunk": malformed_chunk_after,
    "clean_end": ends_after,
    "garbage": garbage_after,
}
"""Faults in the body of a streamed answer, to be told after how many frames they come."""

GARBAGE_FRAME: Final = b"\x00\xff data: {not json\n\n"


def in_band_error(frame: bytes, after: int = 0) -> Fault:
    """On a 200, the format's own error frame instead of the rest; a clean end follows (pain 12)."""
    return lambda answer: attrs.evolve(answer, frames=(*_first(answer, after), frame))


def refusal(status: int, body: bytes = b"", *, retry_after: float | None = None) -> Fault:
    """A whole answer with an error status. ``retry_after`` is in seconds; ``None``: no such header."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return lambda _: whole(body, status=status, headers=headers)


def empty_stream(answer: Answer) -> Answer:
    """A 200 without a single byte of body."""
    return ends_after(0)(answer)


def _broken_off(answer: Answer, frames: int, ending: Ending) -> Answer:
    return attrs.evolve(answer, frames=_first(answer, frames), framing=Framing.CHUNKED, ending=ending)


def _first(answer: Answer, frames: int) -> tuple[Frame, ...]:
    """The answer up to its n-th frame; events to be waited for before that one stay in."""
    kept: list[Frame] = []
    left = frames
    for frame in answer.frames:
        if left == 0:
            break
        kept.append(frame)
        left -= isinstance(frame, bytes)
    return tuple(kept)
