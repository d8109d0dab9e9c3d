"""The two upstream kinds in the words of their own vendors: what a stub answers and looks for.

Written by hand from the vendors' API references and independent of the project's codecs, so that a
mistake in a codec cannot hide in the traffic that it is tested with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import attrs

from ppap_core.testing import Answer, streamed, whole

THOUGHT: Final = "The marker must be printed."
SIGNATURE: Final = "RXJBb0NrZ0lBUkFCR0FJaVFMc2lnbmF0dXJlLW9mLXRoZS1zdHVi"
INPUT_TOKENS: Final = 120
CACHED_TOKENS: Final = 20
OUTPUT_TOKENS: Final = 30


@attrs.frozen
class Call:
    """A tool call that the model makes."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Turn:
    """What the model answers: thinking, words and calls, each of them or none."""

    text: str = ""
    calls: Sequence[Call] = ()
    thought: str = ""


class Dialect(Protocol):
    """One upstream kind."""

    name: str
    path: str

    def answer(self, body: Mapping[str, Any], turn: Turn) -> Answer:
        """The turn as a stream, or whole, as the request asks."""
        ...

    def frames(self, turn: Turn) -> list[bytes]: ...

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """Names of the tools a request offers → JSON schema of their arguments."""
        ...

    def results(self, body: Mapping[str, Any]) -> list[str]:
        """The tool results that a request brings, as JSON text."""
        ...

    def error(self, status: int, message: str) -> bytes: ...

    def in_band_error(self, message: str) -> bytes:
        """A frame that tells of a failure inside a stream."""
        ...


def _data(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


class Chat:
    """Chat Completions. https://platform.openai.com/docs/api-reference/chat, read 2026-11-22."""

    name = "chat"
    path = "/v1/chat/completions"

    def answer(self, body: Mapping[str, Any], turn: Turn) -> Answer:
        return streamed(self.frames(turn)) if body.get("stream") else whole(self._whole(turn))

    def frames(self, turn: Turn) -> list[bytes]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": part} for part in _halves(turn.thought) if part]
        deltas += [{"content": part} for part in _halves(turn.text) if part]
        for index, call in enumerate(turn.calls):
            opened = {"name": call.name, "arguments": ""}
            start = {"index": index, "id": call.id, "type": "function", "function": opened}
            deltas.append({"tool_calls": [start]})
        # The arguments of parallel calls come interleaved.
        pieces = [_halves(json.dumps(call.arguments)) for call in turn.calls]
        for half in (0, 1):
            for index, piece in enumerate(pieces):
                part = {"index": index, "function": {"arguments": piece[half]}}
                deltas.append({"tool_calls": [part]})
        chunks = [self._chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        chunks.append(self._chunk([{"index": 0, "delta": {}, "finish_reason": self._finish(turn)}]))
        chunks.append({**self._chunk([]), "usage": self._usage()})
        return [*map(_data, chunks), b"data: [DONE]\n\n"]

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        functions = [tool["function"] for tool in body.get("tools") or ()]
        return {function["name"]: function.get("parameters") or {} for function in functions}

    def results(self, body: Mapping[str, Any]) -> list[str]:
        return [json.dumps(message) for message in body["messages"] if message["role"] == "tool"]

    def error(self, status: int, message: str) -> bytes:
        error = {"message": message, "type": "upstream_says_no", "param": None, "code": "no"}
        return json.dumps({"error": error}).encode()

    def in_band_error(self, message: str) -> bytes:
        return b"data: " + self.error(500, message) + b"\n\n"

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": "chatcmpl-stub",
            "object": "chat.completion.chunk",
            "created": 1_760_000_000,
            "model": "upstream-model",
            "choices": choices,
        }

    def _whole(self, turn: Turn) -> bytes:
        message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None}
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
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish(turn)}
        reply = {**self._chunk([choice]), "object": "chat.completion", "usage": self._usage()}
        return json.dumps(reply).encode()

    def _finish(self, turn: Turn) -> str:
        return "tool_calls" if turn.calls else "stop"

    def _usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        }


class Messages:
    """Messages. https://docs.claude.com/en/api/messages, read 2026-11-22."""

    name = "messages"
    path = "/v1/messages"

    def answer(self, body: Mapping[str, Any], turn: Turn) -> Answer:
        return streamed(self.frames(turn)) if body.get("stream") else whole(self._whole(turn))

    def frames(self, turn: Turn) -> list[bytes]:
        start = {**self._head(), "content": [], "stop_reason": None, "usage": self._usage(1)}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(self._blocks(turn)):
            events += self._block_events(index, block)
        delta = {"stop_reason": self._stop(turn), "stop_sequence": None}
        usage = {"output_tokens": OUTPUT_TOKENS}
        events.append({"type": "message_delta", "delta": delta, "usage": usage})
        events.append({"type": "message_stop"})
        return [b"event: " + event["type"].encode() + b"\n" + _data(event) for event in events]

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        return {tool["name"]: tool.get("input_schema") or {} for tool in body.get("tools") or ()}

    def results(self, body: Mapping[str, Any]) -> list[str]:
        blocks = [
            block
            for message in body["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
        ]
        return [json.dumps(block) for block in blocks if block["type"] == "tool_result"]

    def error(self, status: int, message: str) -> bytes:
        error = {"type": "upstream_says_no", "message": message}
        return json.dumps({"type": "error", "error": error}).encode()

    def in_band_error(self, message: str) -> bytes:
        error = {"type": "overloaded_error", "message": message}
        return b"event: error\n" + _data({"type": "error", "error": error})

    def _head(self) -> dict[str, Any]:
        return {
            "id": "msg_stub",
            "type": "message",
            "role": "assistant",
            "model": "upstream-model",
            "stop_sequence": None,
        }

    def _blocks(self, turn: Turn) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        if turn.thought:
            blocks.append({"type": "thinking", "thinking": turn.thought, "signature": SIGNATURE})
        if turn.text:
            blocks.append({"type": "text", "text": turn.text})
        blocks += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
            for call in turn.calls
        ]
        return blocks

    def _block_events(self, index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
        empty: dict[str, dict[str, Any]] = {
            "thinking": {"thinking": "", "signature": ""},
            "text": {"text": ""},
            "tool_use": {"input": {}},
        }
        kind = block["type"]
        deltas: list[dict[str, Any]]
        if kind == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": part} for part in _halves(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        elif kind == "text":
            deltas = [{"type": "text_delta", "text": part} for part in _halves(block["text"])]
        else:
            parts = _halves(json.dumps(block["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
        start = {"type": "content_block_start", "index": index, "content_block": {**block, **empty[kind]}}
        moved = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        return [start, *moved, {"type": "content_block_stop", "index": index}]

    def _whole(self, turn: Turn) -> bytes:
        reply = {
            **self._head(),
            "content": self._blocks(turn),
            "stop_reason": self._stop(turn),
            "usage": self._usage(OUTPUT_TOKENS),
        }
        return json.dumps(reply).encode()

    def _stop(self, turn: Turn) -> str:
        return "tool_use" if turn.calls else "end_turn"

    def _usage(self, output: int) -> dict[str, Any]:
        return {
            "input_tokens": INPUT_TOKENS - CACHED_TOKENS,
            "cache_read_input_tokens": CACHED_TOKENS,
            "cache_creation_input_tokens": 0,
            "output_tokens": output,
        }


DIALECTS: Final[Mapping[str, Dialect]] = {"chat": Chat(), "messages": Messages()}
