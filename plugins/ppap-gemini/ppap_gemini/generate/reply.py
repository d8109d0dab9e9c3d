"""A whole answer: read from an upstream, written for a client (Gemini spec, 11)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import msgspec

from ppap_core.conversation import (
    Conversation,
    Event,
    Item,
    Message,
    Reasoning,
    Refusal,
    Reply,
    ServerToolItem,
    Text,
    ToolCall,
)
from ppap_core.conversation.collect import ReplyCollector
from ppap_core.errors import MalformedReply
from ppap_core.wire import NameMap, RelayedReply

from .arguments import arguments_object
from .chunk import UNREADABLE, ReadChunk, read_answer, read_chunk
from .media import media_part
from .names import Spelling
from .request_encoder import Fields, SignedParts
from .stream_decoder import ChunkReader
from .usage import read_usage, usage_object
from .vocabulary import NAME, WORD_OF_FINISH

# --- reading ----------------------------------------------------------------------------------


def decode_reply(body: bytes, names: NameMap, read: ReadChunk = read_chunk) -> Reply:
    """Raises `UpstreamFault` for an error told on a 200, `MalformedReply` for anything else."""
    reader = ChunkReader(names)
    events: list[Event] = []
    try:
        for chunk in read_answer(body, read):
            reader.read(chunk, events)
    except UNREADABLE as error:
        raise MalformedReply(f"{NAME}: the upstream's answer is no answer: {error}") from None
    reader.close(events)
    collector = ReplyCollector()
    collector.add(events)
    return collector.reply()


# --- writing ----------------------------------------------------------------------------------


def encode_reply(reply: Reply, conversation: Conversation) -> bytes:
    """The answer under the model name that the client asked for (translation spec, C.18)."""
    spelling = Spelling(tool.name for tool in conversation.tools)
    candidates = [
        _candidate(answer, index, spelling) for index, answer in enumerate((reply, *reply.alternatives))
    ]
    fields: Fields = {"candidates": candidates}
    if reply.usage is not None:
        fields["usageMetadata"] = usage_object(reply.usage)
    fields |= identity(reply.id, reply.created, conversation.model)
    return msgspec.json.encode(fields)


def identity(answer_id: str | None, created: int | None, model: str) -> Fields:
    """The fields that every object of one answer repeats. An id is made up where there is none."""
    fields: Fields = {"modelVersion": model, "responseId": answer_id or uuid.uuid4().hex}
    if created is not None:
        moment = datetime.fromtimestamp(created, UTC)
        fields["createTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return fields


def _candidate(reply: Reply, index: int, spelling: Spelling) -> Fields:
    return {
        "content": {"role": "model", "parts": _parts(reply.items, spelling)},
        "finishReason": WORD_OF_FINISH[reply.finish],
        "index": index,
    }


def _parts(items: Sequence[Item], spelling: Spelling) -> list[Fields]:
    """Whatever signature a thought carries comes back with the next request, to be judged there."""
    signed = SignedParts(None)
    for item, following in zip_longest(items, items[1:]):
        match item:
            case Message():
                for part in item.parts:
                    written = _said(part)
                    if written:
                        signed.shown(written)
            case Reasoning():
                own_call = isinstance(following, ToolCall) and not item.text
                signed.thought(item.text, item.signature, before_call=own_call)
            case ToolCall():
                signed.called(call_object(item, spelling))
            case ServerToolItem():
                if made := made_part(item):
                    signed.shown(made)
            case _:
                pass
    return signed.parts


def made_part(item: ServerToolItem) -> Fields | None:
    """What a tool of the provider made: a part of this format as it came, or any format's picture."""
    if item.format == NAME:
        return dict(item.value)
    return media_part(item.image) if item.image is not None else None


def _said(part: Any) -> Fields | None:
    if isinstance(part, Text | Refusal):
        return {"text": part.text} if part.text else None
    return media_part(part)


def call_object(call: ToolCall, spelling: Spelling) -> Fields:
    """The ``functionCall`` for a client."""
    arguments = arguments_object(call.arguments, call.kind)
    return {"name": spelling.of(call.name), "args": arguments, "id": call.call_id}


# --- passing on -------------------------------------------------------------------------------


def relay_reply(body: bytes, read: ReadChunk = read_chunk) -> RelayedReply:
    """The upstream's own bytes: nothing in an answer must change for a client of its format.

    Raises `UpstreamFault` and `MalformedReply` like `decode_reply`.
    """
    usages = [usage for chunk in read_answer(body, read) if (usage := read_usage(chunk.usage)) is not None]
    return RelayedReply(body=body, usage=usages[-1] if usages else None)
