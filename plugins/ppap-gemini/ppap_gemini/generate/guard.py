"""A strict reading of outgoing streams, in both framings (Gemini spec, 11.1, 12; clients spec, 5, 7)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ppap_core.wire.alike import Alike, alike
from ppap_core.wire.guard import FrameGuard, JsonObject, Varying

from .vocabulary import FINISH_OF_WORD

_COUNT: Final = rb'"[A-Za-z]+": ?[0-9]+'
_COUNTS: Final = Varying(
    b'"usageMetadata"',
    re.compile(rb'"usageMetadata": ?\{%b(?:, ?%b)*\}' % (_COUNT, _COUNT)),
    b'"usageMetadata":{}',
)
"""Google tells with each chunk how many tokens there were so far."""
_SEPARATOR: Final = b",\r\n"
"""Stands between the elements of an array, and never inside of one: JSON escapes line ends."""


class GeminiGuard(FrameGuard):
    """A `ppap_core.wire.StreamGuard` for server-sent events."""

    _NAMED = False
    _VARYING = _COUNTS

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[Any, Any] | None = None
        self._finished: dict[int, bool] = {}
        self._blocked = False

    def _event(self, event: JsonObject) -> Iterator[str]:
        if "error" in event:
            self._over = True
            yield from _failed(event["error"])
            return
        names = (event.get("responseId"), event.get("modelVersion"))
        self._names = self._names or names
        if names != self._names:
            yield "a chunk with another responseId or modelVersion than the first"
        yield from self._used(event.get("usageMetadata"))
        feedback = event.get("promptFeedback")
        self._blocked = self._blocked or bool(isinstance(feedback, dict) and feedback.get("blockReason"))
        candidates = event.get("candidates", [])
        if not isinstance(candidates, list):
            yield "candidates that are no list"
            return
        if not candidates and "usageMetadata" not in event and feedback is None:
            yield "a chunk that says nothing"
        for candidate in candidates:
            yield from self._candidate(candidate if isinstance(candidate, dict) else {})

    def _repeatable(self, event: JsonObject, frame: bytes) -> Alike | None:
        candidates: Sequence[JsonObject] = event.get("candidates") or ()
        return alike(frame, "text") if len(candidates) == 1 and _only_says(candidates[0]) else None

    def _used(self, usage: Any) -> Iterator[str]:
        if usage is None:
            return
        counts = usage.items() if isinstance(usage, dict) else [("Count", None)]
        if not all(isinstance(value, int) for key, value in counts if key.endswith("Count")):
            yield "usageMetadata whose counts are no numbers"

    def _candidate(self, candidate: JsonObject) -> Iterator[str]:
        index = candidate.get("index", 0)
        if not isinstance(index, int):
            yield "a candidate whose index is no number"
            return
        finished = self._finished.setdefault(index, False)
        content, reason = candidate.get("content"), candidate.get("finishReason")
        if finished:
            yield "a candidate goes on after its finishReason"
        if content is not None:
            yield from _content(content)
        elif reason is None:
            yield "a candidate that says nothing"
        if reason is not None:
            self._finished[index] = True
            if str(reason) not in FINISH_OF_WORD:
                yield "a finishReason that the format does not have"

    def _ended(self) -> Iterator[str]:
        if not self._blocked and not (self._finished and all(self._finished.values())):
            yield "the stream ends before every candidate has its finishReason"


class CodeAssistGuard(GeminiGuard):
    """The same for chunks in envelopes; only errors have none."""

    def _event(self, event: JsonObject) -> Iterator[str]:
        response = event.get("response")
        if "error" in event:
            yield from super()._event(event)
        elif isinstance(response, dict):
            yield from super()._event(response)
        else:
            yield "a chunk without its envelope"

    def _repeatable(self, event: JsonObject, frame: bytes) -> Alike | None:
        response = event.get("response")
        return super()._repeatable(response, frame) if isinstance(response, dict) else None


def _failed(error: Any) -> Iterator[str]:
    told = error if isinstance(error, dict) else {}
    if not (
        isinstance(told.get("code"), int) and isinstance(told.get("message"), str) and told.get("status")
    ):
        yield "an error without code, message or status"


def _content(content: Any) -> Iterator[str]:
    if not isinstance(content, dict) or content.get("role") != "model":
        yield "content without the role of the model"
        return
    parts = content.get("parts", [])
    if not isinstance(parts, list) or not all(isinstance(part, dict) and part for part in parts):
        yield "parts that are no list of objects"
        return
    for part in parts:
        yield from _part(part)


def _part(part: JsonObject) -> Iterator[str]:
    if not isinstance(part.get("text", ""), str):
        yield "a part whose text is none"
    call = part.get("functionCall")
    if call is not None and not (isinstance(call, dict) and call.get("name")):
        yield "a call without name"
    elif call is not None and not isinstance(call.get("args", {}), dict):
        yield "a call whose args are no object"


def _only_says(candidate: JsonObject) -> bool:
    """Whether a candidate has a text, or a thought, and nothing else to say."""
    parts: Sequence[JsonObject] = (candidate.get("content") or {}).get("parts", ())
    return (
        len(parts) == 1
        and parts[0].keys() <= {"text", "thought"}
        and candidate.keys() <= {"content", "index"}
    )


class ArrayGuard:
    """A `ppap_core.wire.StreamGuard` for ``alt=json``: one JSON array, whose elements are the chunks."""

    def __init__(self) -> None:
        self._chunks = GeminiGuard()
        self._rest = b""
        self._begun = False

    def feed(self, data: bytes) -> list[str]:
        self._rest += data
        wrong = self._opened() if not self._begun and self._rest.strip() else []
        *whole, self._rest = self._rest.split(_SEPARATOR)
        return [*wrong, *(each for element in whole for each in self._element(element))]

    def _opened(self) -> list[str]:
        self._begun = True
        self._rest = self._rest.lstrip()
        if not self._rest.startswith(b"["):
            return ["the stream does not begin as an array"]
        self._rest = self._rest[1:]
        return []

    def _element(self, element: bytes) -> list[str]:
        return self._chunks.feed(b"data: %b\n\n" % b" ".join(element.split(b"\n")).strip())

    def close(self) -> list[str]:
        last = self._rest.strip()
        if not last.endswith(b"]"):
            return ["the array does not end"]
        return [*(self._element(last[:-1]) if last[:-1].strip() else []), *self._chunks.close()]
