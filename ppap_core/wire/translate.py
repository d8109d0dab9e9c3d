"""One upstream stream on its way to a client that speaks another format: decode, then encode."""

from __future__ import annotations

from typing import Final

from ..conversation import (
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    ItemEnd,
    ItemMeta,
    ItemStart,
    StreamError,
    Usage,
    UsageUpdate,
)
from .abilities import FallsShort, ability
from .format import StreamDecoder, StreamEncoder

CUT_SHORT: Final = ErrorDetail(
    message="The upstream closed the stream before the answer was complete",
    status=502,
    code="upstream_disconnected",
)


class Translation:
    """The `StreamPath` of a pair of codecs. See there for the meaning of the attributes."""

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder) -> None:
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self.usage: Usage | None = None
        self._finished = False
        self._said = False
        self._decoder = decoder
        self._encoder = encoder

    def feed(self, data: bytes) -> bytes:
        return self._passed_on(self._decoder.feed(data))

    def close(self) -> bytes:
        if self.complete or self.error is not None:
            return b""
        return self._passed_on(self._decoder.close())

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        return self._encoder.feed([StreamError(error), End()])

    def _passed_on(self, events: list[Event]) -> bytes:
        for event in events:
            kind = type(event)
            if kind is Delta or kind is ItemMeta:
                self._said = True
            elif kind is UsageUpdate:
                usage = event.usage  # type: ignore[union-attr]
                self.usage = self.usage.updated(usage) if self.usage else usage
            elif kind is Finish:
                self._finished = self._said = True
            elif kind is StreamError:
                self.error = event.error  # type: ignore[union-attr]
            elif kind is ItemStart and event.kind == "tool_call":  # type: ignore[union-attr]
                self._said = True
            elif kind is End:
                return self._ended(events)
        return self._written(events)

    def _written(self, events: list[Event]) -> bytes:
        """What the client gets; some get nothing of much that is said, and then nothing is lost yet."""
        written = self._encoder.feed(events)
        self.committed = self.committed or (self._said and bool(written))
        return written

    def _ended(self, events: list[Event]) -> bytes:
        if not self._finished and self.error is None:
            self.error = CUT_SHORT
            # Items that the decoder only ends because it must are left open: what is closed looks whole.
            said = [event for event in events[:-1] if type(event) is not ItemEnd]
            events = [*said, StreamError(CUT_SHORT), End()]
        choosy = ability(self._encoder, FallsShort)
        if choosy is not None:
            written = self._encoder.feed(events)
            self.error = self.error or choosy.shortfall
            self.committed = self.committed or self.error is None
        else:
            written = self._written(events)
        self.complete = self.error is None
        return written
