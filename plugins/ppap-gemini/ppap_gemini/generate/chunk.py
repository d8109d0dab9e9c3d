"""An upstream's answer, or one chunk of a streamed one: the same object (Gemini spec, 11.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec

from ppap_core.errors import MalformedReply, UpstreamFault

from .errors import read_error
from .parts import PartFields
from .spelling import answer_in_camel_case, has_snake_case
from .usage import NOTHING
from .vocabulary import NAME


class _Content(msgspec.Struct, gc=False):
    parts: list[PartFields] | None = None


class Candidate(msgspec.Struct, rename="camel", gc=False):
    """One of the answers. ``index`` is left out where there is only one."""

    index: int | None = None
    content: _Content | None = None
    finish_reason: str | None = None
    grounding_metadata: dict[str, Any] | None = None

    @property
    def parts(self) -> Sequence[PartFields]:
        return (self.content.parts or ()) if self.content is not None else ()


class _PromptFeedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class Chunk(msgspec.Struct, rename="camel", gc=False):
    """What is read of it. ``usage`` is ``usageMetadata``, undecoded."""

    candidates: list[Candidate] | None = None
    prompt_feedback: _PromptFeedback | None = None
    usage: msgspec.Raw = msgspec.field(default=NOTHING, name="usageMetadata")
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None
    error: msgspec.Raw = NOTHING

    @property
    def blocked(self) -> bool:
        """The prompt itself was refused."""
        return bool(self.prompt_feedback and self.prompt_feedback.block_reason)

    @property
    def failed(self) -> bool:
        """It is an error, whatever the HTTP status said (pain 12)."""
        return self.error is not NOTHING and bytes(self.error) != b"null"

    @property
    def created(self) -> int | None:
        """Unix seconds; ``None`` when it does not say, or says it otherwise."""
        try:
            return int(datetime.fromisoformat(self.create_time).timestamp()) if self.create_time else None
        except ValueError:
            return None


class _Envelope(Chunk, gc=False):
    """A chunk inside of ``response``, or the chunk itself (Gemini spec, 1)."""

    response: Chunk | None = None


ReadChunk: TypeAlias = Callable[[bytes], Chunk]
"""Raises `UNREADABLE` for what is no chunk."""

read_chunk: Final[ReadChunk] = msgspec.json.Decoder(Chunk).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_chunks: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_enveloped(data: bytes) -> Chunk:
    """A chunk in an envelope; an error stands outside of it. Raises `UNREADABLE`."""
    envelope = _envelope(data)
    chunk = envelope.response
    if chunk is None or envelope.failed:
        return envelope
    if chunk.usage is NOTHING:
        chunk.usage = envelope.usage  # some gateways count outside
    return chunk


def reader_of(whole: bytes, read: ReadChunk) -> ReadChunk:
    """The reader for all chunks of one read: where it may hold the other spelling, that is turned first."""
    return (lambda data: read(answer_in_camel_case(data))) if has_snake_case(whole) else read


def read_answer(body: bytes, read: ReadChunk = read_chunk) -> list[Chunk]:
    """A whole answer: one object, or the list of chunks that some endpoints send instead.

    Raises `UpstreamFault` for an error told on a 200, `MalformedReply` for anything else.
    """
    try:
        raw = _chunks(body) if body.lstrip()[:1] == b"[" else [body]
        read = reader_of(body, read)
        chunks = [read(bytes(each)) for each in raw]
    except UNREADABLE as error:
        raise MalformedReply(f"{NAME}: the upstream's answer is no answer: {error}") from None
    for chunk, told in zip(chunks, raw, strict=True):
        if chunk.failed:
            raise UpstreamFault(read_error(bytes(told)), body)
    if not any(chunk.candidates is not None or chunk.blocked for chunk in chunks):
        raise MalformedReply(f"{NAME}: the upstream's answer has no candidates, and says nothing else")
    return chunks


def link_notes(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a grounded answer rests on, as links (11.4): one for each stretch of text and its source."""
    pages = [_page(chunk) for chunk in _list(told.get("groundingChunks"))]
    notes: list[Mapping[str, Any]] = []
    for support in _list(told.get("groundingSupports")):
        segment = support.get("segment") if isinstance(support, Mapping) else None
        place = segment if isinstance(segment, Mapping) else {}
        indices = _list(support.get("groundingChunkIndices")) if isinstance(support, Mapping) else []
        for index in indices:
            page = pages[index] if isinstance(index, int) and 0 <= index < len(pages) else None
            if page is not None:
                bounds = {
                    "start_index": place.get("startIndex") or 0,
                    "end_index": place.get("endIndex") or 0,
                }
                notes.append({"type": "url_citation", **page, **bounds})
    return notes


def _page(chunk: object) -> Mapping[str, str] | None:
    web = chunk.get("web") if isinstance(chunk, Mapping) else None
    uri = web.get("uri") if isinstance(web, Mapping) else None
    if not isinstance(web, Mapping) or not isinstance(uri, str):
        return None
    return {"url": uri, "title": str(web.get("title") or "")}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
