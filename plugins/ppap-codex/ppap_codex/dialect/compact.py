"""Compaction of a conversation, which this upstream answers with JSON (translation spec, B.3.1)."""

from __future__ import annotations

import msgspec

from ppap_core.wire import JsonBody, Target

from .request import with_instructions
from .tools import with_drawing


def compact_body(body: JsonBody, target: Target) -> bytes:
    """The client's own bytes for `target`, with the few edits that the upstream insists on."""
    changes: dict[str, bytes | None] = {
        "model": msgspec.json.encode(target.model),
        "stream": None,
        **with_instructions(body),
    }
    tools = with_drawing(body.raw("tools"), target.model)
    return body.edited(changes if tools is None else {**changes, "tools": tools})
