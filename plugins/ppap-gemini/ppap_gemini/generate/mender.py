"""Mending streams: every candidate has its end (Gemini spec, 12.6; clients spec, 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from ppap_core.wire.guard import JsonObject
from ppap_core.wire.mender import FrameMender
from ppap_core.wire.sse import data_frame

_WHOLE: Final = ("modelVersion", "responseId")


class GeminiMender(FrameMender):
    """A `ppap_core.wire.StreamMender`. A stream in which no candidate finished was cut, and stays so."""

    def __init__(self) -> None:
        super().__init__()
        self._whole: JsonObject = {}
        self._finished: dict[int, bool] = {}

    def _event(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        self._over = "error" in event
        self._whole = self._whole or {key: event[key] for key in _WHOLE if key in event}
        candidates = event.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            index = candidate.get("index", 0) if isinstance(candidate, dict) else None
            if isinstance(index, int):
                done = candidate.get("finishReason") is not None
                self._finished[index] = self._finished.get(index, False) or done
        yield frame

    def _ended(self) -> Iterator[bytes]:
        missing = [index for index, finished in sorted(self._finished.items()) if not finished]
        if not missing or len(missing) == len(self._finished):
            return
        candidates = [
            {
                "content": {"role": "model", "parts": [{"text": ""}]},
                "finishReason": "STOP",
                "index": index,
            }
            for index in missing
        ]
        chunk = data_frame(msgspec.json.encode({"candidates": candidates, **self._whole}))
        yield self._added("a finishReason", chunk)
