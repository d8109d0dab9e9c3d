"""Canned Responses traffic, for stub upstreams and conformance suites.

stub.answers(streamed(stream("Hello")))
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.testing import Traffic
from ppap_core.wire.sse import event_frame

from ..chat.errors import error_body
from ..testing import CREATED, MODEL, TIME, USAGE, WEATHER, Call
from .name import JsonObject
from .usage import write_usage

ID: Final = "resp_canned"
ENCRYPTED: Final = "gAAAAA" + "B" * 92
"""Looks like what OpenAI's models encrypt their thoughts into."""


def response(
    items: Sequence[JsonObject] = (), *, status: str = "completed", model: str = MODEL, **fields: Any
) -> JsonObject:
    """A response object."""
    return {
        "id": ID,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
        **fields,
    }


def message(text: str, item_id: str = "msg_canned") -> JsonObject:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def thought(text: str = "", encrypted_content: str | None = ENCRYPTED) -> JsonObject:
    summary = [{"type": "summary_text", "text": text}] if text else []
    opaque = {"encrypted_content": encrypted_content} if encrypted_content else {}
    return {"id": "rs_canned", "type": "reasoning", "summary": summary, **opaque}


def called(call: Call) -> JsonObject:
    return {
        "id": f"fc_{call.id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
    }


def custom(call_id: str, name: str, text: str) -> JsonObject:
    """A call of a free-text tool."""
    item = {"id": f"ctc_{call_id}", "type": "custom_tool_call", "status": "completed"}
    return {**item, "call_id": call_id, "name": name, "input": text}


def drawn(data: str, output_format: str = "png", item_id: str = "ig_canned") -> JsonObject:
    """A picture that the provider's own tool made."""
    item = {"id": item_id, "type": "image_generation_call", "status": "completed"}
    return {**item, "output_format": output_format, "result": data}


def _items(text: str, reasoning: str, tool_calls: Sequence[Call]) -> list[JsonObject]:
    return [
        *([thought(reasoning)] if reasoning else []),
        *([message(text)] if text else []),
        *map(called, tool_calls),
    ]


def reply(
    text: str = "",
    *,
    reasoning: str = "",
    tool_calls: Sequence[Call] = (),
    usage: Usage | None = USAGE,
    model: str = MODEL,
) -> bytes:
    """The body of a whole answer."""
    used = write_usage(usage) if usage is not None else None
    return msgspec.json.encode(response(_items(text, reasoning, tool_calls), model=model, usage=used))


class _Numbered:
    """The frames of one stream, numbered as OpenAI does."""

    def __init__(self) -> None:
        self._next = 0

    def frame(self, kind: str, **fields: Any) -> bytes:
        told = {"type": kind, **fields, "sequence_number": self._next}
        self._next += 1
        return event_frame(kind, msgspec.json.encode(told))


def stream(
    text: str | Sequence[str] = "",
    *,
    reasoning: str = "",
    tool_calls: Sequence[Call] = (),
    usage: Usage | None = USAGE,
    model: str = MODEL,
    output: bool = True,
) -> list[bytes]:
    """A whole streamed answer, one frame each. ``output``: whether the last event repeats the items."""
    texts = [text] if isinstance(text, str) else list(text)
    return stream_of(
        _items("".join(texts), reasoning, tool_calls), texts=texts, usage=usage, model=model, output=output
    )


def stream_of(
    items: Sequence[JsonObject],
    *,
    texts: Sequence[str] = (),
    usage: Usage | None = USAGE,
    model: str = MODEL,
    output: bool = True,
) -> list[bytes]:
    """The same for any items; ``texts`` are the pieces of a message's text, by default one."""
    numbered = _Numbered()
    begun = response(status="in_progress", model=model)
    words = ("response.created", "response.in_progress")
    frames = [numbered.frame(word, response=begun) for word in words]
    for index, item in enumerate(items):
        begins = {key: value for key, value in item.items() if key not in _LATER} | _EMPTY.get(
            item["type"], {}
        )
        frames.append(numbered.frame("response.output_item.added", output_index=index, item=begins))
        place = {"item_id": item["id"], "output_index": index}
        frames += _told(item, place, texts, numbered)
        frames.append(numbered.frame("response.output_item.done", output_index=index, item=item))
    used = write_usage(usage) if usage is not None else None
    ended = response(items if output else (), model=model, usage=used)
    return [*frames, numbered.frame("response.completed", response=ended)]


_LATER: Final = ("result", "output_format", "content", "summary", "arguments", "input")
_EMPTY: Final[dict[str, JsonObject]] = {
    "message": {"content": [], "status": "in_progress"},
    "reasoning": {"summary": [], "encrypted_content": "gAAAAAprovisional"},
    "function_call": {"arguments": "", "status": "in_progress"},
    "custom_tool_call": {"input": "", "status": "in_progress"},
}


