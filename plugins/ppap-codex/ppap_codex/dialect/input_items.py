"""``input`` as this upstream takes it: a list, without system messages (translation spec, B.3.1)."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ppap_core.wire import JsonArray, JsonBody

from .tool_names import ShortNames, has_long_names

_AS_MESSAGE: Final = b'[{"type":"message","role":"user","content":[{"type":"input_text","text":%b}]}]'
_ROLE: Final = b'"system"'
_SYSTEM: Final = re.compile(rb'"role"\s*:\s*"system"')
BREAKPOINT: Final = "prompt_cache_breakpoint"
"""A mark in content parts that this upstream does not know."""
_BREAKPOINT_TEXT: Final = BREAKPOINT.encode()
_CALLS: Final = (b'"function_call"', b'"custom_tool_call"')


def fitted_input(raw: bytes | None, names: ShortNames) -> bytes | None:
    """The JSON text of ``input``; the very same if nothing must change. Raises `InvalidRequest`."""
    if raw is None or not raw.startswith((b'"', b"[")):
        return raw
    if raw.startswith(b'"'):
        return _AS_MESSAGE % raw
    if not _needs_fitting(raw):
        return raw
    items = JsonArray(raw, "input")
    changes: dict[int, bytes | None] = {}
    for index, item in enumerate(items):
        fitted = _fitted_item(item, names) if item.startswith(b"{") else item
        if fitted is not item:
            changes[index] = fitted
    return items.edited(changes)


def _needs_fitting(raw: bytes) -> bool:
    system = _ROLE in raw and _SYSTEM.search(raw) is not None
    return system or _BREAKPOINT_TEXT in raw or has_long_names(raw)


def _fitted_item(item: bytes, names: ShortNames) -> bytes:
    if not _needs_fitting(item):
        return item
    body = JsonBody(item)
    changes: dict[str, bytes | None] = {}
    if body.raw("role") == _ROLE:
        changes["role"] = b'"developer"'
    if _BREAKPOINT_TEXT in item:
        content = body.raw("content") or b""
        if content.startswith(b"["):
            changes["content"] = _without_breakpoints(content)
    if body.raw("type") in _CALLS and has_long_names(item):
        changes["name"] = msgspec.json.encode(names.wire_name(body.text("name")))
    return body.edited(changes)


def _without_breakpoints(content: bytes) -> bytes:
    parts = JsonArray(content, "content")
    changes: dict[int, bytes | None] = {
        index: JsonBody(part).edited({BREAKPOINT: None})
        for index, part in enumerate(parts)
        if part.startswith(b"{") and _BREAKPOINT_TEXT in part
    }
    return parts.edited(changes)


def without_reasoning(request: bytes) -> bytes | None:
    """The request without earlier thoughts; ``None`` if it has none.

    What another account encrypted cannot be read by this one (translation spec, C.11, Better).
    """
    body = JsonBody(request)
    raw = body.raw("input") or b""
    items = JsonArray(raw if raw.startswith(b"[") else b"[]", "input")
    thoughts = [index for index, item in enumerate(items) if _is_thought(item)]
    return body.edited({"input": items.edited(dict.fromkeys(thoughts))}) if thoughts else None


def _is_thought(item: bytes) -> bool:
    return item.startswith(b"{") and b'"reasoning"' in item and JsonBody(item).raw("type") == b'"reasoning"'
