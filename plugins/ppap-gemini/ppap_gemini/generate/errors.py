"""Errors: ``{"error": {"code", "message", "status", "details"}}`` (Gemini spec, 17)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
import orjson

from ppap_core.conversation import ErrorDetail

WORD_OF_STATUS: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
STATUS_OF_WORD: Final[Mapping[str, int]] = {
    **{word: status for status, word in WORD_OF_STATUS.items()},
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "ALREADY_EXISTS": 409,
    "DATA_LOSS": 500,
    "UNKNOWN": 500,
}

_RETRY_INFO: Final = "google.rpc.RetryInfo"
_ERROR_INFO: Final = "google.rpc.ErrorInfo"
_PIECE: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS: Final[Mapping[str, float]] = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_IN_WORDS: Final = re.compile(r"after\s+((?:\d+h)?(?:\d+m)?(?:\d+s)?)\.?", re.IGNORECASE)


def error_word(error: ErrorDetail) -> str:
    """The upstream's own word if it is one of Google's, else the one for the status."""
    for told in (error.type, error.code):
        if told in STATUS_OF_WORD:
            return str(told)
    fallback = "INTERNAL" if error.status >= 500 else "INVALID_ARGUMENT"
    return WORD_OF_STATUS.get(error.status, fallback)


def error_body(error: ErrorDetail) -> bytes:
    """The JSON of a refusal, and of an error in a stream.

    The delay goes where Google's clients look for it; they ignore the header. So do words that are
    none of Google's: a code as the reason, and its type as the domain.
    """
    told: dict[str, Any] = {"code": error.status, "message": error.message, "status": error_word(error)}
    details = []
    if error.code and error.type and error.type not in STATUS_OF_WORD:
        reason = {"reason": error.code, "domain": error.type}
        details.append({"@type": f"type.googleapis.com/{_ERROR_INFO}", **reason})
    if error.retry_after is not None:
        delay = f"{error.retry_after:.3f}".rstrip("0").rstrip(".")
        details.append({"@type": f"type.googleapis.com/{_RETRY_INFO}", "retryDelay": f"{delay}s"})
    if details:
        told["details"] = details
    return msgspec.json.encode({"error": told})


def error_frame(error: ErrorDetail) -> bytes:
    """The frame that ends a stream which failed.

    Without an ``event`` line: Google's SDKs take such a line for half a JSON text, or skip the frame.
    """
    return b"data: %b\n\n" % error_body(error)


class _Error(msgspec.Struct):
    error: dict[str, Any]


_error: Final = msgspec.json.Decoder(_Error).decode


def is_error(body: bytes) -> bool:
    """Whether a body is an error object, which clients of the format can read."""
    try:
        _error(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def read_error(body: bytes, status: int | None = None) -> ErrorDetail:
    """What an error says; for ``status=None`` (in-band) its own code stands for a status.

    Never raises, and shows nothing of a body that is not an error object. Some endpoints wrap the
    object in a list.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict) and "error" not in value:
        value = value.get("response", value)  # in the envelope of a chunk
    outer: Mapping[str, Any] = value if isinstance(value, dict) else {}
    inner = outer.get("error")
    told: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    word = _word(told.get("status"))
    known = status or _known_status(told.get("code"), word)
    message = _word(told.get("message")) or _word(inner) or _word(outer.get("message"))
    return ErrorDetail(
        message=message or word or _silent(known),
        status=known,
        type=word,
        code=_reason(told.get("details")),
        retry_after=_retry_after(told, message or ""),
    )


def _known_status(code: object, word: str | None) -> int:
    if isinstance(code, int) and 400 <= code <= 599:
        return code
    return STATUS_OF_WORD.get(word or "", 500)


def duration(text: object) -> float | None:
    """Seconds of ``0.8s``, ``373.8ms`` or ``1h2m3s``; ``None`` for anything else."""
    if not isinstance(text, str) or not text:
        return None
    pieces = _PIECE.findall(text)
    if "".join(number + unit for number, unit in pieces) != text:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in pieces)


def _retry_after(error: Mapping[str, Any], message: str) -> float | None:
    """When to try again, in seconds; the first place that says so counts (17.2)."""
    for detail in _details(error.get("details"), _RETRY_INFO):
        return duration(detail.get("retryDelay"))
    for detail in _details(error.get("details"), _ERROR_INFO):
        metadata = detail.get("metadata")
        if isinstance(metadata, Mapping) and (delay := duration(metadata.get("quotaResetDelay"))) is not None:
            return delay
    for written in _IN_WORDS.findall(message):
        if delay := duration(written.lower()):
            return delay
    return None


def _details(details: object, kind: str) -> list[Mapping[str, Any]]:
    listed: Sequence[object] = details if isinstance(details, list) else ()
    return [each for each in listed if isinstance(each, dict) and str(each.get("@type", "")).endswith(kind)]


def _reason(details: object) -> str | None:
    """Google's machine-readable reason, such as ``API_KEY_INVALID``."""
    return next((_word(detail.get("reason")) for detail in _details(details, _ERROR_INFO)), None)


def _word(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _silent(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "no explanation"
    return f"The upstream answered with status {status} ({phrase})"
