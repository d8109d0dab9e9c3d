"""Canned traffic of this format, for tests of other plugins and of the core.

Everything has the form of real answers; ids are fixed, so that tests can compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.testing import Traffic

from .generate.errors import WORD_OF_STATUS

MODEL: Final = "gemini-3.1-pro-preview"
SIGNATURE: Final = "CiQBjz1rX2Nhbm5lZC1zaWduYXR1cmUtb2YtdGVzdHM="
"""Has the envelope of a real one, so that it survives the way back."""
USAGE: Final[Mapping[str, int]] = {
    "promptTokenCount": 11,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 3,
    "cachedContentTokenCount": 5,
    "totalTokenCount": 18,
}

ToolCalls = Sequence[tuple[str, Mapping[str, Any]]]
"""Name and arguments of each call."""


def reply(
    text: str = "",
    *,
    tool_calls: ToolCalls = (),
    thinking: str = "",
    usage: Mapping[str, int] = USAGE,
    model: str = MODEL,
) -> bytes:
    """A whole answer: thinking, text, calls, as far as they are given."""
    return msgspec.json.encode(_chunk(_parts(text, tool_calls, thinking), usage, model, "STOP"))


def stream(
    text: str = "",
    *,
    tool_calls: ToolCalls = (),
    thinking: str = "",
    usage: Mapping[str, int] = USAGE,
    model: str = MODEL,
    pieces: int = 2,
) -> list[bytes]:
    """The same as a stream, one frame each; every text comes in `pieces` chunks.

    Each chunk has a part of the usage, as Google's do, and the last one the reason to finish.
    """
    so_far = {name: count for name, count in usage.items() if name == "promptTokenCount"}
    frames = [
        frame(_chunk([piece], so_far, model))
        for part in _parts(text, tool_calls, thinking)
        for piece in _cut(part, pieces)
    ]
    return [*frames, frame(_chunk([{"text": ""}], usage, model, "STOP"))]


def error(status: int, message: str = "It does not work today", details: Sequence[Any] = ()) -> bytes:
    """The body of an error answer."""
    word = WORD_OF_STATUS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    told = {"code": status, "message": message, "status": word}
    return msgspec.json.encode({"error": {**told, "details": details} if details else told})


def error_frame(status: int, message: str = "It does not work today") -> bytes:
    """The same inside a stream."""
    return b"data: %b\n\n" % error(status, message)


def frame(chunk: Mapping[str, Any]) -> bytes:
    """A chunk of a stream."""
    return b"data: %b\n\n" % msgspec.json.encode(chunk)


def _chunk(
    parts: Sequence[Mapping[str, Any]], usage: Mapping[str, int], model: str, finish: str | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": dict(usage),
        "modelVersion": model,
        "responseId": "canned",
    }


def _parts(text: str, tool_calls: ToolCalls, thinking: str) -> list[dict[str, Any]]:
    """The first call carries the signature, as Gemini 3's does."""
    parts: list[dict[str, Any]] = []
    if thinking:
        parts.append({"text": thinking, "thought": True})
    if text:
        parts.append({"text": text})
    for number, (name, arguments) in enumerate(tool_calls, 1):
        call = {"name": name, "args": dict(arguments), "id": f"fc_{number}"}
        signed = {"thoughtSignature": SIGNATURE} if number == 1 else {}
        parts.append({"functionCall": call, **signed})
    return parts


