"""Gemini, and Vertex in its words. https://ai.google.dev/api/generate-content, read 2026-11-26."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ppap_core.testing import ReceivedRequest

from .turn import MODEL, Ending, Tokens, Turn, data_frame, halves

SIGNATURE: Final = "CiQBjz1rX3N0dWItdGhvdWdodC1zaWduYXR1cmUtb2YtdGVzdHM="
FINISH: Final[Mapping[Ending, str]] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "refusal": "SAFETY",
    "stop_sequence": "STOP",
}
STATUS: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


@attrs.frozen
class Gemini:
    """What an upstream of Gemini says. ``with_ids``: whether it gives its calls ids."""

    name: str = "gemini"
    with_ids: bool = True

    def streams(self, request: ReceivedRequest) -> bool:
        return ":streamGenerateContent" in request.target

    def frames(self, turn: Turn) -> list[bytes]:
        """Every text comes in two chunks; signatures in a chunk of their own; calls in one each."""
        early = {"promptTokenCount": turn.tokens.input}
        chunks = [_chunk([piece], early) for part in self._parts(turn) for piece in _pieces(part)]
        return [*map(data_frame, [*chunks, _chunk([{"text": ""}], usage(turn.tokens), FINISH[turn.ending])])]

    def whole(self, turn: Turn) -> bytes:
        return json.dumps(_chunk(self._parts(turn), usage(turn.tokens), FINISH[turn.ending])).encode()

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        declared = [one for tool in body.get("tools") or () for one in tool.get("functionDeclarations") or ()]
        return {
            one["name"]: one.get("parametersJsonSchema") or one.get("parameters") or {} for one in declared
        }

    def results(self, body: Mapping[str, Any]) -> list[str]:
        parts = [part for content in body["contents"] for part in content["parts"]]
        return [json.dumps(part) for part in parts if "functionResponse" in part]

    def error(self, status: int, message: str) -> bytes:
        word = STATUS.get(status, "INTERNAL")
        return json.dumps({"error": {"code": status, "message": message, "status": word}}).encode()

    def in_band_error(self, message: str, after: int = 0) -> bytes:
        return b"data: " + self.error(503, message) + b"\n\n"

    def _parts(self, turn: Turn) -> list[dict[str, Any]]:
        """A thought's signature is on the first call, and without calls on the last words."""
        parts: list[dict[str, Any]] = []
        if turn.thought:
            parts.append({"text": turn.thought, "thought": True})
        if turn.text:
            parts.append({"text": turn.text})
        signed = len(parts) - (not turn.calls)
        for call in turn.calls:
            identity = {"id": call.id} if self.with_ids else {}
            parts.append({"functionCall": {"name": call.name, "args": dict(call.arguments), **identity}})
        if turn.thought:
            parts[signed]["thoughtSignature"] = SIGNATURE
        return parts


def usage(tokens: Tokens) -> dict[str, Any]:
    """In the spelling of this format, which has no word for what was written into a cache."""
    return {
        "promptTokenCount": tokens.input,
        "cachedContentTokenCount": tokens.cache_read,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "thoughtsTokenCount": tokens.reasoning,
        "totalTokenCount": tokens.total,
    }


def _chunk(
    parts: Sequence[Mapping[str, Any]], used: Mapping[str, Any], finish: str | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": used,
        "modelVersion": MODEL,
        "responseId": "stub",
    }


def _pieces(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "text" not in part:
        return [part]
    unsigned = {name: value for name, value in part.items() if name != "thoughtSignature"}
    signature = [{**part, "text": ""}] if len(unsigned) < len(part) else []
    return [{**unsigned, "text": piece} for piece in halves(part["text"])] + signature
