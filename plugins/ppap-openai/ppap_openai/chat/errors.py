"""Errors in Chat's shape, and what upstreams' errors in any shape say (translation spec, C.11).

Ours is always ``{"error": {"message", "type", "param", "code"}}`` (client API spec, 12.1, 12.3).
Theirs may be that, a bare string, a list, validation details, plain text, or an HTML page.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import ErrorDetail

from .said import text_of

BAD_GATEWAY: Final = 502
MAX_MESSAGE: Final = 4000
"""Characters; some upstreams repeat the whole request in their message."""

ENDED_IN_ERROR: Final = ErrorDetail(
    message="The upstream ended the answer with an error and no explanation", status=BAD_GATEWAY
)
OWN_WORDS: Final[Mapping[int, tuple[str, str | None]]] = {
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "insufficient_quota"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
}
"""Status → type and code, where the error brought no words of its own."""
_SERVER_WORDS: Final = ("server_error", "internal_server_error")
_CLIENT_WORDS: Final = ("invalid_request_error", None)

STATUS_OF_WORD: Final[tuple[tuple[str, int], ...]] = (
    ("rate_limit", 429),
    ("too_many_requests", 429),
    ("insufficient_quota", 429),
    ("resource_exhausted", 429),
    ("overloaded_error", 529),
    ("overloaded", 503),
    ("service_unavailable", 503),
    ("unavailable", 503),
    ("timeout", 504),
    ("deadline_exceeded", 504),
    ("authentication", 401),
    ("invalid_api_key", 401),
    ("unauthenticated", 401),
    ("unauthorized", 401),
    ("permission", 403),
    ("forbidden", 403),
    ("model_not_found", 404),
    ("not_found", 404),
    ("context_length", 400),
    ("content_filter", 400),
    ("content_policy", 400),
    ("invalid_request", 400),
    ("invalid_argument", 400),
    ("bad_request", 400),
    ("badrequest", 400),
    ("internal", 500),
    ("server_error", 500),
)
"""What a code or type contains → the status of an error that came without one. First match counts."""


def error_body(error: ErrorDetail) -> bytes:
    """An error as clients of Chat Completions expect it."""
    kind, code = OWN_WORDS.get(error.status, _SERVER_WORDS if error.status >= 500 else _CLIENT_WORDS)
    words = {
        "message": error.message.strip() or _phrase(error.status),
        "type": error.type or kind,
        "param": error.param,
        "code": error.code or code,
    }
    return msgspec.json.encode({"error": words})


def read_error(status: int, body: bytes) -> ErrorDetail:
    """What an error answer says. Never raises."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorDetail(message=_plain_text(body) or _unexplained(status), status=status)
    return _detail(value, status)


def read_in_band(value: Any) -> ErrorDetail:
    """What an error on a 200 says; its status is taken from its own words, else 502 (pain 12)."""
    detail = _detail(value, BAD_GATEWAY)
    return attrs.evolve(detail, status=_status_in(value) or _status_of_words(detail))


def _detail(value: Any, status: int) -> ErrorDetail:
    told = _innermost(value)
    message = _message(told)[:MAX_MESSAGE].strip()
    words = told if isinstance(told, dict) else {}
    return ErrorDetail(
        message=message or _unexplained(status),
        status=status,
        type=_word(words.get("type")),
        code=_word(words.get("code")),
        param=_word(words.get("param")),
    )


def _innermost(value: Any) -> Any:
    """The object or text that tells the error, out of whatever it is wrapped in."""
    for _ in range(_WRAPPINGS):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = value.get("error") or value.get("errors") or value
    return value


def _message(told: Any) -> str:
    """Text under any of the names it goes by; validation details ``[{"loc", "msg"}]`` in one line."""
    if isinstance(told, dict):
        found = (told.get(key) for key in _MESSAGE_KEYS)
        return next((text for value in found if (text := _message_in(value))), "")
    return told if isinstance(told, str) else ""


def _message_in(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(text for each in value if (text := _text_under_any_key(each)))
    return _text_under_any_key(value)


def _text_under_any_key(value: Any) -> str:
    if not isinstance(value, dict):
        return text_of(value)
    return next((text for key in _MESSAGE_KEYS if (text := text_of(value.get(key)))), text_of(value))


_MESSAGE_KEYS: Final = ("message", "msg", "detail", "error_description", "error_message", "title")
_WRAPPINGS: Final = 4


def _word(value: Any) -> str | None:
    """A type or a code; numbers are spelt out, as clients expect text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value) or None


def _status_in(value: Any) -> int | None:
    """An HTTP status that the error itself names."""
    told = _innermost(value)
    for holder in (told, value):
        if isinstance(holder, dict):
            for key in ("status", "status_code", "http_status", "code"):
                number = holder.get(key)
                number = int(number) if isinstance(number, str) and number.isdecimal() else number
                if isinstance(number, int) and 400 <= number <= 599:
                    return number
    return None


def _status_of_words(detail: ErrorDetail) -> int:
    for said in (detail.code, detail.type):
        word = (said or "").lower()
        for part, status in STATUS_OF_WORD:
            if part in word:
                return status
    return BAD_GATEWAY


def _plain_text(body: bytes) -> str:
    """An error told in plain words; empty for a page of HTML or bytes that are no text."""
    try:
        text = " ".join(body.decode().split())
    except UnicodeDecodeError:
        return ""
    return text[:MAX_MESSAGE] if text.isprintable() and not text.startswith("<") else ""


def _unexplained(status: int) -> str:
    return f"The upstream answered with an error and no explanation ({status} {_phrase(status)})"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
