"""A client's request → conversation (translation spec, B.4.1).

The body is read by typed structs, so that wrong types are refused with their place, while blocks
that only this format knows, and tool arguments, keep the client's own text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Identity,
    Item,
    Message,
    OpaquePart,
    OutputFormat,
    Part,
    Reasoning,
    Role,
    Sampling,
    ServerToolItem,
    Text,
    ToolCall,
    ToolResult,
)
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody, Peek

from .content import kind_of, native, read_part, read_result_content
from .signatures import is_own_signature
from .thinking import ThinkingField, read_intent
from .tools import ChoiceFields, read_choice, read_tool
from .usage import NOTHING
from .vocabulary import NAME

BILLING_HEADER: Final = "x-anthropic-billing-header: "
"""Begins a system block that differs in each request; other upstreams' prompt caches would miss."""


class _MessageFields(msgspec.Struct):
    role: str
    content: str | list[msgspec.Raw] | None = None
    output_config: dict[str, Any] | None = None


class _Request(msgspec.Struct):
    messages: list[_MessageFields]
    model: str = ""
    system: str | list[msgspec.Raw] | None = None
    max_tokens: int | None = None
    stream: Any = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[msgspec.Raw] | None = None
    tool_choice: ChoiceFields | None = None
    thinking: ThinkingField | None = None
    output_config: dict[str, Any] | None = None
    output_format: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    betas: str | list[str] | None = None


class _ThinkingBlock(msgspec.Struct):
    thinking: str | dict[str, Any] | None = None
    signature: str | None = None


class _RedactedBlock(msgspec.Struct):
    data: str


class _ToolUseBlock(msgspec.Struct):
    id: str
    name: str
    input: msgspec.Raw = NOTHING
    cache_control: dict[str, Any] | None = None


class _ToolResultBlock(msgspec.Struct):
    tool_use_id: str
    content: msgspec.Raw = NOTHING
    is_error: bool | None = None
    cache_control: dict[str, Any] | None = None


_request: Final = msgspec.json.Decoder(_Request).decode
_thinking_block: Final = msgspec.json.Decoder(_ThinkingBlock).decode
_redacted_block: Final = msgspec.json.Decoder(_RedactedBlock).decode
_tool_use_block: Final = msgspec.json.Decoder(_ToolUseBlock).decode
_tool_result_block: Final = msgspec.json.Decoder(_ToolResultBlock).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ROLES: Final[Mapping[str, Role]] = {"user": "user", "assistant": "assistant", "system": "system"}
_SPEAKER_OF_KIND: Final[Mapping[str, Role]] = {
    "thinking": "assistant",
    "redacted_thinking": "assistant",
    "tool_use": "assistant",
    "tool_result": "user",
}
"""Blocks that only count from one side: a user cannot forge the model's own (C.3)."""


def peek(body: JsonBody) -> Peek:
    """Only JSON ``true`` streams (0.2)."""
    return Peek(body.text("model"), body.raw("stream") == b"true")


def decode_request(body: JsonBody) -> Conversation:
    """Raises `InvalidRequest`."""
    try:
        fields = _request(body.data)
        return _conversation(fields, body)
    except _UNREADABLE as error:
        raise InvalidRequest(f"Invalid request: {error}") from None


def _conversation(fields: _Request, body: JsonBody) -> Conversation:
    if not fields.messages:
        raise InvalidRequest("Invalid request: `messages` must not be empty", param="messages")
    tools = tuple(map(read_tool, fields.tools or ()))
    choice = fields.tool_choice
    serial = choice.disable_parallel_tool_use if choice else None
    items = _system_items(fields.system)
    for index, message in enumerate(fields.messages):
        items += _message_items(message, f"messages[{index}]")
    return Conversation(
        model=fields.model,
        format=NAME,
        items=tuple(items),
        stream=fields.stream is True,
        tools=tools,
        tool_choice=read_choice(choice, tools),
        parallel_tool_calls=None if serial is None else not serial,
        sampling=Sampling(temperature=fields.temperature, top_p=fields.top_p, top_k=fields.top_k),
        max_output_tokens=fields.max_tokens,
        stop=tuple(fields.stop_sequences or ()),
        output=_output(fields),
        thinking=read_intent(fields.thinking, fields.output_config),
        identity=_identity(fields.metadata),
        service_tier=fields.service_tier,
        include_usage=True,
        betas=tuple(beta_names(fields.betas)),
        extras=_extras(body),
    )


def beta_names(betas: str | Sequence[str] | None) -> list[str]:
    """The names in a ``betas`` field or an ``anthropic-beta`` header: a list, or comma-separated."""
    listed = betas.split(",") if isinstance(betas, str) else betas or ()
    return [name for beta in listed if (name := beta.strip())]


