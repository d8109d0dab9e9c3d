"""Content blocks ↔ parts: text, images and documents (translation spec, A.2.2)."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from ppap_core.conversation import File, Image, OpaquePart, Part, Refusal, Text
from ppap_core.conversation.kept import Kept, kept

from .block_reader import BlockReader, native
from .vocabulary import NAME

UNKNOWN_MEDIA_TYPE: Final = "application/octet-stream"

# --- reading ----------------------------------------------------------------------------------


class TextBlock(msgspec.Struct, tag="text", gc=False):
    text: str = ""
    citations: list[dict[str, Any]] | None = None
    cache_control: dict[str, Any] | None = None


class _Source(msgspec.Struct, gc=False):
    """``base64`` and ``mime_type`` are spellings that some clients use."""

    type: str = ""
    media_type: str | None = None
    mime_type: str | None = None
    data: str | None = None
    base64: str | None = None
    url: str | None = None
    file_id: str | None = None


class ImageBlock(msgspec.Struct, tag="image", gc=False):
    source: _Source | None = None
    url: str | None = None
    cache_control: dict[str, Any] | None = None


class _CitationsSwitch(msgspec.Struct, gc=False):
    enabled: bool | None = None


class DocumentBlock(msgspec.Struct, tag="document", gc=False):
    source: _Source | None = None
    title: str | None = None
    context: str | None = None
    citations: _CitationsSwitch | None = None
    cache_control: dict[str, Any] | None = None


CONTENT: Final = (TextBlock, ImageBlock, DocumentBlock)
_read: Final = BlockReader(*CONTENT).read
_blocks: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_KINDS: Final = [kind.__struct_config__.tag for kind in CONTENT]


def read_part(raw: bytes) -> Part:
    """A block that is content. One that only this format knows stays as it is.

    Raises `msgspec.MsgspecError` for wrong types.
    """
    block = _read(raw)
    return CONVERTERS[type(block)](block) or OpaquePart(NAME, native(raw))


def _nothing(block: None) -> None:
    pass


def _text(block: TextBlock) -> Part:
    if block.citations is None and block.cache_control is None:
        return Text(block.text)
    notes = tuple(map(annotation, block.citations or ()))
    return Text(block.text, annotations=notes, cache=block.cache_control)


def _image(block: ImageBlock) -> Part | None:
    source = block.source or _Source()
    image = Image(
        url=source.url or block.url,
        data=source.data or source.base64,
        media_type=source.media_type or source.mime_type,
        file_id=source.file_id,
        cache=block.cache_control,
    )
    return image if image.url or image.data or image.file_id else None


def _document(block: DocumentBlock) -> Part | None:
    source = block.source or _Source()
    data = source.data or source.base64
    plain = source.type == "text"
    if not (data or source.url or source.file_id):
        return None
    return File(
        data=None if plain else data,
        text=data if plain else None,
        url=source.url,
        file_id=source.file_id,
        media_type=source.media_type or source.mime_type,
        title=block.title,
        context=block.context,
        citations=block.citations.enabled if block.citations else None,
        cache=block.cache_control,
    )


CONVERTERS: Final[Mapping[type, Callable[[Any], Part | None]]] = {
    type(None): _nothing,
    str: Text,
    TextBlock: _text,
    ImageBlock: _image,
    DocumentBlock: _document,
}
"""What a `BlockReader` gives → the part, or ``None`` for what has no content that others know."""


def read_result(content: msgspec.Raw) -> Kept | Sequence[Part]:
    """The content of a tool result: text, blocks, one block without a list, or anything (C.3)."""
    first = bytes(memoryview(content)[:1])
    if first == b'"':
        return kept(content)
    if first == b"[":
        return list(map(read_part, _blocks(content)))
    raw = bytes(content)
    if raw in (b"", b"null"):
        return ""
    if first != b"{":
        return raw.decode()
    value = native(raw)
    if value.get("type") in _KINDS:
        return [read_part(raw)]
    text = value.get("text")
    return text if isinstance(text, str) else raw.decode()


# --- citations --------------------------------------------------------------------------------


def annotation(citation: Mapping[str, Any]) -> Mapping[str, Any]:
    """A citation with what other formats know of it: a link to a page, else nothing."""
    if isinstance(citation.get("url"), str):
        link = {"type": "url_citation", "url": citation["url"], "title": citation.get("title") or ""}
        return {**link, NAME: citation}
    return {"type": str(citation.get("type", "")), NAME: citation}


def citation_of(note: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The citation for a client; ``None`` for what this format cannot say."""
    own = note.get(NAME)
    if isinstance(own, Mapping):
        return own
    if note.get("type") != "url_citation":
        return None
    link = note.get("url_citation")
    link = link if isinstance(link, Mapping) else note
    return {
        "type": "web_search_result_location",
        "url": link.get("url") or "",
        "title": link.get("title") or "",
        "cited_text": "",
        "encrypted_index": "",
    }


