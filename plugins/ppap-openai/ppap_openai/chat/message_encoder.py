"""Turns → messages of a chat request (translation spec, A.2.1, A.3, C.3–C.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from ppap_core.conversation import (
    Item,
    Message,
    OpaqueItem,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from ppap_core.conversation.kept import Kept
from ppap_core.conversation.turns import Turn

from .content import write_part
from .name import FORMAT
from .reply import write_call
from .signed_calls import calls_with_signatures, extra_content
from .tool_names import wrapped

_JSON: TypeAlias = dict[str, Any]

PER_REQUEST_TEXT: Final = "x-anthropic-billing-header: "
"""Begins a system text that is new in every request and would defeat prompt caching (C.5)."""


def write_turn(turn: Turn, source: str) -> list[_JSON]:
    """The messages of one turn; `source` is the format of the request."""
    messages = _WRITERS[turn.role](turn.items, source)
    for item in turn.items:
        if isinstance(item, OpaqueItem) and item.format == FORMAT:
            messages.append(dict(item.value))
    return messages


def _write_system(items: Sequence[Item], source: str) -> list[_JSON]:
    """One message each, never merged. Developer text is system text: few upstreams know the role."""
    messages: list[_JSON] = []
    for item in items:
        if isinstance(item, Message) and (parts := _system_parts(item)):
            role = item.role if source == FORMAT else "system"
            # Only a chat client's own text is known to suit as a plain string.
            plain = source == FORMAT and len(parts) == 1
            content = parts[0]["text"] if plain else parts
            messages.append(_named({"role": role, "content": content}, item.name))
    return messages


def _system_parts(message: Message) -> list[_JSON]:
    texts = (part.text for part in message.parts if isinstance(part, Text))
    return [
        {"type": "text", "text": text}
        for text in texts
        if text.strip() and not text.startswith(PER_REQUEST_TEXT)
    ]


def _write_user(items: Sequence[Item], source: str) -> list[_JSON]:
    """Results first, as they answer the calls before; then all else."""
    messages: list[_JSON] = []
    said: list[Message] = []
    for item in items:
        if isinstance(item, ToolResult):
            content = _result(item, source)
            messages.append({"role": "tool", "tool_call_id": item.call_id, "content": content})
        elif isinstance(item, Message):
            said.append(item)
    if said:
        messages += _user_messages(said, source)
    return messages


def _user_messages(said: Sequence[Message], source: str) -> Iterator[_JSON]:
    """A chat client's own messages stay apart; others' are one."""
    for group in [[message] for message in said] if source == FORMAT else [said]:
        parts = _parts([part for message in group for part in message.parts], source)
        if parts:
            yield _named({"role": "user", "content": _plain(parts)}, group[0].name)


def _named(message: _JSON, name: str | None) -> _JSON:
    return {**message, "name": name} if name else message


def _parts(parts: Sequence[Part], source: str) -> list[_JSON]:
    """Blank texts say nothing, and some upstreams refuse them (C.4)."""
    said: list[_JSON] = []
    for part in parts:
        blank = isinstance(part, Text) and not part.text.strip()
        if not blank and (written := write_part(part, source)) is not None:
            said.append(written)
    return said


def _plain(parts: list[_JSON]) -> str | list[_JSON]:
    """A string where one text is all: the form that every upstream takes."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return parts


def _result(result: ToolResult, source: str) -> Kept | list[_JSON]:
    """Text as one string; a list only where there is more than text (C.3)."""
    content = result.kept
    if isinstance(content, str | msgspec.Raw):
        return content
    parts = [part for each in content if (part := write_part(each, source)) is not None]
    if any(part["type"] != "text" for part in parts):
        return parts
    text = "\n\n".join(part["text"] for part in parts)
    return text if text.strip() or not parts else msgspec.json.encode(parts).decode()


def _write_assistant(items: Sequence[Item], source: str) -> list[_JSON]:
    """One message: thoughts, texts and calls each in their field."""
    parts: list[Part] = []
    thoughts: list[str] = []
    calls = [_call(call) | extra_content(signed) for call, signed in calls_with_signatures(items)]
    name = None
    for item in items:
        if isinstance(item, Message):
            parts += item.parts
            name = name or item.name
        elif isinstance(item, Reasoning) and (thought := item.text).strip():
            thoughts.append(thought)
    texts = _parts([part for part in parts if isinstance(part, Text)], source)
    refusal = "".join([part.text for part in parts if isinstance(part, Refusal)])
    if not (texts or refusal or thoughts or calls):
        return []
    message: _JSON = {
        "role": "assistant",
        "content": _plain(texts) if texts else (None if calls or refusal else ""),
    }
    if refusal:
        message["refusal"] = refusal
    if thoughts:
        message["reasoning_content"] = "\n\n".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return [_named(message, name)]


def _call(call: ToolCall) -> _JSON:
    """A call of a free-text tool is one of the function that stands for it (C.16)."""
    if call.kind == "custom":
        call = ToolCall(call_id=call.call_id, name=call.name, arguments=wrapped(call.arguments))
    return write_call(call)


_Writer: TypeAlias = Callable[[Sequence[Item], str], list[_JSON]]
_WRITERS: Final[Mapping[str, _Writer]] = {
    "system": _write_system,
    "developer": _write_system,
    "user": _write_user,
    "assistant": _write_assistant,
}
