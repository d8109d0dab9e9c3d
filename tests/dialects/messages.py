"""Messages. https://docs.claude.com/en/api/messages, read 2026-11-22."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ppap_core.testing import ReceivedRequest

from .turn import MODEL, Ending, Tokens, Turn, data_frame, event_frame, halves

SIGNATURE: Final = "RXJBb0NrZ0lBUkFCR0FJaVFMc2lnbmF0dXJlLW9mLXRoZS1zdHVi"
STOP: Final[Mapping[Ending, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}


class Messages:
    """What an upstream of Messages says."""

    name = "messages"

    def streams(self, request: ReceivedRequest) -> bool:
        return bool(request.json().get("stream"))

    def frames(self, turn: Turn) -> list[bytes]:
        seed = {**usage(turn.tokens), "output_tokens": 1}
        start = {**_head(), "content": [], "stop_reason": None, "usage": seed}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
        for index, block in enumerate(_blocks(turn)):
            events += _block_events(index, block)
        spent = {"output_tokens": turn.tokens.output}
        events.append({"type": "message_delta", "delta": _ended(turn), "usage": spent})
        events.append({"type": "message_stop"})
        return [event_frame(event) for event in events]

    def whole(self, turn: Turn) -> bytes:
        reply = {**_head(), **_ended(turn), "content": _blocks(turn), "usage": usage(turn.tokens)}
        return json.dumps(reply).encode()

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

    def in_band_error(self, message: str, after: int = 0) -> bytes:
        error = {"type": "overloaded_error", "message": message}
        return b"event: error\n" + data_frame({"type": "error", "error": error})


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.uncached,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation_input_tokens": tokens.cache_write,
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": tokens.reasoning},
    }


def _head() -> dict[str, Any]:
    return {"id": "msg_stub", "type": "message", "role": "assistant", "model": MODEL, "stop_sequence": None}


def _ended(turn: Turn) -> dict[str, Any]:
    reason = "tool_use" if turn.calls else STOP[turn.ending]
    return {"stop_reason": reason, "stop_sequence": turn.stopped_by or None}


def _blocks(turn: Turn) -> list[dict[str, Any]]:
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


def _block_events(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    empty: dict[str, dict[str, Any]] = {
        "thinking": {"thinking": "", "signature": ""},
        "text": {"text": ""},
        "tool_use": {"input": {}},
    }
    kind = block["type"]
    deltas: list[dict[str, Any]]
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": part} for part in halves(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind == "text":
        deltas = [{"type": "text_delta", "text": part} for part in halves(block["text"])]
    else:
        parts = halves(json.dumps(block["input"]))
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    start = {"type": "content_block_start", "index": index, "content_block": {**block, **empty[kind]}}
    moved = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [start, *moved, {"type": "content_block_stop", "index": index}]