# --- writing ----------------------------------------------------------------------------------


def block_of(part: Part, *, same_format: bool) -> dict[str, Any] | None:
    """The block for a part of a request; ``None`` for what an upstream would refuse or not know.

    Blank text is refused by the API, ids of uploaded files belong to whoever issued them, and
    there is no audio.
    """
    match part:
        case Text() | Refusal():
            return _text_block_of(part)
        case Image():
            source = _image_source(part, same_format)
            return source and _cached({"type": "image", "source": source}, part.cache)
        case File():
            return _document_block_of(part, same_format)
        case OpaquePart(format=origin, value=value):
            return dict(value) if origin == NAME else None
        case _:
            return None


def _text_block_of(part: Text | Refusal) -> dict[str, Any] | None:
    if not part.text.strip():
        return None
    block: dict[str, Any] = {"type": "text", "text": part.text}
    if isinstance(part, Refusal) or not (part.annotations or part.cache):
        return block
    own = [note[NAME] for note in part.annotations if NAME in note]
    return _cached({**block, "citations": own} if own else block, part.cache)


def _image_source(image: Image, same_format: bool) -> dict[str, Any] | None:
    if image.data is not None:
        media_type = image.media_type or UNKNOWN_MEDIA_TYPE
        return {"type": "base64", "media_type": media_type, "data": image.data}
    if image.url is not None:
        return {"type": "url", "url": image.url}
    return {"type": "file", "file_id": image.file_id} if same_format and image.file_id else None


def _document_block_of(file: File, same_format: bool) -> dict[str, Any] | None:
    media_type = file.media_type or _guessed(file.filename)
    if file.data is not None and media_type.startswith("image/"):
        image = Image(data=file.data, media_type=media_type, cache=file.cache)
        return block_of(image, same_format=same_format)
    source = _document_source(file, media_type, same_format)
    if source is None:
        return None
    block: dict[str, Any] = {"type": "document", "source": source}
    if title := file.title or file.filename:
        block["title"] = title
    if file.context:
        block["context"] = file.context
    if file.citations is not None:
        block["citations"] = {"enabled": file.citations}
    return _cached(block, file.cache)


def _document_source(file: File, media_type: str, same_format: bool) -> dict[str, Any] | None:
    text = file.text
    if text is None and file.data is not None and media_type.startswith("text/"):
        text = _plain_text(file.data)
    if text is not None:
        return {"type": "text", "media_type": "text/plain", "data": text}
    if file.data is not None:
        return {"type": "base64", "media_type": media_type, "data": file.data}
    if file.url is not None:
        return {"type": "url", "url": file.url}
    return {"type": "file", "file_id": file.file_id} if same_format and file.file_id else None


def _plain_text(data: str) -> str | None:
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _guessed(filename: str | None) -> str:
    return mimetypes.guess_type(filename or "")[0] or UNKNOWN_MEDIA_TYPE


def _cached(block: dict[str, Any], cache: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**block, "cache_control": dict(cache)} if cache else block


def result_content(content: Kept | Sequence[Part], *, same_format: bool) -> Kept | list[dict[str, Any]]:
    """The content of a ``tool_result``: a lone text is a plain string, an empty list stays one.

    If nothing in it can be said in this format, it is given as JSON text, so that the model sees it.
    """
    if isinstance(content, str | msgspec.Raw):
        return content
    blocks = [block for part in content if (block := block_of(part, same_format=same_format))]
    if not blocks and any(isinstance(part, OpaquePart) for part in content):
        return orjson.dumps([part.value for part in content if isinstance(part, OpaquePart)]).decode()
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"} and not same_format:
        return str(blocks[0]["text"])
    return blocks
