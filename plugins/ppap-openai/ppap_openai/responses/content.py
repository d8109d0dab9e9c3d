"""Content parts, read from Responses and written for it (translation spec, A.2.2, C.3)."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from ppap_core.conversation import Audio, File, Image, OpaquePart, Part, Refusal, Role, Text
from ppap_core.errors import InvalidRequest

from ..chat.content import UNKNOWN_MEDIA, cache_of, image_of_url, split_data_url, url_of_image
from .annotations import read_annotation, write_annotation
from .name import FORMAT, JsonObject

DETAILS: Final = frozenset({"auto", "low", "high", "original"})
"""What this format knows of an image's detail; other words are left out."""


class _TextPart(msgspec.Struct):
    text: str
    annotations: list[Any] | None = None
    cache_control: Any = None


class _RefusalPart(msgspec.Struct):
    refusal: str


class _Url(msgspec.Struct):
    url: str


class _ImagePart(msgspec.Struct):
    image_url: str | _Url | None = None
    file_id: str | None = None
    detail: str | None = None
    cache_control: Any = None


class _FilePart(msgspec.Struct):
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    cache_control: Any = None


class _AudioBody(msgspec.Struct):
    data: str
    format: str = "wav"


class _AudioPart(msgspec.Struct):
    input_audio: _AudioBody | None = None
    data: str | None = None
    format: str = "wav"


def read_part(value: Any) -> Part:
    """One element of a list content. Raises `InvalidRequest`; unknown types are kept as they are."""
    if isinstance(value, str):
        return Text(value)
    kind = value.get("type", "input_text") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        raise InvalidRequest("Invalid request: a content part must be an object with a `type`", param="input")
    known = _READERS.get(kind)
    if known is None:
        return OpaquePart(FORMAT, value)
    shape, read = known
    try:
        return read(msgspec.convert(value, shape))
    except msgspec.ValidationError as error:
        raise InvalidRequest(
            f"Invalid request: a content part of type {kind!r}: {error}", param="input"
        ) from None


def _read_text(part: _TextPart) -> Part:
    notes = (read_annotation(each) for each in part.annotations or ())
    return Text(
        part.text,
        annotations=tuple(note for note in notes if note is not None),
        cache=cache_of(part.cache_control),
    )


def _read_refusal(part: _RefusalPart) -> Part:
    return Refusal(part.refusal)


def _read_image(part: _ImagePart) -> Part:
    cache = cache_of(part.cache_control)
    if part.image_url is None:
        return Image(file_id=part.file_id, detail=part.detail, cache=cache)
    url = part.image_url if isinstance(part.image_url, str) else part.image_url.url
    return image_of_url(url, detail=part.detail, cache=cache)


def _read_file(part: _FilePart) -> Part:
    """``file_data`` is a data URL; bare base64 is taken too, of the type that the name suggests."""
    media_type, data = split_data_url(part.file_data or "") or (None, part.file_data)
    if media_type is None and data and part.filename:
        media_type = mimetypes.guess_type(part.filename)[0]
    return File(
        data=data or None,
        media_type=media_type,
        url=part.file_url,
        file_id=part.file_id,
        filename=part.filename,
        cache=cache_of(part.cache_control),
    )


def _read_audio(part: _AudioPart) -> Part:
    told = part.input_audio or _AudioBody(part.data or "", part.format)
    return Audio(told.format, told.data)


_Reader: TypeAlias = tuple[type[msgspec.Struct], Callable[[Any], Part]]
_READERS: Final[Mapping[str, _Reader]] = {
    "input_text": (_TextPart, _read_text),
    "output_text": (_TextPart, _read_text),
    "text": (_TextPart, _read_text),
    "refusal": (_RefusalPart, _read_refusal),
    "input_image": (_ImagePart, _read_image),
    "input_file": (_FilePart, _read_file),
    "input_audio": (_AudioPart, _read_audio),
}


# --- writing ------------------------------------------------------------------------------------


def write_part(part: Part, role: Role, source: str) -> JsonObject | None:
    """A part as Responses has it; ``None`` where it cannot say it in a message of this role.

    `source` is the format of the request: ids of uploaded files go back to that format only.
    """
    match part:
        case Text():
            return _write_text(part, role)
        case Refusal(text=text):
            return {"type": "refusal", "refusal": text} if role == "assistant" else None
        case OpaquePart(format=kind, value=value):
            return dict(value) if kind == FORMAT else None
        case _ if role == "assistant":
            return None
        case Image():
            return _write_image(part, source)
        case File():
            return _write_file(part, source)
        case Audio(format=kind, data=data):
            return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}


def _write_text(part: Text, role: Role) -> JsonObject:
    if role != "assistant":
        return {"type": "input_text", "text": part.text}
    notes = [note for each in part.annotations if (note := write_annotation(each)) is not None]
    annotations = {"annotations": notes} if notes else {}
    return {"type": "output_text", "text": part.text, **annotations}


def _write_image(image: Image, source: str) -> JsonObject | None:
    detail = {"detail": image.detail} if image.detail in DETAILS else {}
    if (url := url_of_image(image)) is not None:
        return {"type": "input_image", "image_url": url, **detail}
    if image.file_id is not None and source == FORMAT:
        return {"type": "input_image", "file_id": image.file_id, **detail}
    return None


def _write_file(file: File, source: str) -> JsonObject | None:
    if file.text is not None:
        return {"type": "input_text", "text": file.text}
    if file.data is not None:
        media_type = file.media_type or UNKNOWN_MEDIA
        name = file.filename or file.title or f"document{mimetypes.guess_extension(media_type) or ''}"
        data = f"data:{media_type};base64,{file.data}"
        return {"type": "input_file", "filename": name, "file_data": data}
    if file.url is not None:
        return {"type": "input_file", "file_url": file.url}
    if file.file_id is not None and source == FORMAT:
        return {"type": "input_file", "file_id": file.file_id}
    return None
