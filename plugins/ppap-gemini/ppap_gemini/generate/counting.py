"""Counting tokens: what ``countTokens`` is asked, and what it answers (Gemini spec, 15)."""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.wire import JsonBody, Target

from .request_decoder import MODEL_PREFIX, model_of

WHOLE_REQUEST: Final = "generateContentRequest"
_SETTINGS: Final = ("tools", "toolConfig", "generationConfig", "safetySettings")


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int


def whole_request(body: JsonBody, target: Target) -> bytes:
    """The request as a whole, so that its tools and instructions are counted, too."""
    model = msgspec.json.encode(MODEL_PREFIX + model_of(target.model))
    return b'{"%b":%b}' % (WHOLE_REQUEST.encode(), body.edited({"model": model}))


def without_settings(body: JsonBody, target: Target) -> bytes:
    """The contents only, for an endpoint that knows no whole requests."""
    return body.edited({key: None for key in _SETTINGS if key in body})


def asked_about(body: JsonBody) -> JsonBody:
    """The request that a client wants counted: the body, or what it wraps. Raises `InvalidRequest`."""
    wrapped = body.raw(WHOLE_REQUEST)
    return body if wrapped is None else JsonBody(wrapped)


def read_count(body: bytes) -> int | None:
    """The count in an answer; ``None`` if there is none."""
    try:
        return msgspec.json.decode(body, type=_Count).total_tokens
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def count_body(tokens: int) -> bytes:
    """The answer for a client."""
    details = [{"modality": "TEXT", "tokenCount": tokens}]
    return msgspec.json.encode({"totalTokens": tokens, "promptTokensDetails": details})
