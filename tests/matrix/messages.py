"""Messages: a client's request and how it reads an answer; an upstream that reads a request."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from ppap_core.testing import ReceivedRequest

from .asking import LIMIT, Document, Message, Part, Picture, Request, Result, Words
from .facts import Facts, Told
from .frames import data_of

Json = dict[str, Any]
CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}
EFFORTS: Final = {24576: "high"}
"""A budget in tokens that means a level (translation spec, D.1)."""
ENDINGS: Final = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool calls",
    "refusal": "refusal",
    "stop_sequence": "stop sequence",
}


def path(model: str, stream: bool) -> str:
    return "/v1/messages"


def ask(request: Request, model: str, stream: bool, replay: Json | None) -> Json:
    """The body; ``replay`` is the answer before, and stands before the last message."""
    messages = [{"role": one.role, "content": _content(one, replay)} for one in request.spoken]
    if replay is not None:
        messages.insert(-1, {"role": "assistant", "content": replay["content"]})
    body: Json = {"model": model, "messages": messages, "max_tokens": LIMIT}
    if stream:
        body["stream"] = True
    if request.leading:
        body["system"] = [_block(part, replay) for message in request.leading for part in message.parts]
    if request.tools:
        body["tools"] = [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.schema,
                **({"strict": True} if tool.strict else {}),
            }
            for tool in request.tools
        ]
    if request.choice:
        kind = CHOICES.get(request.choice)
        body["tool_choice"] = {"type": kind} if kind else {"type": "tool", "name": request.choice}
    if request.parallel is not None:
        body["tool_choice"] = {
            **body.get("tool_choice", {"type": "auto"}),
            "disable_parallel_tool_use": not request.parallel,
        }
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.effort:
        body |= {"thinking": {"type": "adaptive"}, "output_config": {"effort": request.effort}}
    if request.shape:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.shape.schema}}
    return body


def _content(message: Message, replay: Json | None) -> list[Json]:
    return [_block(part, replay) for part in message.parts]


def _block(part: Part, replay: Json | None) -> Json:
    match part:
        case Words(text):
            return {"type": "text", "text": text}
        case Picture(url=""):
            source = {"type": "base64", "media_type": part.media, "data": part.data}
            return {"type": "image", "source": source}
        case Picture():
            return {"type": "image", "source": {"type": "url", "url": part.url}}
        case Document():
            source = {"type": "base64", "media_type": part.media, "data": part.data}
            return {"type": "document", "source": source, "title": part.name}
        case Result():
            uses = [block for block in (replay or {})["content"] if block["type"] == "tool_use"]
            content = [_block(inner, replay) for inner in part.parts]
            return {"type": "tool_result", "tool_use_id": uses[part.call]["id"], "content": content}


def collect(stream: bytes) -> Json:
    """The whole answer of a stream; raises for blocks out of order."""
    events = [json.loads(data) for data in data_of(stream)]
    events = [event for event in events if event["type"] != "ping"]
    assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")
    answer: Json = events[0]["message"]
    assert answer["content"] == []
    opened: Json | None = None
    for event in events[1:-1]:
        match event["type"]:
            case "content_block_start":
                assert opened is None
                assert event["index"] == len(answer["content"])
                opened = {**event["content_block"], "input json": ""}
                answer["content"].append(opened)
            case "content_block_delta":
                assert opened is not None
                assert event["index"] == len(answer["content"]) - 1
                _extend(opened, event["delta"])
            case "content_block_stop":
                assert opened is not None
                _close(opened)
                opened = None
            case "message_delta":
                assert opened is None
                answer |= event["delta"]
                answer["usage"] |= event["usage"]
    return answer


_GROWS: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input json"),
}


def _extend(block: Json, delta: Json) -> None:
    said, key = _GROWS[delta["type"]]
    block[key] = block.get(key, "") + delta[said]


def _close(block: Json) -> None:
    said = block.pop("input json")
    if block["type"] == "tool_use":
        block["input"] = json.loads(said or "{}")
    if block["type"] == "thinking":
        block.setdefault("signature", "")


def hear(answer: Json) -> Facts:
    usage, blocks = answer["usage"], answer["content"]
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    thoughts = [block for block in blocks if block["type"] == "thinking"]
    calls = [block for block in blocks if block["type"] == "tool_use"]
    assert len({call["id"] for call in calls}) == len(calls)
    details = usage.get("output_tokens_details") or {}
    return {
        "model": answer["model"],
        "ending": ENDINGS[answer["stop_reason"]],
        "uncached": usage["input_tokens"],
        "cache read": usage["cache_read_input_tokens"],
        "cache write": usage["cache_creation_input_tokens"],
        "output": usage["output_tokens"],
        "reasoning": details.get("thinking_tokens"),
        "text": text,
        "thought": "".join(block["thinking"] for block in thoughts),
        "signed": any(block["signature"] for block in thoughts),
        "calls": [(call["name"], call["input"]) for call in calls],
        "stopped by": answer["stop_sequence"],
    }


def read(request: ReceivedRequest) -> Facts:
    """What an upstream hears."""
    body, told = request.json(), Told()
    assert request.path == "/v1/messages"
    if body.get("system"):
        told.instructs("system", [block["text"] for block in _blocks_of(body["system"])])
    for message in body["messages"]:
        for block in _blocks_of(message["content"]):
            if message["role"] == "system":
                told.instructs("system", [block["text"]])
            else:
                _READERS[block["type"]](told, message["role"], block)
    for tool in body.get("tools") or ():
        told.offers(tool["name"], tool.get("description", ""), tool["input_schema"], tool.get("strict"))
    choice = body.get("tool_choice") or {}
    words = {theirs: ours for ours, theirs in CHOICES.items()}
    alone = choice.get("disable_parallel_tool_use")
    config = body.get("output_config") or {}
    told.settles(
        model=body["model"],
        limit=body["max_tokens"],
        choice=choice.get("name") or words.get(choice.get("type", "")),
        parallel=None if alone is None else not alone,
        stop=body.get("stop_sequences"),
        temperature=body.get("temperature"),
        effort=config.get("effort") or EFFORTS.get((body.get("thinking") or {}).get("budget_tokens")),
        schema=(config.get("format") or {}).get("schema"),
    )
    return told.facts


def _image(told: Told, role: str, block: Json) -> None:
    told.shows(role, _source(block["source"]))


def _document(told: Told, role: str, block: Json) -> None:
    told.hands(role, _source(block["source"]), block.get("title"))


def _source(source: Json) -> str:
    if source["type"] == "url":
        return str(source["url"])
    base64.b64decode(source["data"], validate=True)
    return f"data:{source['media_type']};base64,{source['data']}"


def _result(told: Told, role: str, block: Json) -> None:
    assert role == "user"
    parts = _blocks_of(block["content"])
    images = [_source(part["source"]) for part in parts if part["type"] == "image"]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    told.results(block["tool_use_id"], "".join(texts), images)


def _blocks_of(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


_READERS: Final[Mapping[str, Any]] = {
    "text": lambda told, role, block: told.says(role, block["text"]),
    "image": _image,
    "document": _document,
    "thinking": lambda told, role, block: told.thinks(block["thinking"], block["signature"]),
    "tool_use": lambda told, role, block: told.calls(block["id"], block["name"], block["input"]),
    "tool_result": _result,
}
