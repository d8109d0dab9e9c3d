"""Mending streams on server-sent events; the contract is `ppap_core.wire.guard.StreamMender`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import msgspec

from .guard import JsonObject, read_object
from .sse import payload

_FRAME: Final = re.compile(rb".+?(?:\n\r?\n|\Z)", re.DOTALL)


class FrameMender:
    """What all menders have in common: frames, and that nothing follows the last event.

    A subclass yields from `_event` what is sent in the place of an event, and sets ``_over`` at the
    last one. Frames without an event of the format pass.
    """

    _LAST: ClassVar[bytes] = b""
    """Data that is no JSON and ends a stream."""

    def __init__(self) -> None:
        self.mended: list[str] = []
        self._over = False

    def feed(self, data: bytes) -> bytes:
        return b"".join(part for frame in _FRAME.findall(data) for part in self._frame(frame))

    def close(self) -> bytes:
        return b"" if self._over else b"".join(self._ended())

    def _frame(self, frame: bytes) -> Iterator[bytes]:
        data = payload(frame.replace(b"\r\n", b"\n").strip(b"\n")).strip()
        event = read_object(data)
        if event is None and (not data or data != self._LAST):
            yield frame
        elif self._over:
            self.mended.append("left out what came after the last event")
        elif event is None:
            self._over = True
            yield from self._before_last()
            yield frame
        else:
            yield from self._event(event, frame)

    def _event(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        raise NotImplementedError

    def _before_last(self) -> Iterator[bytes]:
        """What is missing before `_LAST`."""
        yield from ()

    def _ended(self) -> Iterator[bytes]:
        """What is missing at the end of a stream whose last event did not come."""
        yield from ()

    def _added(self, what: str, frame: bytes) -> bytes:
        self.mended.append(f"added {what}")
        return frame


def named_frame(kind: str, fields: Mapping[str, Any]) -> bytes:
    """A frame that names its event, as the ``type`` in its data does."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **fields}))
