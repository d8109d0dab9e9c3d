"""Compaction of a conversation, which this upstream answers with JSON (translation spec, B.3.1)."""

from __future__ import annotations

import msgspec

from ppap_core.wire import JsonBody, Target

from .request import with_instructions
from .tools import with_drawing


def offering_drawing(body: JsonBody, target: Target) -> JsonBody:
    """With the tool that the conversation's other requests offer, so that what they left warm is found."""
    tools = body.raw("tools")
    offered = with_drawing(tools, target.model)
    return body if offered is tools else JsonBody(body.edited({"tools": offered}))


def compact_body(body: JsonBody, target: Target) -> bytes:
    """The client's own bytes for `target`, with the few edits that the upstream insists on."""
    model = msgspec.json.encode(target.model)
    return body.edited({"model": model, "stream": None, **with_instructions(body)})
