"""Chat Completions. https://platform.openai.com/docs/api-reference/chat, read 2026-11-22."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ppap_core.testing import ReceivedRequest

from .turn import CREATED, MODEL, Ending, Tokens, Turn, data_frame, halves

FINISH: Final[Mapping[Ending, str]] = {
    "stop": "stop",
    "length": "length",
    "refusal": "stop",  # what was declined stands in `refusal`
    "stop_sequence": "stop",
}


class Chat:
    """What an upstream of Chat Completions says."""

    name = "chat"

    def streams(self, request: ReceivedRequest) -> bool:
        return bool(request.json().get("stream"))

    def frames(self, turn: Turn) -> list[bytes]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": part} for part in halves(turn.thought)]
        deltas += [{_words(turn): part} for part in halves(turn.text)]
        for index, call in enumerate(turn.calls):
            opened = {"name": call.name, "arguments": ""}
            start = {"index": index, "id": call.id, "type": "function", "function": opened}
            deltas.append({"tool_calls": [start]})
        # The arguments of parallel calls come interleaved.
        pieces = [halves(json.dumps(call.arguments)) for call in turn.calls]
        for half in (0, 1):
            for index, piece in enumerate(pieces):
                part = {"index": index, "function": {"arguments": piece[half]}}
                deltas.append({"tool_calls": [part]})
        chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": _finish(turn)}]))
        chunks.append({**_chunk([]), "usage": usage(turn.tokens)})
        return [*map(data_frame, chunks), b"data: [DONE]\n\n"]

    def whole(self, turn: Turn) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        if turn.text:
            message[_words(turn)] = turn.text
        if turn.thought:
            message["reasoning_content"] = turn.thought
        if turn.calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
                }
                for call in turn.calls
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(turn)}
        reply = {**_chunk([choice]), "object": "chat.completion", "usage": usage(turn.tokens)}
        return json.dumps(reply).encode()

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        functions = [tool["function"] for tool in body.get("tools") or ()]
        return {function["name"]: function.get("parameters") or {} for function in functions}

    def results(self, body: Mapping[str, Any]) -> list[str]:
        return [json.dumps(message) for message in body["messages"] if message["role"] == "tool"]

    def error(self, status: int, message: str) -> bytes:
        error = {"message": message, "type": "upstream_says_no", "param": None, "code": "no"}
        return json.dumps({"error": error}).encode()

    def in_band_error(self, message: str, after: int = 0) -> bytes:
        return b"data: " + self.error(500, message) + b"\n\n"


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.total,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def _words(turn: Turn) -> str:
    return "refusal" if turn.ending == "refusal" else "content"


def _finish(turn: Turn) -> str:
    return "tool_calls" if turn.calls else FINISH[turn.ending]


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "choices": choices,
    }
