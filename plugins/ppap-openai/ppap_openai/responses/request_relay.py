"""A client's request passed on in its own format (translation spec, 0.4)."""

from __future__ import annotations

import msgspec

from ppap_core.wire import EncodedRequest, JsonBody, Target

from .request_encoder import write_thinking


def patch_request(body: JsonBody, target: Target) -> EncodedRequest:
    """The client's own bytes with the target's model, and the thinking that it has to be asked for."""
    return EncodedRequest(body.edited(target_changes(body, target)))


def target_changes(body: JsonBody, target: Target) -> dict[str, bytes | None]:
    """What must change of a body for `target`, as `JsonBody.edited` takes it."""
    changes: dict[str, bytes | None] = {}
    if body.text("model") != target.model:
        changes["model"] = msgspec.json.encode(target.model)
    if target.thinking is not None and not target.thinking.thinks:
        changes |= {"reasoning": None} if "reasoning" in body else {}
    elif target.intent.mode != "unset":
        changes["reasoning"] = _reasoning(body, target)
    return changes


def _reasoning(body: JsonBody, target: Target) -> bytes:
    """``reasoning`` with another effort; the client's other wishes in there stay."""
    told = write_thinking(target.intent, target.thinking) or {}
    raw = body.raw("reasoning")
    if raw is None or not raw.startswith(b"{"):
        return msgspec.json.encode(told)
    changes: dict[str, bytes | None] = {key: msgspec.json.encode(value) for key, value in told.items()}
    if target.intent.mode == "none":
        changes |= {"summary": None, "generate_summary": None}
    return JsonBody(raw).edited(changes)