def _cut(part: Mapping[str, Any], pieces: int) -> list[Mapping[str, Any]]:
    if "text" not in part:
        return [part]
    text = part["text"]
    size = max(1, -(-len(text) // pieces))
    return [{**part, "text": text[start : start + size]} for start in range(0, len(text), size)]


def _without_model(request: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(request)
    return {name: value for name, value in fields.items() if name != "model"}


def _request(**fields: Any) -> bytes:
    return msgspec.json.encode({"model": MODEL, **fields})


_WEATHER: Final = {
    "functionDeclarations": [
        {
            "name": "get_weather",
            "description": "Weather of a city",
            "parametersJsonSchema": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        }
    ]
}
_TOOL_ROUND: Final = [
    {"role": "user", "parts": [{"text": "Weather in Oslo and Rome?"}]},
    {
        "role": "model",
        "parts": [
            {"text": "Two calls.", "thought": True, "thoughtSignature": SIGNATURE},
            {"text": "Let me look."},
            {
                "functionCall": {"name": "get_weather", "args": {"city": "Oslo"}, "id": "fc_1"},
                "thoughtSignature": SIGNATURE,
            },
            {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}, "id": "fc_2"}},
        ],
    },
    {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "get_weather", "response": {"output": "rain"}, "id": "fc_1"}},
            {"functionResponse": {"name": "get_weather", "response": {"result": "sun"}, "id": "fc_2"}},
        ],
    },
]
_CODING_AGENT: Final = {
    "systemInstruction": {"role": "user", "parts": [{"text": "You are terse."}]},
    "contents": [
        *_TOOL_ROUND,
        {
            "role": "user",
            "parts": [
                {"text": "See this"},
                {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
            ],
        },
    ],
    "tools": [_WEATHER, {"googleSearch": {}}],
    "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
    "generationConfig": {
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxOutputTokens": 1000,
        "stopSequences": ["END"],
        "thinkingConfig": {"thinkingLevel": "high", "includeThoughts": True},
    },
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
}
_WORDS: Final = 'Grüße, 世界! "Quoted" and\nbroken\\lines.'
_CALLS: Final = (("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Rome"}))
_TWO_ANSWERS: Final = [
    frame(
        {
            "candidates": [
                {"index": index, "content": {"role": "model", "parts": [{"text": word}]}, **end}
                for index, word in enumerate(words)
            ],
            "usageMetadata": dict(USAGE),
            "responseId": "canned",
        }
    )
    for words, end in ((("One", "Two"), {}), ((".", "!"), {"finishReason": "STOP"}))
]

TRAFFIC: Final = Traffic(
    requests={
        "plain": _request(contents=[{"role": "user", "parts": [{"text": "Hello"}]}]),
        "coding agent": _request(**_CODING_AGENT),
        "tool round": _request(tools=[_WEATHER], contents=_TOOL_ROUND),
    },
    replies={
        "text": reply(_WORDS),
        "thinking and calls": reply("Let me look.", tool_calls=_CALLS, thinking="Two calls."),
    },
    streams={
        "text": b"".join(stream(_WORDS, pieces=5)),
        "thinking and calls": b"".join(stream("Look.", tool_calls=_CALLS, thinking="Two.", pieces=3)),
        "lines end with CRLF": b"".join(stream(_WORDS)).replace(b"\n", b"\r\n"),
    },
    stream_errors={
        "overloaded at once": error_frame(503),
        "rate limit in the middle": b"".join([*stream(_WORDS)[:1], error_frame(429)]),
    },
    errors={str(status): (status, error(status)) for status in (400, 401, 403, 404, 429, 500, 503, 504)},
)
"""Samples for the conformance suite of a codec."""

TWO_ANSWERS: Final = b"".join(_TWO_ANSWERS)
"""A stream of two candidates, side by side."""


def enveloped_frame(chunk: Mapping[str, Any]) -> bytes:
    """A chunk of a stream of Code Assist."""
    return frame({"response": chunk})


def _in_envelopes(stream: bytes) -> bytes:
    return b"".join(
        each if b'"error"' in each else b'data: {"response":%b}\n\n' % each.strip()[6:]
        for each in stream.replace(b"\r\n", b"\n").split(b"\n\n")
        if each.strip()
    )


CODE_ASSIST_TRAFFIC: Final = Traffic(
    requests={
        name: msgspec.json.encode({"model": MODEL, "project": "p", "request": _without_model(body)})
        for name, body in TRAFFIC.requests.items()
    },
    replies={name: b'{"response":%b,"traceId":"t"}' % body for name, body in TRAFFIC.replies.items()},
    streams={name: _in_envelopes(stream) for name, stream in TRAFFIC.streams.items()},
    stream_errors={
        "overloaded at once": error_frame(503),
        "rate limit in the middle": _in_envelopes(stream(_WORDS)[0]) + error_frame(429),
    },
    errors=TRAFFIC.errors,
)
"""The same in the envelope of Code Assist."""