def _told(item: JsonObject, place: JsonObject, texts: Sequence[str], numbered: _Numbered) -> Iterator[bytes]:
    """What is told of an item between its beginning and its end."""
    match item["type"]:
        case "message":
            part = item["content"][0]
            place = {**place, "content_index": 0}
            yield numbered.frame("response.content_part.added", **place, part={**part, "text": ""})
            for piece in [text for text in texts if text] or [part["text"]]:
                yield numbered.frame("response.output_text.delta", **place, delta=piece, logprobs=[])
            yield numbered.frame("response.output_text.done", **place, text=part["text"], logprobs=[])
            yield numbered.frame("response.content_part.done", **place, part=part)
        case "reasoning":
            for index, part in enumerate(item["summary"]):
                at = {**place, "summary_index": index}
                word = "response.reasoning_summary"
                yield numbered.frame(f"{word}_part.added", **at, part={**part, "text": ""})
                yield numbered.frame(f"{word}_text.delta", **at, delta=part["text"])
                yield numbered.frame(f"{word}_text.done", **at, text=part["text"])
                yield numbered.frame(f"{word}_part.done", **at, part=part)
        case "function_call":
            word, given = "response.function_call_arguments", item["arguments"]
            yield numbered.frame(f"{word}.delta", **place, delta=given)
            yield numbered.frame(f"{word}.done", **place, arguments=given)
        case "custom_tool_call":
            word, given = "response.custom_tool_call_input", item["input"]
            yield numbered.frame(f"{word}.delta", **place, delta=given)
            yield numbered.frame(f"{word}.done", **place, input=given)


def error(status: int, text: str = "The stub upstream refuses") -> bytes:
    """The body of an error answer."""
    return error_body(ErrorDetail(message=text, status=status))


def error_event(text: str = "The stub upstream fails", code: str = "server_error", number: int = 0) -> bytes:
    """A failure told inside a stream."""
    told = {"type": "error", "code": code, "message": text, "param": None, "sequence_number": number}
    return event_frame("error", msgspec.json.encode(told))


def failed_event(text: str = "The stub upstream fails", code: str = "server_error", number: int = 0) -> bytes:
    """The same as the failure of the response."""
    failed = response(status="failed", error={"code": code, "message": text})
    told = {"type": "response.failed", "response": failed, "sequence_number": number}
    return event_frame("response.failed", msgspec.json.encode(told))


def request(
    text: str = "Hello", /, *, model: str = "client-model", stream: bool = False, **fields: Any
) -> bytes:
    """A client's request with one user message; `fields` are added as they are."""
    body = {"model": model, "input": text}
    return msgspec.json.encode(body | ({"stream": True} if stream else {}) | fields)


_TOOL: Final = {
    "type": "function",
    "name": "get_weather",
    "description": "Says what the weather is",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
_PATCH: Final = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
}
_ROUND_TRIP: Final = [
    {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief"}]},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is this, and how is the weather there?"},
            {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8=", "detail": "low"},
        ],
    },
    thought("Look it up") | {"content": None},
    called(WEATHER),
    {"type": "function_call_output", "call_id": WEATHER.id, "output": "18 degrees"},
]

TRAFFIC: Final = Traffic(
    requests={
        "plain": request(),
        "streamed": request(stream=True),
        "tools": request(
            input=_ROUND_TRIP,
            tools=[_TOOL, _PATCH, {"type": "web_search", "search_context_size": "high"}],
            tool_choice="auto",
            parallel_tool_calls=False,
            temperature=0.2,
            max_output_tokens=300,
            reasoning={"effort": "high", "summary": "auto"},
            include=["reasoning.encrypted_content"],
            store=False,
            prompt_cache_key="thread-1",
        ),
        "structured": request(
            instructions="Answer in JSON",
            text={
                "format": {"type": "json_schema", "name": "out", "schema": {"type": "object"}},
                "verbosity": "low",
            },
        ),
    },
    replies={
        "text": reply("Hello there"),
        "reasoned": reply("42", reasoning="Let me think"),
        "tools": reply(tool_calls=(WEATHER, TIME)),
    },
    streams={
        "text": b"".join(stream(["Hel", "lo", " there"])),
        "reasoned": b"".join(stream("42", reasoning="Let me think")),
        "tools": b"".join(stream("Looking", tool_calls=(WEATHER, TIME))),
        "without output": b"".join(stream("Hello", tool_calls=(WEATHER,), output=False)),
        "free text": b"".join(stream_of([custom("call_patch", "apply_patch", "*** Begin Patch")])),
        "crlf": b"".join(stream("Hello")).replace(b"\n", b"\r\n"),
    },
    stream_errors={
        "at once": error_event(),
        "failed": b"".join(stream("Hello")[:2]) + failed_event(code="server_is_overloaded", number=2),
        "after text": b"".join(stream("Hello")[:5]) + error_event(code="rate_limit_exceeded", number=5),
        "without frame": b'{"error":{"message":"upstream failed"}}\n\n',
    },
    errors={
        "own shape": (429, error(429)),
        "plain text": (503, b"no healthy upstream"),
        "detail": (400, b'{"detail":"Unsupported parameter: context_management"}'),
    },
)
"""Healthy and unhealthy traffic of every kind, for `ppap_core.testing.codec.codec_checks`."""
