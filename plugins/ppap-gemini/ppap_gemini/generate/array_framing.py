"""``alt=json``: the chunks of a stream as one JSON array (Gemini spec, 12.1)."""

from __future__ import annotations

from typing import Final

from ppap_core.wire.sse import frames, payload

KEEP_ALIVE: Final = b"\n"
"""White space between elements."""


class ArrayFraming:
    """See `ppap_core.wire.Framing`. An error in the stream is its last element."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        out: list[bytes] = []
        for frame in frames(data):
            chunk = payload(frame).strip()
            if chunk:
                out += (b",\r\n" if self._begun else b"[", chunk)
                self._begun = True
        return b"".join(out)

    def close(self) -> bytes:
        return b"]" if self._begun else b"[]"
