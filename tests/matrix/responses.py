"""Responses: a client's request and how it reads an answer; an upstream that reads a request."""

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
INCOMPLETE: Final = {"max_output_tokens": "length", "content_filter": "refusal"}


def path(model: str, stream: bool) -> str:
    return "/v1/responses"


def ask(request: Request, model: str, stream: bool, replay: Json | None) -> Json:
    """The body; ``replay`` is the answer before, and stands before the last message."""
    first, *others = request.messages
    instructed = first.role == "system"
    items = [item for one in (others if instructed else request.messages) for item in _items(one, replay)]
    if replay is not None:
        answers = len(list(_items(request.messages[-1], replay)))
        items[len(items) - answers : len(items) - answers] = replay["output"]
    body: Json = {"model": model, "input": items, "max_output_tokens": LIMIT, "store": False}
    if stream:
        body["stream"] = True
    if instructed:
        body["instructions"] = "".join(part.text for part in first.parts if isinstance(part, Words))
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.schema,
                "strict": tool.strict,
            }
            for tool in request.tools
        ]
    if request.choice:
        named = {"type": "function", "name": request.choice}
        body["tool_choice"] = request.choice if request.choice in CHOICES else named
    if request.parallel is not None:
        body["parallel_tool_calls"] = request.parallel
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.effort:
        body["reasoning"] = {"effort": request.effort, "summary": "auto"}
        body["include"] = ["reasoning.encrypted_content"]
    if request.shape:
        shape = {"name": request.shape.name, "schema": request.shape.schema, "strict": True}
        body["text"] = {"format": {"type": "json_schema", **shape}}
    return body


def _items(message: Message, replay: Json | None) -> Iterator[Json]:
    results = [part for part in message.parts if isinstance(part, Result)]
    for result in results:
        output = [_part(part) for part in result.parts]
        yield {"type": "function_call_output", "call_id": _calls(replay)[result.call], "output": output}
    content = [_part(part) for part in message.parts if not isinstance(part, Result)]
    if content:
        yield {"type": "message", "role": message.role, "content": content}


def _calls(replay: Json | None) -> list[str]:
    return [item["call_id"] for item in (replay or {})["output"] if item["type"] == "function_call"]


def _part(part: Part) -> Json:
    match part:
        case Words(text):
            return {"type": "input_text", "text": text}
        case Picture():
            return {"type": "input_image", "image_url": part.source, "detail": part.detail or "auto"}
        case Document():
            return {"type": "input_file", "filename": part.name, "file_data": part.source}
    raise TypeError(part)


def collect(stream: bytes) -> Json:
    """The response that ends a stream; what was told of its items on the way must be the same."""
    events = [json.loads(data) for data in data_of(stream)]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[-1]["type"] in ("response.completed", "response.incomplete")
    answer: Json = events[-1]["response"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == answer["output"]
    for index, item in enumerate(done):
        told = "".join(
            event["delta"]
            for event in events
            if event["type"].endswith(".delta") and event["output_index"] == index
        )
        assert told == _text(item)
    return answer


def _text(item: Json) -> str:
    if item["type"] == "message":
        return "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
    if item["type"] == "reasoning":
        return "".join(part["text"] for part in item["summary"])
    return str(item["arguments"])


def hear(answer: Json) -> Facts:
    usage, items = answer["usage"], answer["output"]
    inside, outside = usage["input_tokens_details"], usage["output_tokens_details"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    declined = "".join(part["refusal"] for part in parts if part["type"] == "refusal")
    text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    thoughts = [item for item in items if item["type"] == "reasoning"]
    calls = [item for item in items if item["type"] == "function_call"]
    assert len({call["call_id"] for call in calls}) == len(calls)
    if answer["status"] == "incomplete":
        ending = INCOMPLETE[answer["incomplete_details"]["reason"]]
    else:
        assert answer["status"] == "completed"
        ending = "refusal" if declined else "tool calls" if calls else "stop"
    return {
        "model": answer["model"],
        "ending": ending,
        "uncached": usage["input_tokens"] - inside["cached_tokens"] - inside["cache_write_tokens"],
        "cache read": inside["cached_tokens"],
        "cache write": inside["cache_write_tokens"],
        "output": usage["output_tokens"],
        "reasoning": outside["reasoning_tokens"],
        "text": text + declined,
        "thought": "".join(_text(item) for item in thoughts),
        "signed": any(item.get("encrypted_content") for item in thoughts),
        "calls": [(call["name"], arguments(call["arguments"])) for call in calls],
    }


def read(request: ReceivedRequest) -> Facts:
    """What an upstream hears."""
    body, told = request.json(), Told()
    assert request.path == "/v1/responses"
    if body.get("instructions"):
        told.instructs("system", [body["instructions"]])
    for item in body["input"]:
        _READERS[item.get("type", "message")](told, item)
    for tool in body.get("tools") or ():
        if tool["type"] == "function":
            told.offers(tool["name"], tool.get("description", ""), tool["parameters"], tool.get("strict"))
    built_in = [tool["type"] for tool in body.get("tools") or () if tool["type"] != "function"]
    choice, shape = body.get("tool_choice"), (body.get("text") or {}).get("format") or {}
    told.settles(
        model=body["model"],
        limit=body.get("max_output_tokens"),
        choice=choice["name"] if isinstance(choice, dict) else choice,
        parallel=body.get("parallel_tool_calls"),
        temperature=body.get("temperature"),
        effort=(body.get("reasoning") or {}).get("effort"),
        schema=shape.get("schema"),
        schema_name=shape.get("name"),
        built_in_tools=built_in,
    )
    return told.facts


def _message(told: Told, item: Json) -> None:
    content, role = item["content"], item["role"]
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
    for part in parts:
        match part["type"]:
            case "input_text" | "output_text" if role in ("system", "developer"):
                told.instructs(role, [part["text"]])
            case "input_text" | "output_text":
                assert (part["type"] == "output_text") == (role == "assistant")
                told.says(role, part["text"])
            case "input_image":
                told.shows(role, part["image_url"], part.get("detail"))
            case "input_file":
                told.hands(role, part["file_data"], part.get("filename"))


def _thought(told: Told, item: Json) -> None:
    told.thinks("".join(part["text"] for part in item["summary"]), item.get("encrypted_content"))


def _call(told: Told, item: Json) -> None:
    told.calls(item["call_id"], item["name"], arguments(item["arguments"]))


def _result(told: Told, item: Json) -> None:
    output = item["output"]
    parts = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
    images = [part["image_url"] for part in parts if part["type"] == "input_image"]
    texts = [part["text"] for part in parts if part["type"] == "input_text"]
    told.results(item["call_id"], "".join(texts), images)


_READERS: Final[Mapping[str, Any]] = {
    "message": _message,
    "reasoning": _thought,
    "function_call": _call,
    "function_call_output": _result,
}
