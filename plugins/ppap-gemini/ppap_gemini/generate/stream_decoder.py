"""An upstream's stream → events (Gemini spec, 12).

A chunk is a whole answer object with some more parts in it. Nothing in the format ends a stream but
its end; an answer is whole when each of its candidates gave a reason to finish.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.conversation import (
    Delta,
    End,
    Event,
    Finish,
    Image,
    ItemEnd,
    ItemKind,
    ItemMeta,
    ItemStart,
    Start,
    StreamError,
    UsageUpdate,
)
from ppap_core.errors import MalformedStream
from ppap_core.wire import NameMap
from ppap_core.wire.sse import FrameSplitter, frames, payload, plain_payloads

from .chunk import UNREADABLE, Candidate, Chunk, ReadChunk, link_notes, read_chunk, reader_of
from .errors import read_error
from .media import UNNAMED_IMAGE, Blob
from .names import minted_id
from .parts import FunctionCall, PartFields, code_text
from .signatures import is_own_signature, without_sentinel
from .usage import NOTHING, read_usage
from .vocabulary import NAME, finish_reason

_DONE: Final = b"[DONE]"


_KIND_OF_THOUGHT: Final[dict[bool | None, ItemKind]] = {True: "reasoning", False: "text", None: "text"}


def _says_no_more(part: PartFields) -> bool:
    """Whether a part is text and nothing besides, as most are."""
    return part.thought_signature is None and part.function_call is None and part.inline_data is None


class _Choice:
    """One candidate so far; at most one of its items is open, and told of by its key."""

    __slots__ = ("called", "finished", "key", "kind")

    def __init__(self) -> None:
        self.key = -1
        self.kind: ItemKind | None = None
        self.called = False
        self.finished = False


class ChunkReader:
    """Turns chunks, one after the other, into events; a whole answer is a single chunk."""

    def __init__(self, names: NameMap) -> None:
        self._names = names
        self._choices: dict[int, _Choice] = {}
        self._next_key = 0
        self._begun = False
        self._response_id = ""
        self._counts: msgspec.Raw | None = None
        self._finished = False

    def read(self, chunk: Chunk, events: list[Event]) -> None:
        """Appends what a chunk that is no error says."""
        if not self._begun:
            self._begun = True
            self._response_id = chunk.response_id or ""
            events.append(Start(chunk.response_id, chunk.model_version, chunk.created))
        for place, candidate in enumerate(chunk.candidates or ()):
            self._candidate(candidate, place if candidate.index is None else candidate.index, events)
        if not chunk.candidates and chunk.blocked:
            self._finish(0, "SAFETY", events)
        if self._counts is None or self._finished:
            self._count(chunk.usage, events)
        elif chunk.usage is not NOTHING:
            self._counts = chunk.usage

    def close(self, events: list[Event]) -> None:
        """Ends what is open."""
        if self._counts is not None:
            self._tell_usage(self._counts, events)
        for choice in self._choices.values():
            self._end_item(choice, events)

    def _count(self, counts: msgspec.Raw, events: list[Event]) -> None:
        """Every chunk has counts; the first tell of the prompt, and only the last of the answer (12.2).

        Those between are not even decoded, which would cost more than all the rest of a chunk.
        """
        if counts is not NOTHING:
            self._tell_usage(counts, events)
            self._counts = NOTHING

    def _tell_usage(self, counts: msgspec.Raw, events: list[Event]) -> None:
        if (usage := read_usage(counts)) is not None:
            events.append(UsageUpdate(usage))

    def _candidate(self, candidate: Candidate, index: int, events: list[Event]) -> None:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice()
        if choice.finished:
            return
        content = candidate.content
        for part in (content.parts or ()) if content is not None else ():
            if choice.kind == _KIND_OF_THOUGHT[part.thought] and part.text and _says_no_more(part):
                events.append(Delta(choice.key, choice.kind, part.text))
            else:
                self._part(part, choice, index, events)
        if candidate.grounding_metadata is not None and choice.kind == "text":
            notes = link_notes(candidate.grounding_metadata)
            events += [ItemMeta(choice.key, annotation=note) for note in notes]
        if candidate.finish_reason:
            self._finish(index, candidate.finish_reason, events)

    def _part(self, part: PartFields, choice: _Choice, index: int, events: list[Event]) -> None:
        signature = without_sentinel(part.thought_signature)
        if part.function_call is not None:
            if signature:
                self._signed(choice, index, signature, events)
            self._call(part.function_call, choice, index, events)
            return
        if part.inline_data is not None:
            self._image(part.inline_data, choice, index, events)
        elif text := part.text or code_text(part):
            kind = _KIND_OF_THOUGHT[part.thought]
            if choice.kind != kind:
                self._open(choice, kind, index, events)
            events.append(Delta(choice.key, kind, text))
        if signature:
            self._signed(choice, index, signature, events)

    def _signed(self, choice: _Choice, index: int, signature: str, events: list[Event]) -> None:
        """A signature goes to the thought it follows; where there is none, it is an item of its own."""
        if choice.kind != "reasoning":
            self._open(choice, "reasoning", index, events)
        origin = NAME if is_own_signature(signature) else None
        events.append(ItemMeta(choice.key, signature=signature, origin=origin))
        self._end_item(choice, events)

    def _call(self, call: FunctionCall, choice: _Choice, index: int, events: list[Event]) -> None:
        """A call comes whole."""
        self._end_item(choice, events)
        choice.called = True
        key = self._next_key
        self._next_key += 1
        name = self._names.client_name(call.name) or f"tool_{key}"
        call_id = call.id or minted_id(self._response_id, key, call.name, call.arguments)
        events.append(ItemStart(key, "tool_call", call_id, name, choice=index))
        events.append(Delta(key, "tool_call", call.arguments))
        events.append(ItemEnd(key))

    def _image(self, blob: Blob, choice: _Choice, index: int, events: list[Event]) -> None:
        """A picture, or sound, that the model made."""
        self._end_item(choice, events)
        key = self._next_key
        self._next_key += 1
        told = {"mimeType": blob.mime_type or UNNAMED_IMAGE, "data": blob.data or ""}
        shown = told["mimeType"].startswith("image/")
        image = Image(data=told["data"], media_type=told["mimeType"]) if shown else None
        events.append(ItemStart(key, "server_tool", choice=index))
        events.append(ItemMeta(key, origin=NAME, native={"inlineData": told}, image=image))
        events.append(ItemEnd(key))

    def _open(self, choice: _Choice, kind: ItemKind, index: int, events: list[Event]) -> None:
        self._end_item(choice, events)
        choice.key, choice.kind = self._next_key, kind
        self._next_key += 1
        events.append(ItemStart(choice.key, kind, choice=index))

    def _end_item(self, choice: _Choice, events: list[Event]) -> None:
        if choice.kind is not None:
            events.append(ItemEnd(choice.key))
            choice.kind = None

    def _finish(self, index: int, word: str, events: list[Event]) -> None:
        choice = self._choices.setdefault(index, _Choice())
        if not choice.finished:
            self._end_item(choice, events)
            choice.finished = self._finished = True
            events.append(Finish(finish_reason(word, called=choice.called), choice=index))


class GeminiStreamDecoder:
    """See `ppap_core.wire.StreamDecoder`. Nothing counts after an error."""

    def __init__(self, names: NameMap, read_chunk: ReadChunk = read_chunk) -> None:
        self._read_chunk = read_chunk
        self._reader = ChunkReader(names)
        self._splitter = FrameSplitter()
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Raises `MalformedStream` for data that is no chunk."""
        events: list[Event] = []
        whole = self._splitter.feed(data)
        if whole and not self._over:
            self._frames(whole, events)
        return events

    def close(self) -> list[Event]:
        """A last chunk without its blank line counts if it is whole; half of one does not."""
        events: list[Event] = []
        rest = self._splitter.close().strip()
        if rest and not self._over:
            try:
                self._frames(rest, events)
            except MalformedStream:
                events.clear()
        if not self._over:
            self._reader.close(events)
            events.append(End())
        return events

    def _frames(self, whole: bytes, events: list[Event]) -> None:
        data = b""
        read, read_chunk = self._reader.read, reader_of(whole, self._read_chunk)
        try:
            for data in plain_payloads(whole) or map(payload, frames(whole)):
                if not data or data == _DONE:
                    continue
                chunk = read_chunk(data)
                if chunk.error is not NOTHING and chunk.failed:
                    events += (StreamError(read_error(data)), End())
                    self._over = True
                    return
                read(chunk, events)
        except UNREADABLE as error:
            raise MalformedStream(f"{NAME}: {_kind(error)}, in a chunk of {len(data)} bytes") from None


def _kind(error: Exception) -> str:
    return str(error) if isinstance(error, msgspec.MsgspecError) else "not JSON"
