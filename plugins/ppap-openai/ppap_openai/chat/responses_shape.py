"""A body in the shape of the Responses API that was posted to the chat route.

Some clients do that; the body is brought into Chat's shape on entry, and the answer is Chat's
(translation spec, 0.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

_JSON: TypeAlias = dict[str, Any]
_CONVERTED: Final = frozenset(
    {"input", "instructions", "max_output_tokens", "reasoning", "text", "tools", "tool_choice"}
)
_RESPONSES_ONLY: Final = frozenset(
    {"include", "truncation", "background", "previous_response_id", "conversation"}
)


def is_responses_shaped(body: JsonBody) -> bool:
    return "messages" not in body and ("input" in body or "instructions" in body)


def as_chat(body: Mapping[str, Any]) -> _JSON:
    """The same request in Chat's shape. Raises `InvalidRequest`."""
    for stateful in ("previous_response_id", "conversation"):
        if body.get(stateful) is not None:
            raise InvalidRequest(
                f"Invalid request: `{stateful}` is not kept here; send the whole conversation", param=stateful
            )
    chat = {key: value for key, value in body.items() if key not in _CONVERTED | _RESPONSES_ONLY}
    chat["messages"] = list(_messages(body))
    chat |= {
        "max_tokens": body.get("max_output_tokens"),
        "reasoning_effort": _object(body, "reasoning").get("effort"),
        "verbosity": _object(body, "text").get("verbosity"),
        "response_format": _response_format(_object(body, "text").get("format")),
        "tools": _tools(body.get("tools")),
        "tool_choice": _tool_choice(body.get("tool_choice")),
    }
    return {key: value for key, value in chat.items() if value is not None}


def _object(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _messages(body: Mapping[str, Any]) -> Iterator[_JSON]:
    if body.get("instructions"):
        yield {"role": "system", "content": body["instructions"]}
    told = body.get("input")
    if isinstance(told, str):
        yield {"role": "user", "content": told}
    elif isinstance(told, list):
        yield from _merged(told)
    elif told is not None:
        raise InvalidRequest("Invalid request: `input` must be a string or a list", param="input")


def _merged(items: list[Any]) -> Iterator[_JSON]:
    """Each item as a message; reasoning and calls join the assistant message they belong to."""
    assistant: _JSON | None = None
    for item in items:
        if not isinstance(item, dict):
            raise InvalidRequest("Invalid request: each element of `input` must be an object", param="input")
        message = _ITEMS.get(_type(item) or "message", _nothing)(item)
        if message is None:
            continue
        if message["role"] != "assistant":
            if assistant is not None:
                yield assistant
            assistant = None
            yield message
        elif assistant is None:
            assistant = message
        else:
            _join(assistant, message)
    if assistant is not None:
        yield assistant


def _type(value: _JSON) -> str:
    """The ``type`` of an item or part; one that is no text is none that is known."""
    kind = value.get("type") or ""
    return kind if isinstance(kind, str) else repr(kind)


def _join(assistant: _JSON, more: _JSON) -> None:
    assistant.setdefault("tool_calls", []).extend(more.get("tool_calls", ()))
    for key in ("content", "reasoning_content"):
        said = [*_as_list(assistant.get(key)), *_as_list(more.get(key))]
        if said:
            assistant[key] = said


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [{"type": "text", "text": value}]


def _message(item: _JSON) -> _JSON:
    content = item.get("content")
    if isinstance(content, list):
        content = [_part(part) for part in content]
    return {"role": item.get("role", "user"), "content": content}


def _part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    convert = _PARTS.get(_type(part))
    return convert(part) if convert else part


def _image(part: _JSON) -> _JSON:
    url = {"url": part.get("image_url"), "detail": part.get("detail")}
    return {"type": "image_url", "image_url": {key: value for key, value in url.items() if value is not None}}


def _file(part: _JSON) -> _JSON:
    keys = ("file_data", "file_id", "filename")
    return {"type": "file", "file": {key: part[key] for key in keys if key in part}}


def _text(part: _JSON) -> _JSON:
    return {**part, "type": "text"}


def _audio(part: _JSON) -> _JSON:
    told = part.get("input_audio") or {key: part.get(key) for key in ("data", "format")}
    return {"type": "input_audio", "input_audio": told}


_PARTS: Final[Mapping[str, Callable[[_JSON], _JSON]]] = {
    "input_text": _text,
    "output_text": _text,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


def _function_call(item: _JSON) -> _JSON:
    told = {"name": item.get("name"), "arguments": item.get("arguments")}
    return _calling({"id": item.get("call_id"), "type": "function", "function": told})


def _custom_call(item: _JSON) -> _JSON:
    told = {"name": item.get("name"), "input": item.get("input")}
    return _calling({"id": item.get("call_id"), "type": "custom", "custom": told})


def _calling(call: _JSON) -> _JSON:
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _output(item: _JSON) -> _JSON:
    output = item.get("output")
    content = [_part(part) for part in output] if isinstance(output, list) else output
    return {"role": "tool", "tool_call_id": item.get("call_id"), "content": content}


def _reasoning(item: _JSON) -> _JSON | None:
    told = item.get("summary") or item.get("content")
    return {"role": "assistant", "content": None, "reasoning_content": told} if told else None


def _nothing(item: _JSON) -> _JSON | None:
    return None


_ITEMS: Final[Mapping[str, Callable[[_JSON], _JSON | None]]] = {
    "message": _message,
    "function_call": _function_call,
    "custom_tool_call": _custom_call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "reasoning": _reasoning,
}
"""Items that only the provider itself can run again have no entry, and are left out."""


def _tools(tools: Any) -> list[Any] | None:
    if not isinstance(tools, list):
        return None
    kept = [
        _tool(tool) for tool in tools if isinstance(tool, dict) and tool.get("type") in ("function", "custom")
    ]
    return kept or None


def _tool(tool: _JSON) -> _JSON:
    kind = tool["type"]
    return {"type": kind, kind: {key: value for key, value in tool.items() if key != "type"}}


def _tool_choice(choice: Any) -> Any:
    """A flat choice nested; a choice of a provider's own tool has nothing left to choose."""
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") in ("function", "custom"):
        return {"type": choice["type"], choice["type"]: {"name": choice.get("name")}}
    return None


def _response_format(told: Any) -> _JSON | None:
    if not isinstance(told, dict) or told.get("type") == "text":
        return None
    if told.get("type") != "json_schema":
        return told
    schema = {key: value for key, value in told.items() if key != "type"}
    return {"type": "json_schema", "json_schema": schema}


def as_chat_body(body: JsonBody) -> JsonBody:
    return JsonBody(msgspec.json.encode(as_chat(body.decoded())))
