"""A whole answer in no format's words (translation spec, A.1 and A.2.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import attrs

from .request import Extras, Item
from .usage import Usage

FinishReason: TypeAlias = Literal[
    "stop",
    "stop_sequence",
    "tool_calls",
    "length",
    "content_filter",
    "refusal",
    "pause",
    "context_exceeded",
    "unknown",
]
FINISH_REASONS: tuple[FinishReason, ...] = get_args(FinishReason)


@attrs.frozen(kw_only=True)
class ErrorDetail:
    """Why a request failed, in no format's words.

    ``status`` is the HTTP status that fits it, also when it came inside a stream or on a 200.
    ``type`` and ``code`` are the upstream's own words when it gave any, else ``None``.
    ``retry_after`` is in seconds.
    """

    message: str
    status: int = 500
    type: str | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class Reply:
    """One answer. ``None`` for id, model or created: the upstream did not say.

    ``items`` holds the first choice, which is all that most formats can express; the further
    choices of a format that offers several are in ``alternatives``.
    """

    id: str | None = None
    model: str | None = None
    created: int | None = None
    items: Sequence[Item] = ()
    finish: FinishReason = "unknown"
    stop_sequence: str | None = None
    usage: Usage | None = None
    service_tier: str | None = None
    alternatives: Sequence[Reply] = ()
    extras: Extras = attrs.field(factory=dict)
