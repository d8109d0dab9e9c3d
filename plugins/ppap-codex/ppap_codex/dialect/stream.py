"""An answer of this upstream on its way: errors in its own words, tool names given back."""

from __future__ import annotations

from typing import Final

from ppap_openai.responses.stream_decoder import ResponsesStreamDecoder
from ppap_openai.responses.stream_relay import ResponsesRelay

from ppap_core.conversation import ErrorDetail, Event
from ppap_core.wire import NameMap

from .errors import read_in_band
from .tool_names import restored

DISCONNECTED: Final = ErrorDetail(
    message="stream error: stream disconnected before completion: stream closed before response.completed",
    status=408,
    code="stream_disconnected",
)
"""Words that clients know (translation spec, C.14)."""


class CodexRelay(ResponsesRelay):
    """A `StreamPath` for clients that speak Responses."""

    cut_short = DISCONNECTED
    read_error = staticmethod(read_in_band)

    def __init__(self, model: bytes | None, names: NameMap) -> None:
        super().__init__(model)
        self._names = names

    def feed(self, data: bytes) -> bytes:
        return self._restored(super().feed(data))

    def close(self) -> bytes:
        return self._restored(super().close())

    def _restored(self, written: bytes) -> bytes:
        """Writes are whole frames, so no name is cut in two."""
        return restored(written, self._names) if self._names.back and written else written


class CodexStreamDecoder(ResponsesStreamDecoder):
    """A `StreamDecoder` for clients of other formats."""

    read_error = staticmethod(read_in_band)

    def _break_off(self, events: list[Event]) -> None:
        self._fail(DISCONNECTED, events)
