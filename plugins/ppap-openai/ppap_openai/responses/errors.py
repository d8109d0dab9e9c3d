"""Errors inside of a stream (translation spec, C.11; client API spec, 11.4).

Clients check the events of a stream against one union of types, in which an error is flat. The
bodies of refusals are those of all OpenAI surfaces, in `ppap_openai.chat.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import ErrorDetail
from ppap_core.wire.sse import event_frame

from ..chat.errors import read_in_band as read_any

CODES: Final[Mapping[int, str]] = {
    401: "invalid_api_key",
    403: "insufficient_quota",
    404: "model_not_found",
    408: "request_timeout",
    429: "rate_limit_exceeded",
}
"""Status → code, where the error brought none."""

STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "usage_limit_reached": 429,
    "slow_down": 429,
    "server_is_overloaded": 503,
    "invalid_prompt": 400,
    "cyber_policy": 400,
    "bio_policy": 400,
    "context_length_exceeded": 400,
    "previous_response_not_found": 400,
}
"""What a code of this format means, where the words in common with Chat do not tell."""


def error_frame(error: ErrorDetail, sequence_number: int) -> bytes:
    told = {
        "type": "error",
        "code": error.code or _code(error.status),
        "message": error.message.strip() or _phrase(error.status),
        "param": error.param,
        "sequence_number": sequence_number,
    }
    return event_frame("error", msgspec.json.encode(told))


def read_in_band(value: Mapping[str, Any]) -> ErrorDetail:
    """What an ``error`` or ``response.failed`` event says. Never raises."""
    response = value.get("response")
    holder = response if isinstance(response, dict) else value
    told = holder.get("error")
    if not isinstance(told, dict):
        told = {key: each for key, each in value.items() if key != "type"}
    status = {key: value[key] for key in ("status", "status_code") if key in value}
    detail = read_any({"error": {**status, **told}})
    known = STATUS_OF_CODE.get(detail.code or "") or STATUS_OF_CODE.get(detail.type or "")
    if known is not None and not status:
        detail = attrs.evolve(detail, status=known)
    seconds = told.get("resets_in_seconds")
    if isinstance(seconds, int | float) and seconds >= 0 and detail.status == HTTPStatus.TOO_MANY_REQUESTS:
        detail = attrs.evolve(detail, retry_after=float(seconds))
    return detail


def _code(status: int) -> str:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "internal_server_error"
    return CODES.get(status, "invalid_request_error" if status >= HTTPStatus.BAD_REQUEST else "unknown_error")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
