"""The vendors' own types, read strictly: what no SDK would have sent or could read fails here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, get_type_hints

import anthropic.types as anthropic
import openai.types.chat as chat
import openai.types.responses as responses
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from google.genai import types as google
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params as responses_params
from pydantic import TypeAdapter

from .frames import data_of

Json = dict[str, Any]


@cache
def _adapter(declared: Any) -> TypeAdapter[Any]:
    return TypeAdapter(declared)


def _params(whole: Any, stream: Any, body: Json) -> None:
    """A body against the arguments of an SDK's method; also that the method has them all."""
    declared = stream if body.get("stream") else whole
    unknown = body.keys() - get_type_hints(declared).keys() - _OLDER
    assert not unknown, f"the SDK has no {unknown}"
    _exhaust(_adapter(declared).validate_python(body, strict=True))


_OLDER: Final = {"temperature", "top_p", "top_k"}
"""What the newest Anthropic SDK has dropped, and older models still take."""


def _exhaust(value: Any) -> None:
    """Iterables of a typed dict are only checked as they are read."""
    if isinstance(value, Mapping):
        value = value.values()
    elif isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return
    for item in value:
        _exhaust(item)


def _chat_request(body: Json) -> None:
    """Images in tool results are no words of OpenAI's, and those of many who speak its format (C.3)."""
    said = [message for message in body["messages"] if not _shows_a_result(message)]
    _params(
        chat_params.CompletionCreateParamsNonStreaming,
        chat_params.CompletionCreateParamsStreaming,
        {**body, "messages": said},
    )


def _shows_a_result(message: Json) -> bool:
    return message["role"] == "tool" and "image_url" in json.dumps(message["content"])


def _responses_request(body: Json) -> None:
    _params(
        responses_params.ResponseCreateParamsNonStreaming,
        responses_params.ResponseCreateParamsStreaming,
        {**body, "input": [_complete(item) for item in body["input"]]},
    )


def _complete(item: Json) -> Json:
    """With what the types demand of an item, and the API does not (B.3, C.6)."""
    kind, role = item.get("type", "message"), item.get("role")
    if kind == "reasoning":
        return {"id": "rs_1", **{key: value for key, value in item.items() if value is not None}}
    if kind == "message" and role == "assistant":
        parts = [{"annotations": [], **part} for part in item["content"]]
        return {"id": "msg_1", "status": "completed", **item, "content": parts}
    if kind == "message" and isinstance(item["content"], list):
        parts = [_detailed(part) for part in item["content"]]
        return {**item, "content": parts}
    return item


def _detailed(part: Json) -> Json:
    return {"detail": "auto", **part} if part["type"] == "input_image" else part


def _messages_request(body: Json) -> None:
    _params(MessageCreateParamsNonStreaming, MessageCreateParamsStreaming, body)


_GOOGLE_FIELDS: Final[Mapping[str, Any]] = {
    "contents": list[google.Content],
    "systemInstruction": google.Content,
    "tools": list[google.Tool],
    "toolConfig": google.ToolConfig,
    "generationConfig": google.GenerationConfig,
    "safetySettings": list[google.SafetySetting],
    "model": str,
}


def _gemini_request(body: Json) -> None:
    for name, value in body.items():
        _adapter(_GOOGLE_FIELDS[name]).validate_json(json.dumps(value), strict=True)


CHECK_REQUEST: Final[Mapping[str, Callable[[Json], None]]] = {
    "chat": _chat_request,
    "responses": _responses_request,
    "messages": _messages_request,
    "gemini": _gemini_request,
}
WHOLE: Final[Mapping[str, Any]] = {
    "chat": chat.ChatCompletion,
    "responses": responses.Response,
    "messages": anthropic.Message,
    "gemini": google.GenerateContentResponse,
}
PIECE: Final[Mapping[str, Any]] = {
    "chat": chat.ChatCompletionChunk,
    "responses": responses.ResponseStreamEvent,
    "messages": anthropic.RawMessageStreamEvent,
    "gemini": google.GenerateContentResponse,
}
_NO_EVENTS: Final = ("[DONE]", '{"type":"ping"}', '{"type": "ping"}')
"""Frames that SDKs take off before they look for types."""


def check_whole(format_name: str, body: bytes) -> None:
    _validate(WHOLE[format_name], body)


def check_stream(format_name: str, stream: bytes) -> None:
    for data in data_of(stream):
        if data not in _NO_EVENTS:
            _validate(PIECE[format_name], _signed(data))


def _signed(data: str) -> str:
    """A thought of Messages is announced without the signature that its type demands (B.4.3)."""
    return data.replace(
        '{"type":"thinking","thinking":""}', '{"type":"thinking","thinking":"","signature":""}'
    )


def _validate(declared: Any, text: bytes | str) -> None:
    """Google's SDK reads times itself, before its types see them."""
    value = json.loads(text)
    if time := value.pop("createTime", None):
        datetime.fromisoformat(time)
    _adapter(declared).validate_json(json.dumps(value), strict=True)
