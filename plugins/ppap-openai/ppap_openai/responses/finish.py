"""How an answer ended: ``status`` with its reason, and the canonical words (translation spec, C.10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from ppap_core.conversation import FinishReason

from ..chat.finish import REASONS, settled

Status: TypeAlias = Literal["completed", "incomplete"]


@attrs.frozen
class Ending:
    """``status`` of a response, and why it is incomplete; ``None``: it is not."""

    status: Status
    reason: str | None = None

    @property
    def details(self) -> dict[str, str] | None:
        return {"reason": self.reason} if self.reason else None


COMPLETED: Final = Ending("completed")
ENDINGS: Final[Mapping[FinishReason, Ending]] = {
    "stop": COMPLETED,
    "stop_sequence": COMPLETED,
    "tool_calls": COMPLETED,
    "length": Ending("incomplete", "max_output_tokens"),
    "content_filter": Ending("incomplete", "content_filter"),
    "refusal": COMPLETED,
    "pause": COMPLETED,
    "context_exceeded": Ending("incomplete", "max_output_tokens"),
    "unknown": COMPLETED,
}
_FILTERED: Final = ENDINGS["content_filter"]


def ending_of(reason: FinishReason, *, declined: bool) -> Ending:
    """How the answer ends. ``declined``: the model said so itself, in a part for that.

    Without such words nothing but the status tells a refusal from an answer (C.10).
    """
    return _FILTERED if reason == "refusal" and not declined else ENDINGS[reason]


@attrs.frozen(kw_only=True)
class Told:
    """What a response object says about its end."""

    status: str | None = None
    reason: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


def reason_of(told: Told, *, refused: bool, last_call: str | None) -> FinishReason:
    """The canonical reason. ``last_call``: argument text of the last call, ``None`` if there is none.

    ``stop_reason`` and ``stop_sequence`` are no fields of OpenAI's, but of some that speak its format.
    """
    word = (told.stop_reason or told.reason or "").strip().lower()
    if told.stop_sequence and word in ("", "stop"):
        word = "stop_sequence"
    if not word:
        word = "length" if told.status == "incomplete" else "stop"
    reason = REASONS.get(word, "unknown")
    if refused and reason == "stop":
        reason = "refusal"
    return settled(reason, last_call)
