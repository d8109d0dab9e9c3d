"""A whole answer: read from an upstream, written for a client (translation spec, B.4.2)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Item,
    Message,
    Part,
    Reasoning,
    Refusal,
    Reply,
    ServerToolItem,
    Text,
    ToolCall,
)
from ppap_core.errors import InvalidRequest, MalformedReply, UpstreamFault
from ppap_core.wire import JsonBody, NameMap, RelayedReply, Target

from .arguments import input_value, is_object
from .block_reader import kind_of, native
from .content import annotation, citation_of
from .errors import is_error, read_error
from .identifiers import CallIds, Spelling, new_message_id
from .usage import NOTHING, read_counts, usage_object
from .vocabulary import NAME, finish_reason, stop_reason
from .web_search import search_blocks, search_of

_GZIP: Final = b"\x1f\x8b"


class _ReplyFields(msgspec.Struct):
    content: list[msgspec.Raw]
    id: str | None = None
    type: str = "message"
    role: str = "assistant"
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: msgspec.Raw = NOTHING


class _TextBlock(msgspec.Struct):
    text: str = ""
    citations: list[dict[str, Any]] | None = None


class _ThinkingBlock(msgspec.Struct):
    thinking: str | None = None
    signature: str | None = None


class _RedactedBlock(msgspec.Struct):
    data: str = ""


class _ToolUseBlock(msgspec.Struct):
    id: str = ""
    name: str = ""
    input: msgspec.Raw = NOTHING


_reply: Final = msgspec.json.Decoder(_ReplyFields).decode
_text_block: Final = msgspec.json.Decoder(_TextBlock).decode
_thinking_block: Final = msgspec.json.Decoder(_ThinkingBlock).decode
_redacted_block: Final = msgspec.json.Decoder(_RedactedBlock).decode
_tool_use_block: Final = msgspec.json.Decoder(_ToolUseBlock).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidRequest)

# --- reading ----------------------------------------------------------------------------------


def decode_reply(body: bytes, names: NameMap) -> Reply:
    """Raises `UpstreamFault` for an error told on a 200, `MalformedReply` for anything else."""
    body = _plain(body)
    try:
        fields = _fields(body)
        return _reply_of(fields, body, names)
    except _UNREADABLE as error:
        raise MalformedReply(f"{NAME}: the upstream's answer is not a message: {error}") from None


def _plain(body: bytes) -> bytes:
    """The body uncompressed; some upstreams compress without saying so (client API spec, 10.5)."""
    if not body.startswith(_GZIP):
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return body


def _fields(body: bytes) -> _ReplyFields:
    if is_error(body):
        raise UpstreamFault(read_error(body), body)
    return _reply(body)


def _reply_of(fields: _ReplyFields, body: bytes, names: NameMap) -> Reply:
    items = _items(fields.content, names)
    called = any(isinstance(item, ToolCall) for item in items)
    counts = read_counts(fields.usage)
    whole = JsonBody(body)
    unknown = {key: whole.value(key) for key in whole if key not in _ReplyFields.__struct_fields__}
    return Reply(
        id=fields.id,
        model=fields.model,
        items=tuple(items),
        finish=finish_reason(fields.stop_reason or "", called=called),
        stop_sequence=fields.stop_sequence,
        usage=counts.usage() if counts else None,
        extras={NAME: unknown} if unknown else {},
    )


def _items(content: list[msgspec.Raw], names: NameMap) -> list[Item]:
    items: list[Item] = []
    parts: list[Part] = []
    for raw in map(bytes, content):
        kind = kind_of(raw)
        if kind == "text":
            block = _text_block(raw)
            if block.text:
                parts.append(Text(block.text, annotations=tuple(map(annotation, block.citations or ()))))
            continue
        items += _spoken(parts)
        reader = _READERS.get(kind)
        items.append(reader(raw, names) if reader else _server_tool(raw))
    return items + _spoken(parts)


def _spoken(parts: list[Part]) -> list[Item]:
    gathered = tuple(parts)
    parts.clear()
    return [Message(role="assistant", parts=gathered)] if gathered else []


def _reasoning(raw: bytes, names: NameMap) -> Item:
    block = _thinking_block(raw)
    segments = (block.thinking,) if block.thinking else ()
    return Reasoning(segments=segments, signature=block.signature or None, origin=NAME)


def _redacted(raw: bytes, names: NameMap) -> Item:
    return Reasoning(redacted_data=_redacted_block(raw).data, origin=NAME)


def _server_tool(raw: bytes) -> Item:
    value = native(raw)
    return ServerToolItem(format=NAME, value=value, search=search_of(value))


def _tool_call(raw: bytes, names: NameMap) -> Item:
    block = _tool_use_block(raw)
    arguments = bytes(block.input).decode() or "{}"
    return ToolCall(call_id=block.id, name=names.client_name(block.name), arguments=arguments)


_READERS: Final[Mapping[str, Callable[[bytes, NameMap], Item]]] = {
    "thinking": _reasoning,
    "redacted_thinking": _redacted,
    "tool_use": _tool_call,
}

# --- writing ----------------------------------------------------------------------------------


def encode_reply(reply: Reply, conversation: Conversation) -> bytes:
    """The answer under the model name that the client asked for (C.18)."""
    spelling = Spelling(tool.name for tool in conversation.tools)
    ids = CallIds()
    content = [block for item in reply.items for block in _blocks(item, spelling, ids)]
    calls = [item for item in reply.items if isinstance(item, ToolCall)]
    parts = [part for item in reply.items if isinstance(item, Message) for part in item.parts]
    reason = stop_reason(
        reply.finish,
        stop_sequence=reply.stop_sequence,
        last_call_is_whole=_is_whole(calls[-1]) if calls else None,
        refused=any(isinstance(part, Refusal) for part in parts),
    )
    return msgspec.json.encode(
        {
            "id": reply.id or new_message_id(),
            "type": "message",
            "role": "assistant",
            "model": conversation.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": reply.stop_sequence,
            "usage": usage_object(reply.usage),
            **(reply.extras.get(NAME) or {}),
        }
    )


def _is_whole(call: ToolCall) -> bool:
    return call.kind == "custom" or not call.arguments.strip() or is_object(call.arguments)


def _blocks(item: Item, spelling: Spelling, ids: CallIds) -> list[dict[str, Any]]:
    match item:
        case Message(parts=parts):
            return [block for part in parts if (block := _text(part))]
        case Reasoning():
            return _thinking_blocks(item)
        case ToolCall():
            return [
                {
                    "type": "tool_use",
                    "id": ids.of_call(item.call_id),
                    "name": spelling.of(item.name),
                    "input": input_value(item.arguments, item.kind),
                }
            ]
        case ServerToolItem(format=origin, value=value, search=search):
            if origin == NAME:
                return [dict(value)]
            return [] if search is None else list(search_blocks(search, ids))
        case _:
            return []


def _text(part: Part) -> dict[str, Any] | None:
    if not isinstance(part, Text | Refusal) or not part.text:
        return None
    block: dict[str, Any] = {"type": "text", "text": part.text}
    if isinstance(part, Text):
        citations = [citation for note in part.annotations if (citation := citation_of(note))]
        return {**block, "citations": citations} if citations else block
    return block


def _thinking_blocks(item: Reasoning) -> list[dict[str, Any]]:
    """Whatever signature it carries comes back with the next request, to be judged there."""
    blocks: list[dict[str, Any]] = []
    if item.text or item.signature:
        blocks.append({"type": "thinking", "thinking": item.text, "signature": item.signature or ""})
    if item.redacted_data:
        blocks.append({"type": "redacted_thinking", "data": item.redacted_data})
    return blocks


# --- passing on -------------------------------------------------------------------------------


def relay_reply(body: bytes, client_model: str, target: Target) -> RelayedReply:
    """The upstream's own bytes; only the model's name changes, and only if the client's differs.

    Raises `UpstreamFault` and `MalformedReply` like `decode_reply`.
    """
    body = _plain(body)
    try:
        counts = read_counts(_fields(body).usage)
        if client_model != target.model:
            body = JsonBody(body).edited({"model": msgspec.json.encode(client_model)})
    except _UNREADABLE as error:
        raise MalformedReply(f"{NAME}: the upstream's answer is not a message: {error}") from None
    return RelayedReply(body=body, usage=counts.usage() if counts else None)
