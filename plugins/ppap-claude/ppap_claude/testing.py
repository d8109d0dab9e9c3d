"""Canned traffic of this format, for tests of other plugins and of the core.

Everything has the form of real answers; ids are fixed, so that tests can compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.testing import Traffic

from .messages.errors import TYPE_OF_STATUS

MODEL: Final = "claude-sonnet-4-6"
SIGNATURE: Final = "EqQBCkYIBxgCKkBjYW5uZWQtc2lnbmF0dXJlLW9mLXRlc3Rz"
"""Has the envelope of a real one, so that it survives the way back."""
USAGE: Final[Mapping[str, int]] = {
    "input_tokens": 13,
    "cache_creation_input_tokens": 31,
    "cache_read_input_tokens": 22000,
    "output_tokens": 4,
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
    content = _blocks(text, tool_calls, thinking)
    return msgspec.json.encode(
        {**_message(model, usage), "content": content, "stop_reason": _reason(tool_calls)}
    )


def stream(
    text: str = "",
    *,
    tool_calls: ToolCalls = (),
    thinking: str = "",
    usage: Mapping[str, int] = USAGE,
    model: str = MODEL,
    pieces: int = 2,
) -> list[bytes]:
    """The same as a stream, one frame each; every text comes in `pieces` deltas."""
    start = {**usage, "output_tokens": 1}
    frames = [_frame("message_start", message={**_message(model, start), "stop_reason": None})]
    frames.append(_frame("ping"))
    for index, block in enumerate(_blocks(text, tool_calls, thinking)):
        frames += _block_frames(index, block, pieces)
    delta = {"stop_reason": _reason(tool_calls), "stop_sequence": None}
    frames.append(
        _frame("message_delta", delta=delta, usage={"output_tokens": usage.get("output_tokens", 0)})
    )
    frames.append(_frame("message_stop"))
    return frames


def error(status: int, message: str = "It does not work today") -> bytes:
    """The body of an error answer."""
    kind = TYPE_OF_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return msgspec.json.encode(
        {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_canned"}
    )


def error_event(status: int, message: str = "It does not work today") -> bytes:
    """The same inside a stream, as a frame."""
    return b"event: error\ndata: %b\n\n" % error(status, message)


def _message(model: str, usage: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": "msg_canned",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": dict(usage),
    }


def _reason(tool_calls: ToolCalls) -> str:
    return "tool_use" if tool_calls else "end_turn"


def _blocks(text: str, tool_calls: ToolCalls, thinking: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if thinking:
        blocks.append({"type": "thinking", "thinking": thinking, "signature": SIGNATURE})
    if text:
        blocks.append({"type": "text", "text": text})
    for number, (name, arguments) in enumerate(tool_calls, 1):
        blocks.append({"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": dict(arguments)})
    return blocks


_EMPTIED: Final[Mapping[str, Mapping[str, Any]]] = {
    "thinking": {"thinking": "", "signature": ""},
    "text": {"text": ""},
    "tool_use": {"input": {}},
}
_DELTAS: Final = {
    "thinking": ("thinking_delta", "thinking"),
    "text": ("text_delta", "text"),
    "tool_use": ("input_json_delta", "partial_json"),
}


def _block_frames(index: int, block: Mapping[str, Any], pieces: int) -> list[bytes]:
    kind = block["type"]
    delta, field = _DELTAS[kind]
    said = msgspec.json.encode(block["input"]).decode() if kind == "tool_use" else block[field]
    frames = [_frame("content_block_start", index=index, content_block={**block, **_EMPTIED[kind]})]
    frames += [
        _frame("content_block_delta", index=index, delta={"type": delta, field: piece})
        for piece in _cut(said, pieces)
    ]
    if kind == "thinking":
        signed = {"type": "signature_delta", "signature": block["signature"]}
        frames.append(_frame("content_block_delta", index=index, delta=signed))
    return [*frames, _frame("content_block_stop", index=index)]


def _cut(text: str, pieces: int) -> list[str]:
    size = max(1, -(-len(text) // pieces))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _frame(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **fields}))


def _request(**fields: Any) -> bytes:
    return msgspec.json.encode({"model": MODEL, "max_tokens": 1024, **fields})


_CACHED: Final = {"type": "ephemeral"}
_WEATHER: Final = {
    "name": "get_weather",
    "description": "Weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "cache_control": _CACHED,
}
_TOOL_ROUND: Final = [
    {"role": "user", "content": "Weather in Oslo and Rome?"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Two calls.", "signature": SIGNATURE},
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}},
            {"type": "tool_use", "id": "toolu_2", "name": "get_weather", "input": {"city": "Rome"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
            {
                "type": "tool_result",
                "tool_use_id": "toolu_2",
                "content": [{"type": "text", "text": "sun"}],
                "is_error": False,
            },
        ],
    },
]
_CODING_AGENT: Final = {
    "stream": True,
    "system": [
        {"type": "text", "text": "You are terse."},
        {"type": "text", "text": "Rules.", "cache_control": _CACHED},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "system", "content": "The date is known."},
        *_TOOL_ROUND,
    ],
    "tools": [_WEATHER],
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "metadata": {"user_id": '{"session_id":"5f0e"}'},
}
_WORDS: Final = 'Grüße, 世界! "Quoted" and\nbroken\\lines.'
_CALLS: Final = (("get_weather", {"city": "Oslo"}), ("get_weather", {"city": "Rome"}))
_SEARCH_USE: Final = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
_SEARCH_RESULT: Final = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
_SEARCH: Final = [
    _frame("message_start", message=_message(MODEL, USAGE)),
    _frame("content_block_start", index=0, content_block=_SEARCH_USE),
    _frame(
        "content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"query":"x"}'}
    ),
    _frame("content_block_stop", index=0),
    _frame("content_block_start", index=1, content_block=_SEARCH_RESULT),
    _frame("content_block_stop", index=1),
    _frame("content_block_start", index=2, content_block={"type": "text", "text": ""}),
    _frame("content_block_delta", index=2, delta={"type": "text_delta", "text": "Found."}),
    _frame("content_block_stop", index=2),
    _frame("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=dict(USAGE)),
    _frame("message_stop"),
]

TRAFFIC: Final = Traffic(
    requests={
        "plain": _request(messages=[{"role": "user", "content": "Hello"}]),
        "coding agent": _request(**_CODING_AGENT),
        "tool round": _request(tools=[_WEATHER], messages=_TOOL_ROUND),
    },
    replies={
        "text": reply(_WORDS),
        "thinking and calls": reply("Let me look.", tool_calls=_CALLS, thinking="Two calls."),
    },
    streams={
        "text": b"".join(stream(_WORDS, pieces=5)),
        "thinking and calls": b"".join(stream("Look.", tool_calls=_CALLS, thinking="Two.", pieces=3)),
        "lines end with CRLF": b"".join(stream(_WORDS)).replace(b"\n", b"\r\n"),
        "server tool": b"".join(_SEARCH),
    },
    stream_errors={
        "overloaded at once": error_event(529),
        "overloaded after the start": b"".join([*stream(_WORDS)[:2], error_event(529)]),
        "rate limit in the middle": b"".join([*stream(_WORDS)[:4], error_event(429)]),
    },
    errors={str(status): (status, error(status)) for status in (400, 401, 403, 404, 413, 429, 500, 529)},
)
"""Samples for the conformance suite of a codec."""
