"""Errors: ``{"type": "error", "error": {"type", "message"}}`` (client API spec, 12.3)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
import orjson

from ppap_core.conversation import ErrorDetail

TYPE_OF_STATUS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
STATUS_OF_TYPE: Final[Mapping[str, int]] = {kind: status for status, kind in TYPE_OF_STATUS.items()}

THREAD_UNSUPPORTED: Final = "thread_unsupported_request"
"""On this code Anthropic's SDKs send the whole conversation again, without a thread."""
_DETAILS: Final[Mapping[str, Mapping[str, Any]]] = {
    THREAD_UNSUPPORTED: {"error_code": THREAD_UNSUPPORTED, "unsupported": ["thread"]}
}
"""Code → what programs read of a refusal, beside its type and message."""
_NOT_OUR_WORDS: Final = ("server_error", "upstream_error")


def error_type(error: ErrorDetail) -> str:
    """The upstream's own word if this format has such words, else the one for the status."""
    kind = error.type or ""
    if kind in STATUS_OF_TYPE or (kind.endswith("_error") and kind not in _NOT_OUR_WORDS):
        return kind
    fallback = "api_error" if error.status >= 500 else "invalid_request_error"
    return TYPE_OF_STATUS.get(error.status, fallback)


def error_body(error: ErrorDetail) -> bytes:
    """The JSON of a refusal, and of an ``error`` event. A type of our own comes with its code."""
    told: dict[str, Any] = {"type": error_type(error), "message": error.message}
    if told["type"] not in STATUS_OF_TYPE and error.code:
        told["code"] = error.code
    if details := _DETAILS.get(error.code or ""):
        told["details"] = details
    return msgspec.json.encode({"type": "error", "error": told})


def error_frame(error: ErrorDetail) -> bytes:
    """The event that ends a stream which failed."""
    return b"event: error\ndata: %b\n\n" % error_body(error)


def read_error(body: bytes, status: int | None = None) -> ErrorDetail:
    """What an error says; for ``status=None`` (in-band) the type stands for a status.

    Never raises, and shows nothing of a body that is not an error object.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    outer: Mapping[str, Any] = value if isinstance(value, dict) else {}
    inner = outer.get("error")
    bare = {"message": inner, "type": outer.get("type")}
    told: Mapping[str, Any] = inner if isinstance(inner, dict) else bare
    kind = _word(told.get("type"))
    code = _word(told.get("code"))
    known = status or STATUS_OF_TYPE.get(kind or "", 500)
    message = _word(told.get("message")) or _word(outer.get("message")) or _word(outer.get("detail")) or code
    return ErrorDetail(
        message=message or _silent(known),
        status=known,
        type=None if kind == "error" else kind,
        code=code,
        param=_word(told.get("param")),
    )


def is_error(body: bytes) -> bool:
    """Whether an answer on status 200 is an error after all (pain 12)."""
    try:
        kind = _decode_kind(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return kind.type == "error" or (kind.type is None and bytes(kind.error) not in (b"", b"null"))


class _Kind(msgspec.Struct):
    type: str | None = None
    error: msgspec.Raw = msgspec.Raw(b"")


_decode_kind: Final = msgspec.json.Decoder(_Kind).decode


def _word(value: object) -> str | None:
    """A non-blank text, or a number as one."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _silent(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "no explanation"
    return f"The upstream answered with status {status} ({phrase})"
