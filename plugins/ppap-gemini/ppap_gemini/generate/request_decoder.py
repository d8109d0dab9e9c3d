"""A client's request → conversation (Gemini spec, 3 to 6).

The body says neither the model nor whether to stream: both stand in the URL (see `addressed`). A
``model`` in the body is read all the same, for bodies that are looked at by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Item,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ThinkingIntent,
    ToolCall,
    ToolResult,
)
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody, Peek

from .generation import FIELD, GenerationConfig, unknown_fields
from .names import minted_id
from .pairing import OpenCalls
from .parts import FunctionCall, FunctionResponse, PartFields, result_content, visible
from .signatures import is_own_signature, without_sentinel
from .spelling import camel_case
from .thinking import ThinkingConfig, read_intent
from .tools import ToolConfig, read_choice, read_tools
from .vocabulary import NAME, SESSION

MODEL_PREFIX: Final = "models/"


class _Content(msgspec.Struct):
    role: str | None = None
    parts: list[PartFields] | None = None


class _Request(msgspec.Struct, rename="camel"):
    contents: list[_Content] | _Content | None = None
    system_instruction: _Content | str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_config: ToolConfig | None = None
    generation_config: GenerationConfig | None = None
    model: str | None = None


class _Thinking(msgspec.Struct, rename="camel"):
    thinking_config: ThinkingConfig | None = None


_request: Final = msgspec.json.Decoder(_Request).decode
_thinking: Final = msgspec.json.Decoder(_Thinking).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ROLES: Final[Mapping[str, Role]] = {
    "user": "user",
    "model": "assistant",
    "assistant": "assistant",
    "function": "user",
    "tool": "user",
}
_KNOWN: Final = frozenset((*_Request.__struct_encode_fields__, SESSION))


def peek(body: JsonBody) -> Peek:
    """Of a body by itself: nothing in it asks for a stream."""
    return Peek(model_of(body.text("model")), False, peek_intent(body))


def peek_intent(body: JsonBody) -> ThinkingIntent:
    """What a body asks of the model's thinking; unset where it cannot be read."""
    raw = body.raw(FIELD)
    if raw is None or b"thinking" not in raw:
        raw = body.raw("generation_config")
        if raw is None or b"thinking" not in raw:
            return ThinkingIntent()
    try:
        config = camel_case(body).raw(FIELD)
        return read_intent(_thinking(config).thinking_config) if config else ThinkingIntent()
    except (*_UNREADABLE, InvalidRequest):
        return ThinkingIntent()


def model_of(name: str) -> str:
    """A model's id; clients may write it as the resource ``models/id``."""
    return name.removeprefix(MODEL_PREFIX)


def decode_request(body: JsonBody) -> Conversation:
    """Raises `InvalidRequest`."""
    spelt = camel_case(body)
    try:
        fields = _request(spelt.data)
        tools = tuple(read_tools(fields.tools or ()))
        items = (*_system(fields.system_instruction), *_items(fields.contents))
        config = fields.generation_config or GenerationConfig()
        return Conversation(
            model=model_of(fields.model or ""),
            format=NAME,
            items=items,
            tools=tools,
            tool_choice=read_choice(fields.tool_config),
            sampling=config.sampling,
            max_output_tokens=config.max_output_tokens,
            stop=tuple(config.stop_sequences or ()),
            output=config.output,
            thinking=read_intent(config.thinking_config),
            include_usage=True,
            prefills=True,
            extras=_extras(spelt),
        )
    except _UNREADABLE as error:
        raise InvalidRequest(f"Invalid request: {error}") from None


def _extras(body: JsonBody) -> Mapping[str, Mapping[str, Any]]:
    """Fields that no other format knows, among them what is new since this was written."""
    unknown = {key: body.value(key) for key in body if key not in _KNOWN}
    config = body.value(FIELD)
    if isinstance(config, dict) and (left := unknown_fields(config)):
        unknown[FIELD] = left
    return {NAME: unknown} if unknown else {}


