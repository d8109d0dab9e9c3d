"""What this upstream's errors mean (translation spec, C.11; auth spec, 3.1 and 5.1).

Some are told by words alone, and some under a status that leads clients astray. `KINDS` says what
is looked for, first match first, and what the client is told then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import msgspec
from ppap_openai.chat.errors import read_error
from ppap_openai.responses.errors import read_in_band as read_any

from ppap_core.conversation import ErrorDetail

CAPACITY: Final = (
    "selected model is at capacity",
    "model is at capacity. please try a different model",
)
"""A model that is too busy, told under any status: worth another try, like 429."""
USAGE_LIMIT: Final = "usage_limit_reached"
CONTEXT_CODES: Final = ("context_length_exceeded", "context_too_large")
CONTEXT_PHRASES: Final = ("context length", "context_length", "maximum context", "too many tokens")
TOKEN_PHRASES: Final = ("invalid or expired token", "refresh_token_reused")
SIGNATURE_PHRASES: Final = ("invalid signature in thinking block", "invalid_encrypted_content")


@attrs.frozen
class _Told:
    """An error that is looked at; ``text`` is all of its body in lower case."""

    detail: ErrorDetail
    text: str


@attrs.frozen
class Kind:
    """A kind of error that the client is told in words of ours."""

    code: str
    type: str
    applies: Callable[[_Told], bool]


def _too_large(told: _Told) -> bool:
    detail = told.detail
    if detail.status == 413 or detail.code in CONTEXT_CODES:
        return True
    message = detail.message.lower()
    return detail.type in (None, "invalid_request_error") and any(
        phrase in message for phrase in CONTEXT_PHRASES
    )


def _bad_signature(told: _Told) -> bool:
    return any(phrase in told.text for phrase in SIGNATURE_PHRASES)


def _lost_response(told: _Told) -> bool:
    text = told.text
    return "previous_response_not_found" in text or ("previous_response_id" in text and "not found" in text)


def _no_access(told: _Told) -> bool:
    detail = told.detail
    return (
        detail.status == 401
        or detail.type == "authentication_error"
        or detail.code == "invalid_api_key"
        or any(phrase in told.text for phrase in TOKEN_PHRASES)
    )


SIGNATURE_INVALID: Final = "thinking_signature_invalid"
AUTH_UNAVAILABLE: Final = "auth_unavailable"
KINDS: Final = (
    Kind("context_too_large", "invalid_request_error", _too_large),
    Kind(SIGNATURE_INVALID, "invalid_request_error", _bad_signature),
    Kind("previous_response_not_found", "invalid_request_error", _lost_response),
    Kind(AUTH_UNAVAILABLE, "authentication_error", _no_access),
)


def read_refusal(status: int, body: bytes) -> ErrorDetail:
    """What an error answer says. Never raises."""
    told = _Told(read_error(status, body), body.decode(errors="replace").lower())
    return _with_hint(_classified(told), _object(body))


def read_in_band(value: Mapping[str, Any]) -> ErrorDetail:
    """What an ``error`` or ``response.failed`` event says. Never raises."""
    detail = read_any(value)
    text = f"{detail.code} {detail.message}".lower()
    return _with_hint(_classified(_Told(detail, text)), value)


def retells(status: int, body: bytes) -> bool:
    """Whether a body is not what clients should read: of a kind of ours, or not in OpenAI's shape."""
    told = _Told(read_error(status, body), body.decode(errors="replace").lower())
    return _kind(told) is not None or not isinstance(_object(body).get("error"), dict)


def _classified(told: _Told) -> ErrorDetail:
    detail = told.detail
    if any(phrase in told.text for phrase in CAPACITY):
        return attrs.evolve(detail, status=429)
    kind = _kind(told)
    return detail if kind is None else attrs.evolve(detail, code=kind.code, type=kind.type)


def _kind(told: _Told) -> Kind | None:
    return next((kind for kind in KINDS if kind.applies(told)), None)


def _with_hint(detail: ErrorDetail, value: Mapping[str, Any]) -> ErrorDetail:
    """A used-up plan says when it is renewed: at a Unix time, or in seconds."""
    error = value.get("error")
    if detail.status != 429 or not isinstance(error, dict) or error.get("type") != USAGE_LIMIT:
        return detail
    at, seconds = error.get("resets_at"), error.get("resets_in_seconds")
    if isinstance(at, int | float) and at > time.time():
        return attrs.evolve(detail, retry_after=at - time.time())
    if isinstance(seconds, int | float) and seconds > 0:
        return attrs.evolve(detail, retry_after=float(seconds))
    return detail


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