def _output(fields: _Request) -> OutputFormat | None:
    """Structured output; ``output_format`` is its older, deprecated place."""
    wanted = (fields.output_config or {}).get("format") or fields.output_format
    if not isinstance(wanted, dict) or not isinstance(wanted.get("schema"), dict):
        return None
    return OutputFormat(kind="json_schema", schema=wanted["schema"], strict=True)


def _identity(metadata: Mapping[str, Any] | None) -> Identity:
    user = (metadata or {}).get("user_id")
    return Identity(user=user if isinstance(user, str) else None, metadata=metadata or {})


def _extras(body: JsonBody) -> Mapping[str, Mapping[str, Any]]:
    """Fields that no other format knows, among them what is new since this was written."""
    unknown = {key: body.value(key) for key in body if key not in _Request.__struct_fields__}
    return {NAME: unknown} if unknown else {}


# --- items ------------------------------------------------------------------------------------


def _system_items(system: str | list[msgspec.Raw] | None) -> list[Item]:
    if isinstance(system, str):
        return [Message(role="system", parts=(Text(system),))] if system else []
    parts = tuple(_system_part(bytes(raw)) for raw in system or ())
    return [Message(role="system", parts=parts)] if parts else []


def _system_part(raw: bytes) -> Part:
    part = read_part(raw)
    if isinstance(part, Text) and part.text.startswith(BILLING_HEADER):
        return OpaquePart(NAME, native(raw))
    return part


def _message_items(message: _MessageFields, place: str) -> list[Item]:
    role = _ROLES.get(message.role)
    if role is None:
        known = ", ".join(_ROLES)
        raise InvalidRequest(f"Invalid request: `{place}.role` must be one of {known}", param="messages")
    extras = {NAME: {"output_config": message.output_config}} if message.output_config else {}
    if not isinstance(message.content, list):
        text = message.content
        return [Message(role=role, parts=(Text(text),), extras=extras)] if text else []
    items: list[Item] = []
    parts: list[Part] = []
    for index, block in enumerate(message.content):
        try:
            item = _block_item(bytes(block), role)
        except _UNREADABLE as error:
            where = f"{place}.content[{index}]"
            raise InvalidRequest(f"Invalid request: `{where}`: {error}", param="messages") from None
        if isinstance(item, Part):
            parts.append(item)
        elif item is not None:
            items += _message(role, parts, extras)
            items.append(item)
    return items + _message(role, parts, extras)


def _message(role: Role, parts: list[Part], extras: Mapping[str, Any]) -> list[Item]:
    """The parts gathered so far as a message; empties `parts`."""
    gathered = tuple(parts)
    parts.clear()
    return [Message(role=role, parts=gathered, extras=extras)] if gathered else []


def _block_item(raw: bytes, role: Role) -> Item | Part | None:
    """A block as an item of its own, or as a part of a message; ``None``: it does not count here."""
    kind = "text" if raw[:1] == b'"' else kind_of(raw)
    if _SPEAKER_OF_KIND.get(kind, role) != role:
        return None
    reader = _ITEM_READERS.get(kind)
    if reader is not None:
        return reader(raw)
    if _is_server_tool(kind):
        return ServerToolItem(format=NAME, value=native(raw), role=role)
    return read_part(raw)


def _is_server_tool(kind: str) -> bool:
    return kind.endswith(("_tool_use", "_tool_result"))


def _reasoning(raw: bytes) -> Item:
    block = _thinking_block(raw)
    said = block.thinking
    if isinstance(said, dict):
        said = next((text for key in ("text", "thinking") if isinstance(text := said.get(key), str)), None)
    signature = block.signature or None
    origin = NAME if is_own_signature(signature) else None
    return Reasoning(segments=(said,) if said else (), signature=signature, origin=origin)


def _redacted(raw: bytes) -> Item:
    return Reasoning(redacted_data=_redacted_block(raw).data, origin=NAME)


def _tool_call(raw: bytes) -> Item:
    block = _tool_use_block(raw)
    arguments = bytes(block.input).decode()
    return ToolCall(
        call_id=block.id,
        name=block.name,
        arguments="{}" if arguments in ("", "null") else arguments,
        cache=block.cache_control,
    )


def _tool_result(raw: bytes) -> Item:
    block = _tool_result_block(raw)
    return ToolResult(
        call_id=block.tool_use_id,
        content=read_result_content(bytes(block.content)),
        is_error=block.is_error,
        cache=block.cache_control,
    )


_ITEM_READERS: Final = {
    "thinking": _reasoning,
    "redacted_thinking": _redacted,
    "tool_use": _tool_call,
    "tool_result": _tool_result,
}
