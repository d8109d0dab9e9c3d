"""Responses. https://platform.openai.com/docs/api-reference/responses, read 2026-11-26."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ppap_core.testing import ReceivedRequest

from .turn import CREATED, MODEL, Tokens, Turn, event_frame, halves

ENCRYPTED: Final = base64.urlsafe_b64encode(b"\x80" + bytes(4) + bytes(range(68))).decode()
"""Has the envelope of what OpenAI encrypts thoughts into: version, time, and whole cipher blocks."""
PROVISIONAL: Final = base64.urlsafe_b64encode(b"\x80" + bytes(4) + bytes(range(1, 69))).decode()
"""What a reasoning item is announced with; the final one is another."""


class Responses:
    """What an upstream of Responses says."""

    name = "responses"

    def streams(self, request: ReceivedRequest) -> bool:
        return bool(request.json().get("stream"))

    def frames(self, turn: Turn) -> list[bytes]:
        begun = _response((), "in_progress")
        events = [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
            *_item_events(list(enumerate(_items(turn)))),
        ]
        ended = _ended(turn)
        events.append({"type": f"response.{ended['status']}", "response": ended})
        return [event_frame({**event, "sequence_number": n}) for n, event in enumerate(events)]

    def whole(self, turn: Turn) -> bytes:
        return json.dumps(_ended(turn)).encode()

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        functions = [tool for tool in body.get("tools") or () if tool["type"] == "function"]
        return {function["name"]: function.get("parameters") or {} for function in functions}

    def results(self, body: Mapping[str, Any]) -> list[str]:
        items = body["input"] if isinstance(body["input"], list) else []
        return [json.dumps(item) for item in items if item.get("type") == "function_call_output"]

    def error(self, status: int, message: str) -> bytes:
        error = {"message": message, "type": "upstream_says_no", "param": None, "code": "no"}
        return json.dumps({"error": error}).encode()

    def in_band_error(self, message: str, after: int = 0) -> bytes:
        error = {"type": "error", "code": "server_error", "message": message, "param": None}
        return event_frame({**error, "sequence_number": after})


def usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {
            "cached_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.total,
    }


def _response(items: Sequence[Mapping[str, Any]], status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_stub",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
        "output": list(items),
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
        **fields,
    }


def _ended(turn: Turn) -> dict[str, Any]:
    cut = turn.ending == "length"
    details = {"incomplete_details": {"reason": "max_output_tokens"}} if cut else {}
    status = "incomplete" if cut else "completed"
    return _response(_items(turn), status, usage=usage(turn.tokens), **details)


def _items(turn: Turn) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if turn.thought:
        summary = [{"type": "summary_text", "text": turn.thought}]
        items.append(
            {"id": "rs_stub", "type": "reasoning", "summary": summary, "encrypted_content": ENCRYPTED}
        )
    if turn.text:
        text = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        part = {"type": "refusal", "refusal": turn.text} if turn.ending == "refusal" else text
        status = "incomplete" if turn.ending == "length" else "completed"
        message = {"id": "msg_stub", "type": "message", "role": "assistant"}
        items.append({**message, "status": status, "content": [part]})
    items += [
        {
            "id": f"fc_{call.id}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": json.dumps(call.arguments),
        }
        for call in turn.calls
    ]
    return items


_UNSAID: Final[Mapping[str, Mapping[str, Any]]] = {
    "reasoning": {"summary": [], "encrypted_content": PROVISIONAL},
    "message": {"content": [], "status": "in_progress"},
    "function_call": {"arguments": "", "status": "in_progress"},
}
"""What an item is announced with."""


def _item_events(items: Sequence[tuple[int, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Calls are announced together, and their arguments come interleaved; all else comes in turn."""
    calls = [(index, item) for index, item in items if item["type"] == "function_call"]
    for index, item in items:
        if item["type"] != "function_call":
            yield _added(index, item)
            yield from _said(index, item)
            yield _done(index, item)
    for index, item in calls:
        yield _added(index, item)
    pieces = [halves(item["arguments"]) for _, item in calls]
    for half in (0, 1):
        for (index, item), piece in zip(calls, pieces, strict=True):
            kind = "response.function_call_arguments.delta"
            yield {"type": kind, **_place(index, item), "delta": piece[half]}
    for index, item in calls:
        told = {"arguments": item["arguments"], "name": item["name"]}
        yield {"type": "response.function_call_arguments.done", **_place(index, item), **told}
        yield _done(index, item)


def _added(index: int, item: Mapping[str, Any]) -> dict[str, Any]:
    begun = {**item, **_UNSAID[item["type"]]}
    return {"type": "response.output_item.added", "output_index": index, "item": begun}


def _done(index: int, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _place(index: int, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"item_id": item["id"], "output_index": index}


def _said(index: int, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The text of a message or of a thought, between the announcements of its only part."""
    if item["type"] == "reasoning":
        part, key, text = item["summary"][0], "text", item["summary"][0]["text"]
        words, whole = "response.reasoning_summary_text", "response.reasoning_summary_part"
        place = {**_place(index, item), "summary_index": 0}
    else:
        part = item["content"][0]
        key = "refusal" if part["type"] == "refusal" else "text"
        words, whole = f"response.{part['type']}", "response.content_part"
        text, place = part[key], {**_place(index, item), "content_index": 0}
    more = {"logprobs": []} if part["type"] == "output_text" else {}
    yield {"type": f"{whole}.added", **place, "part": {**part, key: ""}}
    for piece in halves(text):
        yield {"type": f"{words}.delta", **place, "delta": piece, **more}
    yield {"type": f"{words}.done", **place, key: text, **more}
    yield {"type": f"{whole}.done", **place, "part": part}
