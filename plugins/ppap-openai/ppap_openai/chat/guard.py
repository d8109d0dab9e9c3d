"""A strict reading of outgoing chat streams (translation spec, B.1.3, B.1.4, B.5; clients spec, 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import attrs

from ppap_core.wire.alike import Alike, alike
from ppap_core.wire.guard import FrameGuard, JsonObject, shown

_WHOLE: Final = ("id", "created", "model")
"""What all chunks have, and have alike."""
_COUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
_REASONS: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
_SAID: Final = frozenset({"content", "reasoning_content", "reasoning", "refusal"})
_CALL_FIELDS: Final = {"function": ("function", "arguments"), "custom": ("custom", "input")}


@attrs.define
class _Call:
    """A call that was announced. Whether its arguments are JSON is the model's affair; that there
    are any is not (C.8)."""

    field: str
    text: str
    told: bool


@attrs.define
class _Choice:
    """One of the answers so far."""

    finished: bool = False
    calls: list[_Call] = attrs.field(factory=list)


class ChunkGuard(FrameGuard):
    """What chat and legacy completions have in common: chunks of one answer, in numbered choices."""

    _NAMED = False
    _LAST = b"[DONE]"
    _OBJECT: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._whole: tuple[Any, ...] | None = None
        self._choices: dict[int, _Choice] = {}

    def _event(self, event: JsonObject) -> Iterator[str]:
        if "error" in event:
            self._over = True
            error = event["error"]
            if not isinstance(error, dict) or not isinstance(error.get("message"), str):
                yield "an error without a message"
            return
        yield from self._chunk(event)
        choices = event.get("choices")
        if not isinstance(choices, list):
            yield "a chunk without choices"
            return
        if not choices:
            yield from self._used(event.get("usage"))
        for choice in choices:
            yield from self._of_choice(choice if isinstance(choice, dict) else {})

    def _chunk(self, event: JsonObject) -> Iterator[str]:
        if event.get("object") != self._OBJECT:
            yield f"a chunk that is no {self._OBJECT}"
        whole = tuple(event.get(key) for key in _WHOLE)
        answer_id, created, model = whole
        if not answer_id or not isinstance(created, int) or not isinstance(model, str):
            yield "a chunk without id, created or model"
        self._whole = self._whole or whole
        if whole != self._whole:
            yield "a chunk with another id, created or model than the first"

    def _used(self, usage: Any) -> Iterator[str]:
        if not isinstance(usage, dict):
            yield "a chunk without choices, and without usage"
        elif not all(isinstance(usage.get(key, 0), int) for key in _COUNTS):
            yield "usage whose counts are no numbers"
        if not all(choice.finished for choice in self._choices.values()):
            yield "usage before every choice has finished"

    def _of_choice(self, told: JsonObject) -> Iterator[str]:
        index = told.get("index")
        if not isinstance(index, int) or index < 0:
            yield "a choice without index"
            return
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
            yield from self._first(told)
        if choice.finished:
            yield "a choice goes on after its finish_reason"
        yield from self._said(told, choice)
        reason = told.get("finish_reason")
        if reason is not None:
            choice.finished = True
            yield from self._finished(reason, choice)

    def _first(self, told: JsonObject) -> Iterator[str]:
        """What the first chunk of a choice must have."""
        yield from ()

    def _said(self, told: JsonObject, choice: _Choice) -> Iterator[str]:
        raise NotImplementedError

    def _finished(self, reason: Any, choice: _Choice) -> Iterator[str]:
        if str(reason) not in _REASONS:
            yield "a finish_reason that the format does not have"

    def _repeatable(self, event: JsonObject, frame: bytes) -> Alike | None:
        choices = event.get("choices")
        if not choices or len(choices) > 1 or event.get("usage") or choices[0].get("finish_reason"):
            return None
        return self._alike_choice(choices[0], frame)

    def _alike_choice(self, told: JsonObject, frame: bytes) -> Alike | None:
        raise NotImplementedError

    def _ended(self) -> Iterator[str]:
        if not self._over:
            yield "the stream ends without [DONE]"
        if not self._choices or not all(choice.finished for choice in self._choices.values()):
            yield "the stream ends before every choice has its finish_reason"


class ChatGuard(ChunkGuard):
    """A `StreamGuard` for Chat Completions."""

    _OBJECT = "chat.completion.chunk"

    def _first(self, told: JsonObject) -> Iterator[str]:
        delta = told.get("delta")
        if not isinstance(delta, dict) or delta.get("role") != "assistant":
            yield "the first chunk of a choice does not name the role"

    def _said(self, told: JsonObject, choice: _Choice) -> Iterator[str]:
        delta = told.get("delta")
        if not isinstance(delta, dict):
            yield "a choice without delta"
            return
        if not all(delta.get(key) is None or isinstance(delta[key], str) for key in _SAID):
            yield "a delta whose text is none"
        calls = delta.get("tool_calls")
        if calls is None:
            return
        if any(delta.get(key) for key in _SAID):
            yield "a delta with calls and text"
        for call in calls if isinstance(calls, list) else [calls]:
            yield from self._called(call if isinstance(call, dict) else {}, choice)

    def _called(self, told: JsonObject, choice: _Choice) -> Iterator[str]:
        index = told.get("index")
        if not isinstance(index, int) or not 0 <= index <= len(choice.calls):
            yield f"a call with index {shown(index)}, where {len(choice.calls)} were announced"
        elif index == len(choice.calls):
            yield from self._announced(told, choice)
        else:
            yield from self._went_on(told, choice.calls[index])

    def _announced(self, told: JsonObject, choice: _Choice) -> Iterator[str]:
        kind = str(told.get("type"))
        if kind not in _CALL_FIELDS:
            yield f"a call begins with type {shown(kind)}"
        if not told.get("id"):
            yield "a call begins without id"
        field, text = _CALL_FIELDS.get(kind, _CALL_FIELDS["function"])
        function = told.get(field)
        if not isinstance(function, dict) or not function.get("name"):
            yield "a call begins without name"
            function = {}
        call = _Call(field, text, told=field != "function")
        choice.calls.append(call)
        yield from self._heard(function.get(text), call)

    def _went_on(self, told: JsonObject, call: _Call) -> Iterator[str]:
        function = told.get(call.field)
        if not isinstance(function, dict):
            yield "a call goes on without its arguments"
            return
        if told.get("id") or function.get("name"):
            yield "a call tells its id or its name again, which clients join"
        yield from self._heard(function.get(call.text), call)

    def _heard(self, text: Any, call: _Call) -> Iterator[str]:
        if not isinstance(text, str):
            yield "a call whose arguments are no text"
        else:
            call.told = call.told or text != ""

    def _finished(self, reason: Any, choice: _Choice) -> Iterator[str]:
        yield from super()._finished(reason, choice)
        if reason != "tool_calls":
            return
        if not choice.calls:
            yield "a choice finishes for calls, and made none"
        if not all(call.told for call in choice.calls):
            yield "a choice finishes for a call without arguments"

    def _alike_choice(self, told: JsonObject, frame: bytes) -> Alike | None:
        delta = told["delta"]
        if len(delta) != 1:
            return None
        ((key, value),) = delta.items()
        if value is None:
            return None
        if key in _SAID:
            return alike(frame, key)
        if key == "tool_calls" and len(value) == 1 and "id" not in value[0]:
            return alike(frame, self._choices[told["index"]].calls[value[0]["index"]].text)
        return None


class CompletionsGuard(ChunkGuard):
    """A `StreamGuard` for legacy completions (B.1.6)."""

    _OBJECT = "text_completion"

    def _said(self, told: JsonObject, choice: _Choice) -> Iterator[str]:
        if not isinstance(told.get("text"), str):
            yield "a choice without text"

    def _alike_choice(self, told: JsonObject, frame: bytes) -> Alike | None:
        return alike(frame, "text")
