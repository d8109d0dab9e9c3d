"""A client's request → a conversation (translation spec, B.2.1, D.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Identity,
    Item,
    Message,
    OutputFormat,
    Sampling,
    Text,
    ThinkingIntent,
)
from ppap_core.conversation.thinking import intent_of
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

from ..chat.request_decoder import refusal
from .item_decoder import InputReader
from .name import FORMAT
from .tools import read_choice, read_tools

INSTRUCTIONS: Final = "instructions"
"""Marks, in its extras, the system message that stood in this field."""


class _Reasoning(msgspec.Struct):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class _Format(msgspec.Struct):
    type: str = "text"
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class _TextOptions(msgspec.Struct):
    format: _Format | None = None
    verbosity: str | None = None


class ResponsesRequest(msgspec.Struct):
    """Every top-level field that has a meaning here; any other one is kept in the extras."""

    input: str | list[msgspec.Raw] | None = None
    model: str | None = None
    instructions: str | None = None
    stream: Any = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    reasoning: dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    metadata: dict[str, Any] | None = None
    user: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None


FIELDS: Final = frozenset(ResponsesRequest.__struct_fields__)
_NOT_KEPT: Final = frozenset({"input", "model", "stream"})
_decode: Final = msgspec.json.Decoder(ResponsesRequest).decode
_SUMMARIES: Final[Mapping[str, Any]] = {"auto": "auto", "concise": "concise", "detailed": "detailed"}


def read_request(body: JsonBody) -> Conversation:
    """Raises `InvalidRequest`, and nothing else.

    The extras hold every top-level field but ``input``, as the client sent it: an answer repeats them.
    """
    try:
        request = _decode(body.data)
        return _conversation(request, _extras(request, body))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusal(str(error)) from None
    except RecursionError:
        raise InvalidRequest("Invalid request: the body is nested too deeply") from None


def _extras(request: ResponsesRequest, body: JsonBody) -> Mapping[str, Any]:
    return {
        key: getattr(request, key) if key in FIELDS else body.value(key)
        for key in body
        if key not in _NOT_KEPT
    }


def _conversation(request: ResponsesRequest, extras: Mapping[str, Any]) -> Conversation:
    reader = InputReader()
    items = _items(request, reader)
    if not items:
        raise InvalidRequest("Invalid request: `input` must not be empty", param="input")
    limit = request.max_output_tokens
    return Conversation(
        model=request.model or "",
        format=FORMAT,
        items=tuple(items),
        stream=request.stream is True,
        tools=read_tools(request.tools or (), reader.additional),
        tool_choice=read_choice(request.tool_choice),
        parallel_tool_calls=request.parallel_tool_calls,
        sampling=Sampling(
            temperature=request.temperature, top_p=request.top_p, top_logprobs=request.top_logprobs
        ),
        max_output_tokens=limit if limit is not None else request.max_tokens,
        output=_output(request.text),
        thinking=read_thinking(request.reasoning),
        identity=Identity(
            user=request.user,
            metadata=request.metadata or {},
            prompt_cache_key=request.prompt_cache_key,
            safety_identifier=request.safety_identifier,
        ),
        service_tier=request.service_tier,
        store=request.store,
        include_usage=True,
        continues=_continues(request, reader),
        extras={FORMAT: extras} if extras else {},
    )


def _items(request: ResponsesRequest, reader: InputReader) -> list[Item]:
    items: list[Item] = []
    if request.instructions:
        extras = {FORMAT: {INSTRUCTIONS: True}}
        items.append(Message(role="system", parts=(Text(request.instructions),), extras=extras))
    if isinstance(request.input, str):
        items += [Message(role="user", parts=(Text(request.input),))] if request.input else []
    else:
        for place, raw in enumerate(request.input or ()):
            items += reader.read(place, raw)
    return items


def _continues(request: ResponsesRequest, reader: InputReader) -> str | None:
    """Which field points to something that only OpenAI's own servers keep."""
    if request.previous_response_id:
        return "previous_response_id"
    if request.conversation:
        return "conversation"
    return "input" if reader.refers else None


def _output(text: dict[str, Any] | None) -> OutputFormat | None:
    options = _converted(text, _TextOptions, "text")
    told = options.format or _Format()
    if told.type not in ("text", "json_object", "json_schema"):
        raise InvalidRequest(
            "Invalid request: `text.format.type` must be text, json_object or json_schema",
            param="text.format.type",
        )
    if told.type == "text" and options.verbosity is None:
        return None
    if told.type != "json_schema":
        kind: Any = told.type
        return OutputFormat(kind=kind, verbosity=options.verbosity)
    return OutputFormat(
        kind="json_schema",
        name=told.name,
        schema=told.schema,
        strict=told.strict,
        description=told.description,
        verbosity=options.verbosity,
    )


def read_thinking(reasoning: dict[str, Any] | None) -> ThinkingIntent:
    """The amount, and whether thoughts are shown: two wishes of their own (D.6, D.8)."""
    told = _converted(reasoning, _Reasoning, "reasoning")
    wish = (told.summary or told.generate_summary or "").strip().lower()
    return intent_of(told.effort or "", _SUMMARIES.get(wish, "unset"))


def _converted(value: dict[str, Any] | None, kind: type[Any], field: str) -> Any:
    try:
        return msgspec.convert(value or {}, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"Invalid request: `{field}`: {error}", param=field) from None
