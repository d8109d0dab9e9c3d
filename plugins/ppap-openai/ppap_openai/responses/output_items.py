"""Elements of ``output``, complete (translation spec, B.2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from ppap_core.conversation import Image, ToolKind

from .name import JsonObject
from .tool_names import CalledTool

ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]

CALL_TYPES: Final[Mapping[ToolKind, str]] = {"function": "function_call", "custom": "custom_tool_call"}
CALL_FIELDS: Final[Mapping[ToolKind, str]] = {"function": "arguments", "custom": "input"}
"""Where a call has what the tool is given."""
ID_PREFIXES: Final[Mapping[ToolKind, str]] = {"function": "fc", "custom": "ctc"}
FORMAT_OF_MEDIA: Final[Mapping[str, str]] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/webp": "webp",
    "image/gif": "gif",
}
"""Media type of a picture → ``output_format``."""


def text_part(text: str, annotations: Sequence[Mapping[str, Any]] = ()) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": list(annotations), "logprobs": []}


def refusal_part(text: str) -> JsonObject:
    return {"type": "refusal", "refusal": text}


def summary_part(text: str) -> JsonObject:
    return {"type": "summary_text", "text": text}


def message(item_id: str, parts: Sequence[JsonObject], status: ItemStatus) -> JsonObject:
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": list(parts),
    }


def reasoning(item_id: str, segments: Sequence[str], encrypted_content: str | None) -> JsonObject:
    """Without a status: clients send it back as it is, and OpenAI refuses the field there."""
    opaque = {} if encrypted_content is None else {"encrypted_content": encrypted_content}
    return {
        "id": item_id,
        "type": "reasoning",
        **opaque,
        "summary": [summary_part(text) for text in segments],
    }


def call(
    item_id: str, call_id: str, kind: ToolKind, tool: CalledTool, given: str, status: ItemStatus
) -> JsonObject:
    namespace = {} if tool.namespace is None else {"namespace": tool.namespace}
    return {
        "id": item_id,
        "type": CALL_TYPES[kind],
        "status": status,
        "call_id": call_id,
        "name": tool.name,
        **namespace,
        CALL_FIELDS[kind]: given,
    }


def picture(item_id: str, image: Image) -> JsonObject | None:
    """A picture that some other model made; ``None`` without its bytes, which the format wants."""
    if image.data is None:
        return None
    return {
        "id": item_id,
        "type": "image_generation_call",
        "status": "completed",
        "output_format": FORMAT_OF_MEDIA.get(image.media_type or "", "png"),
        "result": image.data,
    }
