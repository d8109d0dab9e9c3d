"""A client's stream on its last steps: mended, framed and guarded, as far as any of it is wanted."""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from ..wire.abilities import Framing, Reframed, ability
from ..wire.guard import Guarded, Mended, StreamGuard, StreamMender

if TYPE_CHECKING:
    from .exchange import Exchange

log = logging.getLogger("ppap.guard")
_REMEMBERED: Final = 100
_OUTLINE: Final = 1000
"""Characters of an outline that are logged."""
_STRING: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?', re.DOTALL)
_KEY: Final = re.compile(rb'"[A-Za-z_.]{1,40}"\s*:').fullmatch


class StreamViolations:
    """What guards have found since the start; for whoever counts and shows it.

    ``recent`` are the last ones, each with the name of its format, and hold no text of a stream.
    """

    def __init__(self) -> None:
        self.by_format: Counter[str] = Counter()
        self.recent: deque[str] = deque(maxlen=_REMEMBERED)

    def note(self, wire_name: str, found: list[str]) -> None:
        self.by_format[wire_name] += len(found)
        self.recent += [f"{wire_name}: {wrong}" for wrong in found]


class Outgoing:
    """What is between a stream path and one client. The guard sees what the client gets."""

    __slots__ = ("_exchange", "_framing", "_guard", "_mender")

    def __init__(
        self,
        exchange: Exchange,
        framing: Framing | None,
        guard: StreamGuard | None,
        mender: StreamMender | None,
    ) -> None:
        self._exchange = exchange
        self._framing = framing
        self._guard = guard
        self._mender = mender

    def write(self, data: bytes) -> bytes:
        """The bytes to send for one write of the path."""
        if self._mender is not None:
            data = self._mender.feed(data)
        if self._framing is not None:
            data = self._framing.feed(data)
        if self._guard is not None and (found := self._guard.feed(data)):
            self._exchange.note_violations(found, data)
        return data

    def end(self, data: bytes) -> bytes:
        """The last bytes to send, after which the stream is over."""
        data = self.write(data)
        last = b"" if self._mender is None else self._mender.close()
        if self._framing is not None:
            last = self._framing.feed(last) + self._framing.close()
        if self._guard is not None and (found := [*self._guard.feed(last), *self._guard.close()]):
            self._exchange.note_violations(found, last)
        if self._mender is not None and self._mender.mended:
            self._exchange.note_violations(self._mender.mended, b"")
        return data + last


def outgoing(exchange: Exchange) -> Outgoing | None:
    """What ``stream-guard`` and the format want of a stream that begins; ``None``: nothing."""
    wire, mode = exchange.wire, exchange.snapshot.config.core.stream_guard
    reframed = ability(wire, Reframed)
    guarded = ability(wire, Guarded) if mode != "off" else None
    mended = ability(wire, Mended) if mode == "repair" else None
    if not (reframed or guarded or mended):
        return None
    return Outgoing(
        exchange,
        reframed.framing() if reframed else None,
        guarded.stream_guard() if guarded else None,
        mended.stream_mender(exchange.model) if mended else None,
    )


def outline(data: bytes) -> str:
    """The shape of JSON in a stream: keys, numbers and the lengths of texts, never a text."""

    def measured(match: re.Match[bytes]) -> bytes:
        told = match.group()
        return told if _KEY(told) else b"<%d>%b" % (len(match.group(1)), match.group(2) or b"")

    return _STRING.sub(measured, data)[:_OUTLINE].decode("ascii", "replace")