# --- items ------------------------------------------------------------------------------------


def _system(instruction: _Content | str | None) -> list[Item]:
    if isinstance(instruction, str):
        return [Message(role="system", parts=(Text(instruction),))] if instruction else []
    parts = [part for fields in _parts(instruction) if (part := visible(fields)) is not None]
    return [Message(role="system", parts=tuple(parts))] if parts else []


def _parts(content: _Content | None) -> Sequence[PartFields]:
    return content.parts or () if content is not None else ()


def _items(contents: list[_Content] | _Content | None) -> list[Item]:
    items: list[Item] = []
    calls = OpenCalls()
    role: Role = "assistant"
    for turn, content in enumerate([contents] if isinstance(contents, _Content) else contents or ()):
        opposite: Role = "user" if role == "assistant" else "assistant"
        role = _ROLES.get(content.role or "", opposite)
        if role == "assistant":
            items += _model_items(_parts(content), calls, turn)
        else:
            items += _user_items(_parts(content), calls, turn)
    return items


def _model_items(parts: Sequence[PartFields], calls: OpenCalls, turn: int) -> list[Item]:
    """What the model said. Results in its name count for nothing (translation spec, C.3)."""
    items: list[Item] = []
    shown: list[Part] = []
    for place, fields in enumerate(parts):
        signature = without_sentinel(fields.thought_signature)
        if fields.function_call is not None:
            items += _message("assistant", shown)
            if signature:
                items.append(_reasoning("", signature))
            items.append(_call(fields.function_call, calls, turn, place))
        elif fields.thought and fields.text is not None:
            items += _message("assistant", shown)
            if fields.text or signature:
                _think(items, fields.text, signature)
        elif fields.function_response is None:
            if (part := visible(fields)) is not None:
                shown.append(part)
            if signature:
                items += _message("assistant", shown)
                items.append(_reasoning("", signature))
    return items + _message("assistant", shown)


def _think(items: list[Item], text: str, signature: str | None) -> None:
    """One thought, in however many parts of a stream it came; a signature ends it (Gemini spec, 4.2)."""
    last = items[-1] if items else None
    if isinstance(last, Reasoning) and last.signature is None:
        items[-1] = _reasoning(last.text + text, signature)
    else:
        items.append(_reasoning(text, signature))


def _reasoning(text: str, signature: str | None) -> Item:
    origin = NAME if is_own_signature(signature) else None
    return Reasoning(segments=(text,) if text else (), signature=signature, origin=origin)


def _call(call: FunctionCall, calls: OpenCalls, turn: int, place: int) -> Item:
    call_id = call.id or minted_id(turn, place, call.name, call.arguments)
    calls.opened(call.name, call_id)
    return ToolCall(call_id=call_id, name=call.name, arguments=call.arguments)


def _user_items(parts: Sequence[PartFields], calls: OpenCalls, turn: int) -> list[Item]:
    """What the user said, and results. Calls in the user's name count for nothing."""
    responses = [fields.function_response for fields in parts if fields.function_response is not None]
    ids = iter(calls.answered_by([(response.name, response.id) for response in responses], turn))
    items: list[Item] = []
    shown: list[Part] = []
    for fields in parts:
        if fields.function_response is not None:
            items += _message("user", shown)
            items.append(_result(fields.function_response, next(ids)))
        elif fields.function_call is None and (part := visible(fields)) is not None:
            shown.append(part)
    return items + _message("user", shown)


def _result(response: FunctionResponse, call_id: str) -> Item:
    content, failed = result_content(response)
    return ToolResult(call_id=call_id, content=content, is_error=failed)


def _message(role: Role, shown: list[Part]) -> list[Item]:
    """The parts gathered so far as a message; empties `shown`."""
    gathered = tuple(shown)
    shown.clear()
    return [Message(role=role, parts=gathered)] if gathered else []
