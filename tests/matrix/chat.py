"""Chat Completions: a client's request and how it reads an answer; an upstream that reads a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ppap_core.testing import ReceivedRequest

from .asking import LIMIT, Document, Message, Part, Picture, Request, Result, Words
from .facts import Facts, Told, arguments
from .frames import data_of

Json = dict[str, Any]
CHOICES: Final = ("auto", "none", "required")
ENDINGS: Final = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool calls",
    "content_filter": "refusal",
}


def path(model: str, stream: bool) -> str:
    return "/v1/chat/completions"


def ask(request: Request, model: str, stream: bool, replay: Json | None) -> Json:
    """The body; ``replay`` is the answer before, and stands before the last message."""
    history = [said for message in request.messages for said in _messages(message, replay)]
    if replay is not None:
        answers = len(list(_messages(request.messages[-1], replay)))
        history.insert(len(history) - answers, _replayed(replay))
    body: Json = {"model": model, "messages": history, "max_completion_tokens": LIMIT}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.schema,
                    **({"strict": True} if tool.strict else {}),
                },
            }
            for tool in request.tools
        ]
    if request.choice:
        named = {"type": "function", "function": {"name": request.choice}}
        body["tool_choice"] = request.choice if request.choice in CHOICES else named
    if request.parallel is not None:
        body["parallel_tool_calls"] = request.parallel
    if request.stop:
        body["stop"] = list(request.stop)
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.effort:
        body["reasoning_effort"] = request.effort
    if request.shape:
        shape = {"name": request.shape.name, "schema": request.shape.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return body


def _messages(message: Message, replay: Json | None) -> Iterator[Json]:
    results = [part for part in message.parts if isinstance(part, Result)]
    for result in results:
        call = (replay or {})["choices"][0]["message"]["tool_calls"][result.call]
        yield {"role": "tool", "tool_call_id": call["id"], "content": [_part(part) for part in result.parts]}
    spoken = [part for part in message.parts if not isinstance(part, Result)]
    if spoken:
        plain = len(spoken) == 1 and isinstance(spoken[0], Words)
        content = spoken[0].text if plain else [_part(part) for part in spoken]  # type: ignore[union-attr]
        yield {"role": message.role, "content": content}


def _part(part: Part) -> Json:
    match part:
        case Words(text):
            return {"type": "text", "text": text}
        case Picture():
            detail = {"detail": part.detail} if part.detail else {}
            return {"type": "image_url", "image_url": {"url": part.source, **detail}}
        case Document():
            return {"type": "file", "file": {"filename": part.name, "file_data": part.source}}
    raise TypeError(part)


def _replayed(answer: Json) -> Json:
    return {key: value for key, value in answer["choices"][0]["message"].items() if value is not None}


def collect(stream: bytes) -> Json:
    """The whole answer of a stream."""
    frames = data_of(stream)
    assert frames.pop() == "[DONE]"
    chunks = [json.loads(frame) for frame in frames]
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    message: Json = {"role": "assistant", "content": None}
    finish = None
    calls: list[Json] = []
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        assert choice["index"] == 0
        assert finish is None, "said after the end"
        finish = choice["finish_reason"]
        _add(message, calls, choice["delta"])
    if calls:
        message["tool_calls"] = calls
    (usage,) = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"model": chunks[0]["model"], "choices": [choice], "usage": usage}


def _add(message: Json, calls: list[Json], delta: Json) -> None:
    for key in ("content", "refusal", "reasoning_content"):
        if delta.get(key):
            message[key] = (message.get(key) or "") + delta[key]
    for piece in delta.get("tool_calls") or ():
        if piece["index"] == len(calls):
            calls.append({key: value for key, value in piece.items() if key != "index"})
            calls[-1]["function"] = dict(piece["function"])
        else:
            assert not piece.keys() & {"id", "type"}
            calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


def hear(answer: Json) -> Facts:
    choice, usage = answer["choices"][0], answer["usage"]
    message = choice["message"]
    inside, outside = usage["prompt_tokens_details"], usage.get("completion_tokens_details") or {}
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    read, written = inside.get("cached_tokens"), inside.get("cache_write_tokens")
    facts: Facts = {
        "model": answer["model"],
        "ending": "refusal" if message.get("refusal") else ENDINGS[choice["finish_reason"]],
        "uncached": usage["prompt_tokens"] - (read or 0) - (written or 0),
        "cache read": read,
        "cache write": written,
        "output": usage["completion_tokens"],
        "reasoning": outside.get("reasoning_tokens"),
        "text": (message.get("content") or "") + (message.get("refusal") or ""),
        "thought": message.get("reasoning_content"),
    }
    calls = message.get("tool_calls") or []
    if calls:
        assert len({call["id"] for call in calls}) == len(calls)
        told = [call["function"] for call in calls]
        facts["calls"] = [(function["name"], arguments(function["arguments"])) for function in told]
        facts["signed"] = any("thought_signature" in json.dumps(call) for call in calls)
    return facts


def read(request: ReceivedRequest) -> Facts:
    """What an upstream hears."""
    body, told = request.json(), Told()
    assert request.path == "/v1/chat/completions"
    for message in body["messages"]:
        _READERS[message["role"]](told, message)
    for tool in body.get("tools") or ():
        function = tool["function"]
        told.offers(
            function["name"], function.get("description", ""), function["parameters"], function.get("strict")
        )
    choice, shape = body.get("tool_choice"), (body.get("response_format") or {}).get("json_schema") or {}
    stop = body.get("stop")
    told.settles(
        model=body["model"],
        limit=body.get("max_completion_tokens", body.get("max_tokens")),
        choice=choice["function"]["name"] if isinstance(choice, dict) else choice,
        parallel=body.get("parallel_tool_calls"),
        stop=[stop] if isinstance(stop, str) else stop,
        temperature=body.get("temperature"),
        effort=body.get("reasoning_effort"),
        schema=shape.get("schema"),
        schema_name=shape.get("name"),
    )
    return told.facts


def _instruction(told: Told, message: Json) -> None:
    told.instructs(message["role"], [part["text"] for part in _parts_of(message)])


def _user(told: Told, message: Json) -> None:
    for part in _parts_of(message):
        match part["type"]:
            case "text":
                told.says("user", part["text"])
            case "image_url":
                told.shows("user", part["image_url"]["url"], part["image_url"].get("detail"))
            case "file":
                told.hands("user", part["file"]["file_data"], part["file"].get("filename"))


def _assistant(told: Told, message: Json) -> None:
    if message.get("reasoning_content"):
        told.thinks(message["reasoning_content"], None)
    for part in _parts_of(message):
        told.says("assistant", part["text"])
    for call in message.get("tool_calls") or ():
        told.calls(call["id"], call["function"]["name"], arguments(call["function"]["arguments"]))


def _result(told: Told, message: Json) -> None:
    parts = _parts_of(message)
    images = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    told.results(
        message["tool_call_id"], "".join(part["text"] for part in parts if part["type"] == "text"), images
    )


def _parts_of(message: Json) -> list[Json]:
    content = message.get("content") or []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


_READERS: Final[Mapping[str, Any]] = {
    "system": _instruction,
    "developer": _instruction,
    "user": _user,
    "assistant": _assistant,
    "tool": _result,
}
