"""Items → ``input`` of a request (translation spec, A.2, A.3, C.2, C.3, C.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from ppap_core.conversation import (
    Item,
    Message,
    OpaqueItem,
    OpaquePart,
    Part,
    Reasoning,
    ServerToolItem,
    Text,
    ToolCall,
    ToolKind,
    ToolResult,
)
from ppap_core.conversation.kept import Kept

from .content import write_part
from .identifiers import fitting
from .name import FORMAT, JsonObject
from .signatures import is_own
from .tool_names import ClientTools

OUTPUT_OF_KIND: Final[Mapping[ToolKind, str]] = {
    "function": "function_call_output",
    "custom": "custom_tool_call_output",
}


class InputWriter:
    """Writes the items of one request; `source` is the format that they came from."""

    def __init__(self, source: str, tools: ClientTools) -> None:
        self._source = source
        self._tools = tools
        self._kinds: dict[str, ToolKind] = {}

    def write(self, items: Sequence[Item]) -> Iterator[JsonObject]:
        for item in items:
            written = _WRITERS[type(item)](self, item)
            if written is not None:
                yield written

    def _message(self, item: Message) -> JsonObject | None:
        """A message of which nothing can be said here is left out (A.3)."""
        parts = [
            part
            for each in item.parts
            if not (isinstance(each, Text) and not each.text.strip() and self._source != FORMAT)
            and (part := write_part(each, item.role, self._source)) is not None
        ]
        if not parts:
            return None
        own = item.extras.get(FORMAT, {})
        named = {"id": item.id} if item.id and self._source == FORMAT else {}
        return {"type": "message", **named, "role": item.role, "content": parts, **own}

    def _reasoning(self, item: Reasoning) -> JsonObject | None:
        """Only what OpenAI issued goes back to it, and then without the words (C.6; pain 23)."""
        if item.role != "assistant":
            return None
        if self._source == FORMAT and item.origin in (FORMAT, None):
            summary = [{"type": "summary_text", "text": text} for text in item.segments]
            opaque = {"encrypted_content": item.signature} if item.signature else {}
            named = {"id": item.id} if item.id else {}
            return {"type": "reasoning", **named, "summary": summary, **opaque}
        if item.origin in (FORMAT, None) and is_own(item.signature):
            return {
                "type": "reasoning",
                "summary": [],
                "content": None,
                "encrypted_content": (item.signature or "").strip(),
            }
        return None

    def _call(self, item: ToolCall) -> JsonObject:
        self._kinds[item.call_id] = item.kind
        called = self._tools.called_as(item.name)
        namespace = {"namespace": called.namespace} if called.namespace else {}
        named = {"id": item.item_id} if item.item_id and self._source == FORMAT else {}
        told = {**named, "call_id": fitting(item.call_id), "name": called.name, **namespace}
        if item.kind == "custom":
            return {"type": "custom_tool_call", **told, "input": item.arguments}
        return {"type": "function_call", **told, "arguments": item.arguments or "{}"}

    def _result(self, item: ToolResult) -> JsonObject:
        """Of the kind of its call, which not every format repeats on the result."""
        kind = self._kinds.get(item.call_id, item.kind)
        return {
            "type": OUTPUT_OF_KIND[kind],
            "call_id": fitting(item.call_id),
            "output": self._output(item.kept),
        }

    def _output(self, content: Kept | Sequence[Part]) -> Kept | list[JsonObject]:
        if isinstance(content, str | msgspec.Raw):
            return content
        parts = [self._result_part(part) for part in content]
        if parts and all(part["type"] == "input_text" for part in parts):
            return "\n\n".join(part["text"] for part in parts)
        return parts or ""

    def _result_part(self, part: Part) -> JsonObject:
        """What cannot be mapped is shown as the JSON that it is, or as the kind of thing (C.3)."""
        written = write_part(part, "user", self._source)
        if written is not None:
            return written
        value = part.value if isinstance(part, OpaquePart) else {"type": type(part).__name__.lower()}
        return {"type": "input_text", "text": msgspec.json.encode(value).decode()}

    def _native(self, item: ServerToolItem | OpaqueItem) -> JsonObject | None:
        return dict(item.value) if item.format == FORMAT else None


_Writer: TypeAlias = Callable[[InputWriter, Any], JsonObject | None]
_WRITERS: Final[Mapping[type, _Writer]] = {
    Message: InputWriter._message,
    Reasoning: InputWriter._reasoning,
    ToolCall: InputWriter._call,
    ToolResult: InputWriter._result,
    ServerToolItem: InputWriter._native,
    OpaqueItem: InputWriter._native,
}
