"""One event of an upstream's stream, as a typed struct (translation spec, B.2.3).

Decoding is strict first; an event with a field of another type is read again without that field,
so that one vendor's odd field never costs a user the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.errors import MalformedStream

ABSENT: Final = msgspec.Raw(b"null")


class WireEvent(msgspec.Struct, gc=False):
    type: str = ""
    output_index: int | None = None
    item_id: str | None = None
    content_index: int | None = None
    summary_index: int | None = None
    delta: str | None = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    partial_image_b64: str | None = None
    output_format: str | None = None
    item: msgspec.Raw = ABSENT
    part: msgspec.Raw = ABSENT
    response: msgspec.Raw = ABSENT
    annotation: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


_strictly: Final = msgspec.json.Decoder(WireEvent).decode
_KINDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(("output_index", "content_index", "summary_index"), int),
    **dict.fromkeys(("type", "item_id", "delta", "text", "refusal", "arguments", "input"), str),
    **dict.fromkeys(("partial_image_b64", "output_format"), str),
}
_RAW: Final = ("item", "part", "response", "annotation", "error")


def read_event(data: bytes) -> WireEvent | None:
    """``None`` for JSON that is no object. Raises `MalformedStream` for what is no JSON."""
    try:
        return _strictly(data)
    except msgspec.ValidationError:
        return _mended(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise not_json(data) from None


def _mended(data: bytes) -> WireEvent | None:
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise not_json(data) from None
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {
        key: value[key]
        for key, kind in _KINDS.items()
        if isinstance(value.get(key), kind) and not isinstance(value[key], bool)
    }
    fields |= {key: msgspec.Raw(msgspec.json.encode(value[key])) for key in _RAW if key in value}
    return WireEvent(**fields)


def not_json(data: bytes) -> MalformedStream:
    return MalformedStream(f"openai-responses: invalid SSE data JSON (len={len(data)})")


def json_object(raw: msgspec.Raw) -> dict[str, Any]:
    """An object inside of an event; empty for anything else."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
