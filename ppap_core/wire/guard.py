"""Strict readings of outgoing streams: what a client may rely on, whichever client it is.

Real clients are lenient in different places, so a guard demands everything that any of them needs.
It is the oracle of the tests, and at run time counts what upstreams break (``stream-guard``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final, Protocol, TypeAlias, runtime_checkable

import attrs
import msgspec

from ..errors import MalformedStream
from .alike import Alike
from .sse import FrameSplitter

JsonObject: TypeAlias = dict[str, Any]


class StreamGuard(Protocol):
    """Fed with what is sent to one client, in any cuts.

    Violations are words of the guard's own, and never hold text of the stream: they are logged.
    """

    def feed(self, data: bytes) -> list[str]:
        """The violations in the events that these bytes complete. Never raises."""
        ...

    def close(self) -> list[str]:
        """The stream ended: the violations that only its end shows."""
        ...


class StreamMender(Protocol):
    """Stands before the client and mends what is safe to mend; one for each stream.

    It adds what ends and frames an answer, and leaves out what comes twice or too late. It never
    makes up content, and a stream that an error ended stays failed (pain 13).
    """

    mended: list[str]
    """What was done, in words like those of a `StreamGuard`."""

    def feed(self, data: bytes) -> bytes:
        """`data` is one write: whole frames."""
        ...

    def close(self) -> bytes:
        """What is still to be written when the stream has ended."""
        ...


@runtime_checkable
class Guarded(Protocol):
    """A `ClientWire` that can tell whether its streams keep the rules of the format."""

    def stream_guard(self) -> StreamGuard: ...


@runtime_checkable
class Mended(Protocol):
    """A `ClientWire` whose streams can be mended before they reach the client."""

    def stream_mender(self, model: str) -> StreamMender:
        """`model` is the client's name for what answers, for events that must name it."""
        ...


_WORD: Final = re.compile(r"[a-z][a-z_.]{0,63}").fullmatch


def shown(value: object) -> str:
    """A value of a stream, for a violation: numbers and words of a protocol; nothing else is told."""
    if value is None or isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and _WORD(value) else "another value"


@attrs.frozen
class Varying:
    """What differs from event to event and says nothing to a guard; ``plain`` is read instead.

    It must be as whole as what it stands for, so that nothing wrong is hidden by it.
    """

    mark: bytes
    """Stands in each."""
    pattern: re.Pattern[bytes]
    plain: bytes

    def plain_in(self, block: bytes) -> bytes:
        return self.pattern.sub(self.plain, block)


PADDING: Final = Varying(
    b'"obfuscation":', re.compile(rb'"obfuscation":"[ !#-\[\]-~]*"'), b'"obfuscation":""'
)
"""Of random length, which some upstreams add to each event."""


class FrameGuard:
    """What all guards of formats on server-sent events have in common: frames, JSON, order, the end.

    A subclass yields what is wrong with an event from `_event`, and sets ``_over`` at the last one.
    """

    _NAMED: ClassVar[bool]
    """Whether each frame names its event, as the ``type`` in its data does."""
    _LAST: ClassVar[bytes] = b""
    """Data that is no JSON and ends a stream."""
    _VARYING: ClassVar = PADDING

    def __init__(self) -> None:
        self._frames = FrameSplitter()
        self._events = 0
        self._over = False
        self._alike: Alike | None = None
        self._varies = False

    def feed(self, data: bytes) -> list[str]:
        try:
            block = self._frames.feed(data)
        except MalformedStream:
            return ["a frame does not end"]
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        if self._varies:
            block = self._VARYING.plain_in(block)
        whole = block.isascii() or _is_text(block)
        found: list[str] = []
        place = 0
        while place < len(block):
            if whole and self._alike is not None:
                count, place = self._alike.run(block, place, self._events)
                self._events += count
                if count:
                    continue
            end = block.find(b"\n\n", place)
            if end < 0:
                break  # a line end more than a frame needs
            frame = block[place:end]
            if not self._varies and self._VARYING.mark in frame:
                self._varies = True
                block, place = self._VARYING.plain_in(block[place:]), 0
                continue
            found += self._read(frame)
            place = end + 2
        return found

    def close(self) -> list[str]:
        wrong = ["the stream ends inside of a frame"] if self._frames.close().strip() else []
        return wrong if self._over else [*wrong, *self._ended()]

    def _read(self, frame: bytes) -> list[str]:
        lines = [line for line in frame.split(b"\n") if line and not line.startswith(b":")]
        if not lines:
            return []
        self._alike = None
        place = self._events
        self._events += 1
        names = [line[6:].strip() for line in lines if line.startswith(b"event:")]
        data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
        event = None if data == self._LAST else read_object(data)
        found = [f"event {place}: {wrong}" for wrong in self._judged(names, data, event)]
        if event is not None and not found:
            self._alike = self._repeatable(event, frame)
        return found

    def _judged(self, names: list[bytes], data: bytes, event: JsonObject | None) -> Iterator[str]:
        if self._over:
            told = shown(event.get("type")) if self._NAMED and event is not None else "an event"
            yield f"{told} after the last event"
        if event is not None:
            kind = event.get("type")
            if self._NAMED and (len(names) != 1 or not isinstance(kind, str) or names[0] != kind.encode()):
                yield "the type in the data is not the event's name"
            elif not self._NAMED and names and names != [b"error"]:
                yield "an event with a name"
            yield from self._event(event)
        elif not data:
            yield "a frame without data"
        elif data == self._LAST:
            self._over = True
            yield from self._ended()
        else:
            yield "data that is no JSON object"

    def _event(self, event: JsonObject) -> Iterator[str]:
        raise NotImplementedError

    def _repeatable(self, event: JsonObject, frame: bytes) -> Alike | None:
        """What may follow an event in which nothing is wrong, and need not be read."""
        return None

    def _ended(self) -> Iterator[str]:
        """What is wrong if the stream ends here."""
        yield "the stream ends without a last event"


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_object(data: bytes) -> JsonObject | None:
    """An event's data; ``None`` for what is no JSON object."""
    try:
        event = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
