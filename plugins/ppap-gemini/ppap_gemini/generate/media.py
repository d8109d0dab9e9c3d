"""Images, sound and documents: parts of a conversation ↔ inline data or links (Gemini spec, 4.2)."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.conversation import Audio, File, Image, Part, Text

UNKNOWN_TYPE: Final = "application/octet-stream"
UNNAMED_IMAGE: Final = "image/png"
"""What a model's image without a type is."""

TYPE_OF_AUDIO: Final[Mapping[str, str]] = {
    "": "audio/wav",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "webm": "audio/webm",
    "pcm16": "audio/pcm",
    "g711_ulaw": "audio/basic",
    "g711_alaw": "audio/basic",
}
_AUDIO_OF_TYPE: Final[Mapping[str, str]] = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/pcm": "pcm16",
}


class Blob(msgspec.Struct, rename="camel"):
    """``inlineData``; ``data`` is base64 text."""

    mime_type: str | None = None
    data: str | None = None


class FileData(msgspec.Struct, rename="camel"):
    """``fileData``: something that the upstream fetches itself."""

    mime_type: str | None = None
    file_uri: str | None = None


def read_blob(blob: Blob) -> Part | None:
    """``None`` for one without data."""
    if not blob.data:
        return None
    kind = blob.mime_type or UNKNOWN_TYPE
    if kind.startswith("image/"):
        return Image(data=blob.data, media_type=kind)
    if kind.startswith("audio/"):
        plain = kind.partition(";")[0]
        return Audio(_AUDIO_OF_TYPE.get(plain, plain.removeprefix("audio/")), blob.data)
    return File(data=blob.data, media_type=kind)


def read_file(file: FileData) -> Part | None:
    """A link that others can follow stays one; any other becomes words that name it."""
    uri = file.file_uri
    if not uri:
        return None
    kind = file.mime_type or mimetypes.guess_type(uri)[0]
    if uri.startswith(("http://", "https://")):
        if kind and kind.startswith("image/"):
            return Image(url=uri, media_type=kind)
        if kind == "application/pdf":
            return File(url=uri, media_type=kind)
    return Text(f"File: {uri}" + (f" (Type: {file.mime_type})" if file.mime_type else ""))


def media_part(part: Part) -> dict[str, Any] | None:
    """The Gemini part; ``None`` for what cannot be expressed, such as another vendor's file id."""
    match part:
        case Image(data=str(data)):
            return _inline(part.media_type or UNKNOWN_TYPE, data)
        case Image(url=str(url)):
            return _linked(url, part.media_type)
        case Audio():
            return _inline(TYPE_OF_AUDIO.get(part.format, f"audio/{part.format}"), part.data)
        case File(data=str(data)):
            return _file(data, part)
        case File(text=str(text)):
            return {"text": text} if text else None
        case File(url=str(url)):
            return _linked(url, part.media_type)
        case _:
            return None


def _inline(kind: str, data: str) -> dict[str, Any] | None:
    return {"inlineData": {"mimeType": kind, "data": data}} if data else None


def _linked(url: str, kind: str | None) -> dict[str, Any]:
    """The type is said where it is known: the upstream guesses from the answer it gets otherwise."""
    known = kind or mimetypes.guess_type(url.partition("?")[0])[0]
    linked = {"fileUri": url}
    return {"fileData": {"mimeType": known, **linked} if known else linked}


def _file(data: str, file: File) -> dict[str, Any] | None:
    """A document whose type nobody knows is left out; the API would refuse it."""
    kind = file.media_type or mimetypes.guess_type(file.filename or "")[0]
    return _inline(kind, data) if kind else None
