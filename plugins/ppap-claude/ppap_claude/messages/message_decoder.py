"""System text and messages of a request → items (translation spec, A.2.1, A.2.4, C.3–C.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec

from ppap_core.conversation import (
    Item,
    Message,
    OpaquePart,
    Part,
    Reasoning,
    Role,
    ServerToolItem,
    Text,
    ToolCall,
    ToolResult,
)
from ppap_core.errors import InvalidRequest

from .block_reader import BlockReader, kind_of, native
from .content import CONTENT, CONVERTERS, read_part, read_result
from .signatures import is_own_signature
from .usage import NOTHING
from .vocabulary import NAME

BILLING_HEADER: Final = "x-anthropic-billing-header: "
"""Begins a system block that differs in each request; other upstreams' prompt caches would miss."""
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading the client's JSON raises."""


class WireMessage(msgspec.Struct, gc=False):
    role: str
    content: str | list[msgspec.Raw] | None = None
    output_config: dict[str, Any] | None = None


class _ThinkingBlock(msgspec.Struct, tag="thinking", gc=False):
    thinking: str | dict[str, Any] | None = None
    signature: str | None = None


class _RedactedBlock(msgspec.Struct, tag="redacted_thinking", gc=False):
    data: str


class _ToolUseBlock(msgspec.Struct, tag="tool_use", gc=False):
    id: str
    name: str
    input: msgspec.Raw = NOTHING
    cache_control: dict[str, Any] | None = None


class _ToolResultBlock(msgspec.Struct, tag="tool_result", gc=False):
    tool_use_id: str
    content: msgspec.Raw = NOTHING
    is_error: bool | None = None
    cache_control: dict[str, Any] | None = None


_ROLES: Final[Mapping[str, Role]] = {"user": "user", "assistant": "assistant", "system": "system"}
_BLOCKS: Final[Mapping[Role, BlockReader]] = {
    "user": BlockReader(*CONTENT, _ToolResultBlock),
    "assistant": BlockReader(*CONTENT, _ThinkingBlock, _RedactedBlock, _ToolUseBlock),
    "system": BlockReader(*CONTENT),
}
_ONE_SIDED: Final = ("thinking", "redacted_thinking", "tool_use", "tool_result")
"""Blocks that only count from one side: a user cannot forge the model's own (C.3)."""
_PARTS: Final = frozenset(get_args(Part))


def system_items(system: str | list[msgspec.Raw] | None) -> list[Item]:
    """The ``system`` field as one message, or none. Raises `UNREADABLE`."""
    if isinstance(system, str):
        return [Message(role="system", parts=(Text(system),))] if system else []
    parts = tuple(map(_system_part, system or ()))
    return [Message(role="system", parts=parts)] if parts else []


def _system_part(raw: msgspec.Raw) -> Part:
    part = read_part(raw)
    if isinstance(part, Text) and part.text.startswith(BILLING_HEADER):
        return OpaquePart(NAME, native(raw))
    return part


def message_items(message: WireMessage, place: int) -> list[Item]:
    """The message at `place`: its content, and each call, result and thought an item of its own.

    Raises `InvalidRequest`.
    """
    role = _ROLES.get(message.role)
    if role is None:
        problem = f"`messages[{place}].role` must be one of {', '.join(_ROLES)}"
        raise InvalidRequest(f"Invalid request: {problem}", param="messages")
    extras = {NAME: {"output_config": message.output_config}} if message.output_config else {}
    if not isinstance(message.content, list):
        text = message.content
        return [Message(role=role, parts=(Text(text),), extras=extras)] if text else []
    items: list[Item] = []
    parts: list[Part] = []
    read = _BLOCKS[role].read
    for index, raw in enumerate(message.content):
        try:
            block = read(raw)
            said: Any = _CONVERTERS[type(block)](block) or _native(raw, role)
        except UNREADABLE as error:
            where = f"messages[{place}].content[{index}]"
            raise InvalidRequest(f"Invalid request: `{where}`: {error}", param="messages") from None
        if type(said) in _PARTS:
            parts.append(said)
        elif said is not None:
            if parts:
                items.append(Message(role=role, parts=tuple(parts), extras=extras))
                parts.clear()
            items.append(said)
    if parts:
        items.append(Message(role=role, parts=tuple(parts), extras=extras))
    return items


def _native(raw: msgspec.Raw, role: Role) -> Item | Part | None:
    """What only this format knows, as it is; ``None`` for a block that does not count from here."""
    kind = kind_of(raw)
    if kind in _ONE_SIDED:
        return None
    if kind.endswith(("_tool_use", "_tool_result")):
        return ServerToolItem(format=NAME, value=native(raw), role=role)
    return OpaquePart(NAME, native(raw))


def _reasoning(block: _ThinkingBlock) -> Item:
    said = block.thinking
    if isinstance(said, dict):
        said = next((text for key in ("text", "thinking") if isinstance(text := said.get(key), str)), None)
    signature = block.signature or None
    origin = NAME if is_own_signature(signature) else None
    return Reasoning(segments=(said,) if said else (), signature=signature, origin=origin)


def _redacted(block: _RedactedBlock) -> Item:
    return Reasoning(redacted_data=block.data, origin=NAME)


def _tool_call(block: _ToolUseBlock) -> Item:
    arguments = str(block.input, "utf-8")
    return ToolCall(
        call_id=block.id,
        name=block.name,
        arguments="{}" if arguments in ("", "null") else arguments,
        cache=block.cache_control,
    )


def _tool_result(block: _ToolResultBlock) -> Item:
    return ToolResult(
        call_id=block.tool_use_id,
        content=read_result(block.content),
        is_error=block.is_error,
        cache=block.cache_control,
    )


_CONVERTERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    **CONVERTERS,
    _ThinkingBlock: _reasoning,
    _RedactedBlock: _redacted,
    _ToolUseBlock: _tool_call,
    _ToolResultBlock: _tool_result,
}
