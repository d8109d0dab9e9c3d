"""Mending chat streams: what a choice begins and ends with (translation spec, B.1.3; clients spec, 6, 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ppap_core.wire.guard import JsonObject
from ppap_core.wire.mender import FrameMender
from ppap_core.wire.sse import data_frame

from .stream_encoder import DONE_FRAME

_WHOLE: Final = ("id", "object", "created", "model")


class ChatMender(FrameMender):
    """A `StreamMender`. A finish is only added where the upstream itself said that it is done."""

    _LAST = b"[DONE]"

    def __init__(self) -> None:
        super().__init__()
        self._whole: JsonObject = {}
        self._called: dict[int, bool] = {}
        self._finished: set[int] = set()

    def _event(self, event: JsonObject, frame: bytes) -> Iterator[bytes]:
        if "error" in event:
            self._over = True
        else:
            self._whole = {key: event[key] for key in _WHOLE if key in event}
            choices = _choices(event.get("choices"))
            if choices and all(self._is_second_finish(choice) for choice in choices):
                self.mended.append("left out a second finish_reason")
                return
            for choice in choices:
                yield from self._of_choice(choice)
        yield frame

    def _is_second_finish(self, choice: JsonObject) -> bool:
        return choice["index"] in self._finished and not any(choice["delta"].values())

    def _of_choice(self, choice: JsonObject) -> Iterator[bytes]:
        index, delta = choice["index"], choice["delta"]
        if index not in self._called:
            self._called[index] = False
            if delta.get("role") != "assistant":
                yield self._added("the role", self._chunk(index, {"role": "assistant", "content": ""}))
        self._called[index] = self._called[index] or bool(delta.get("tool_calls"))
        if choice.get("finish_reason") is not None:
            self._finished.add(index)

    def _before_last(self) -> Iterator[bytes]:
        for index in sorted(self._called.keys() - self._finished):
            reason = "tool_calls" if self._called[index] else "stop"
            yield self._added("a finish_reason", self._chunk(index, {}, reason))

    def _ended(self) -> Iterator[bytes]:
        if self._called and self._called.keys() == self._finished:
            yield self._added("[DONE]", DONE_FRAME)

    def _chunk(self, index: int, delta: JsonObject, reason: str | None = None) -> bytes:
        choice: dict[str, Any] = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
        return data_frame(msgspec.json.encode({**self._whole, "choices": [choice]}))


def _choices(told: Any) -> list[JsonObject]:
    """Those that can be told apart."""
    return [
        choice
        for choice in (told if isinstance(told, list) else ())
        if isinstance(choice, dict)
        and isinstance(choice.get("index"), int)
        and isinstance(choice.get("delta"), dict)
    ]
