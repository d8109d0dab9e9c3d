"""Canned Chat Completions traffic, for stub upstreams and conformance suites.

stub.answers(streamed(*stream(text="Hello"), media_type="text/event-stream"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.testing import Traffic
from ppap_core.wire.sse import data_frame

from .chat.errors import error_body
from .chat.stream_encoder import DONE_FRAME
from .chat.usage import write_usage

MODEL: Final = "upstream-model"
ID: Final = "chatcmpl-canned"
CREATED: Final = 1_700_000_000
USAGE: Final = Usage(input_total=11, cache_read=4, output_total=7, reasoning=2, total=18)


@attrs.frozen
class Call:
    """A tool call in canned traffic; ``arguments`` is JSON text."""

    id: str
    name: str
    arguments: str = "{}"


WEATHER: Final = Call("call_weather", "get_weather", '{"city": "Paris"}')
TIME: Final = Call("call_time", "get_time", '{"zone": "CET"}')


def reply(
    text: str = "",
    *,
    reasoning: str = "",
    tool_calls: Sequence[Call] = (),
    usage: Usage | None = USAGE,
    model: str = MODEL,
    finish_reason: str = "",
) -> bytes:
    """The body of a whole answer. ``finish_reason`` is by default what fits the content."""
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
    if reasoning:
        message["reasoning_content"] = reasoning
    if tool_calls:
        message["tool_calls"] = [_called(call) for call in tool_calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": finish_reason or _fitting(tool_calls),
    }
    answer = _answer("chat.completion", model) | {"choices": [choice]}
    return msgspec.json.encode(answer | _used(usage))


def stream(
    text: str | Sequence[str] = "",
    *,
    reasoning: str = "",
    tool_calls: Sequence[Call] = (),
    usage: Usage | None = USAGE,
    model: str = MODEL,
    finish_reason: str = "",
) -> list[bytes]:
    """A whole streamed answer, one frame each: one delta for each text of `text`, two for each call."""
    frames = [_chunk({"role": "assistant", "content": ""}, model)]
    if reasoning:
        frames.append(_chunk({"reasoning_content": reasoning}, model))
    texts = [text] if isinstance(text, str) else text
    frames += [_chunk({"content": each}, model) for each in texts if each]
    for index, call in enumerate(tool_calls):
        begun = {"index": index, **_called(attrs.evolve(call, arguments=""))}
        told = {"index": index, "function": {"arguments": call.arguments}}
        frames += [_chunk({"tool_calls": [piece]}, model) for piece in (begun, told)]
    frames.append(_chunk({}, model, finish_reason or _fitting(tool_calls)))
    if usage is not None:
        used = _answer("chat.completion.chunk", model) | {"choices": []} | _used(usage)
        frames.append(data_frame(msgspec.json.encode(used)))
    return [*frames, DONE_FRAME]


def error(status: int, message: str = "The stub upstream refuses") -> bytes:
    """The body of an error answer."""
    return error_body(ErrorDetail(message=message, status=status))


def error_frame(message: str = "The stub upstream fails", kind: str = "server_error") -> bytes:
    """A failure told inside a stream."""
    return data_frame(msgspec.json.encode({"error": {"message": message, "type": kind}}))


def request(
    text: str = "Hello",
    *,
    model: str = "client-model",
    stream: bool = False,
    **fields: Any,
) -> bytes:
    """A client's request with one user message; `fields` are added as they are."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return msgspec.json.encode(body | ({"stream": True} if stream else {}) | fields)


def _fitting(tool_calls: Sequence[Call]) -> str:
    return "tool_calls" if tool_calls else "stop"


def _called(call: Call) -> dict[str, Any]:
    told = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": told}


def _answer(kind: str, model: str) -> dict[str, Any]:
    return {"id": ID, "object": kind, "created": CREATED, "model": model}


def _used(usage: Usage | None) -> dict[str, Any]:
    return {} if usage is None else {"usage": write_usage(usage)}


def _chunk(delta: Mapping[str, Any], model: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return data_frame(msgspec.json.encode(_answer("chat.completion.chunk", model) | {"choices": [choice]}))


_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Says what the weather is",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_ROUND_TRIP: Final = [
    {"role": "system", "content": "Be brief"},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this, and how is the weather there?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8=", "detail": "low"}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [_called(WEATHER)],
        "reasoning_content": "Look it up",
    },
    {"role": "tool", "tool_call_id": WEATHER.id, "content": "18 degrees"},
]

TRAFFIC: Final = Traffic(
    requests={
        "plain": request(),
        "streamed": request(stream=True, stream_options={"include_usage": True}),
        "tools": request(
            messages=_ROUND_TRIP,
            tools=[_TOOL],
            tool_choice="auto",
            parallel_tool_calls=False,
            temperature=0.2,
            max_completion_tokens=300,
            stop=["END"],
            reasoning_effort="high",
        ),
        "structured": request(
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "out", "schema": {"type": "object"}},
            }
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
        "crlf": b"".join(stream("Hello")).replace(b"\n\n", b"\r\n\r\n"),
    },
    stream_errors={
        "at once": error_frame(),
        "after text": b"".join(stream("Hello")[:2]) + error_frame(kind="overloaded_error"),
        "without frame": b'{"error":{"message":"upstream failed"}}\n',
    },
    errors={
        "own shape": (429, error(429)),
        "plain text": (503, b"no healthy upstream"),
        "page": (502, b"<html><body>Bad gateway</body></html>"),
        "validation": (422, b'{"detail":[{"loc":["body","model"],"msg":"field required"}]}'),
    },
)
"""Healthy and unhealthy traffic of every kind, for `ppap_core.testing.codec.codec_checks`."""

COMPLETIONS_TRAFFIC: Final = Traffic(
    requests={
        "plain": b'{"model":"client-model","prompt":"Once upon a time"}',
        "streamed": b'{"model":"client-model","prompt":["One","two"],"stream":true,"echo":true,"logprobs":1}',
    }
)
"""The same for the legacy format, which only clients speak."""
