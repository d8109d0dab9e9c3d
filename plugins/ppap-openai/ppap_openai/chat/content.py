"""Content parts of messages, read and written (translation spec, A.2.2)."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from ppap_core.conversation import Audio, CacheControl, File, Image, OpaquePart, Part, Refusal, Text
from ppap_core.errors import InvalidRequest

from .name import FORMAT

UNKNOWN_MEDIA: Final = "application/octet-stream"
_DETAILS: Final[Mapping[str, str]] = {"auto": "auto", "low": "low", "high": "high", "original": "high"}
"""Canonical image detail → Chat's; others are left out."""


class _ImageUrl(msgspec.Struct):
    url: str
    detail: str | None = None


class _FileBody(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _AudioBody(msgspec.Struct):
    data: str
    format: str = "wav"


class _TextPart(msgspec.Struct):
    text: str
    cache_control: Any = None


class _RefusalPart(msgspec.Struct):
    refusal: str


class _ImagePart(msgspec.Struct):
    image_url: str | _ImageUrl
    cache_control: Any = None


class _FilePart(msgspec.Struct):
    file: _FileBody
    cache_control: Any = None


class _AudioPart(msgspec.Struct):
    input_audio: _AudioBody


def cache_of(value: Any) -> CacheControl | None:
    """A breakpoint counts only as an object; vendors' other spellings mean nothing elsewhere."""
    return value if isinstance(value, dict) else None


def read_part(value: Any) -> Part:
    """One element of a list content. Raises `InvalidRequest`; unknown types are kept as they are."""
    if isinstance(value, str):
        return Text(value)
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise InvalidRequest(
            "Invalid request: a content part must be an object with a `type`", param="messages"
        )
    known = _READERS.get(kind)
    if known is None:
        return OpaquePart(FORMAT, value)
    shape, read = known
    try:
        return read(msgspec.convert(value, shape))
    except msgspec.ValidationError as error:
        raise InvalidRequest(
            f"Invalid request: a content part of type {kind!r}: {error}", param="messages"
        ) from None


def _read_text(part: _TextPart) -> Part:
    return Text(part.text, cache=cache_of(part.cache_control))


def _read_refusal(part: _RefusalPart) -> Part:
    return Refusal(part.refusal)


def _read_image(part: _ImagePart) -> Part:
    told = _ImageUrl(part.image_url) if isinstance(part.image_url, str) else part.image_url
    return image_of_url(told.url, detail=told.detail, cache=cache_of(part.cache_control))


def _read_file(part: _FilePart) -> Part:
    told = part.file
    media_type, data = split_data_url(told.file_data or "") or (None, told.file_data)
    if media_type is None and data and told.filename:
        media_type = mimetypes.guess_type(told.filename)[0]
    return File(
        data=data or None,
        media_type=media_type,
        file_id=told.file_id,
        filename=told.filename,
        cache=cache_of(part.cache_control),
    )


def _read_audio(part: _AudioPart) -> Part:
    return Audio(part.input_audio.format, part.input_audio.data)


_Reader: TypeAlias = tuple[type[msgspec.Struct], Callable[[Any], Part]]
_READERS: Final[Mapping[str, _Reader]] = {
    "text": (_TextPart, _read_text),
    "refusal": (_RefusalPart, _read_refusal),
    "image_url": (_ImagePart, _read_image),
    "file": (_FilePart, _read_file),
    "input_audio": (_AudioPart, _read_audio),
}


def image_of_url(url: str, *, detail: str | None = None, cache: CacheControl | None = None) -> Image:
    """An image by its address, or by its bytes where the address holds them."""
    if (split := split_data_url(url)) is not None:
        return Image(data=split[1], media_type=split[0], detail=detail, cache=cache)
    return Image(url=url, detail=detail, cache=cache)


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 text of a data URL; ``None`` for any other text."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return head[5:].partition(";")[0] or UNKNOWN_MEDIA, data


# --- writing ------------------------------------------------------------------------------------


def write_part(part: Part, source: str) -> dict[str, Any] | None:
    """A part as Chat has it; ``None`` where Chat cannot say it.

    `source` is the format of the request: what only one upstream knows, such as the id of an
    uploaded file, is given back to that format only. Cache breakpoints are never sent: upstreams
    that speak Chat cache on their own, and some refuse the field.
    """
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    match part:
        case Image():
            return _write_image(part)
        case File():
            return _write_file(part, source)
        case Audio(format=kind, data=data):
            return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}
        case OpaquePart(format=kind, value=value):
            return dict(value) if kind == FORMAT else None
        case Refusal():
            return None


def url_of_image(image: Image) -> str | None:
    """Its address, or a data URL; ``None`` for an uploaded file's id."""
    if image.data is not None:
        return f"data:{image.media_type or UNKNOWN_MEDIA};base64,{image.data}"
    return image.url


def _write_image(image: Image) -> dict[str, Any] | None:
    url = url_of_image(image)
    if url is None:
        return None
    told = {"url": url}
    if (detail := _DETAILS.get(image.detail or "")) is not None:
        told["detail"] = detail
    return {"type": "image_url", "image_url": told}


def _write_file(file: File, source: str) -> dict[str, Any] | None:
    if file.text is not None:
        return {"type": "text", "text": file.text}
    if file.data is not None:
        media_type = file.media_type or UNKNOWN_MEDIA
        told = {
            "filename": file.filename
            or file.title
            or f"document{mimetypes.guess_extension(media_type) or ''}",
            "file_data": f"data:{media_type};base64,{file.data}",
        }
        return {"type": "file", "file": told}
    if file.file_id is not None and source == FORMAT:
        named = {"filename": file.filename} if file.filename else {}
        return {"type": "file", "file": {"file_id": file.file_id, **named}}
    return None
