"""``tools`` and ``tool_choice`` as this upstream takes them (translation spec, B.3.1, C.1, C.16)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ppap_core.wire import JsonArray, JsonBody

from .tool_names import ShortNames, has_long_names

WEB_SEARCH: Final = b'"web_search"'
OLD_WEB_SEARCHES: Final = (b'"web_search_preview"', b'"web_search_preview_2025_03_11"')
"""Names that the built-in tool had before, as JSON text."""
_OLD: Final = b'"web_search_preview'

IMAGE_TOOL: Final = b'{"type":"image_generation","output_format":"png"}'
_DRAWS: Final = "image_generation"
_DRAWS_TEXT: Final = b'"image_generation"'
_CANNOT_DRAW: Final = "spark"
"""What the ids of models end in that refuse the tool."""


def fitted_tools(raw: bytes | None, model: str, names: ShortNames) -> bytes | None:
    """The JSON text of ``tools`` for `model`; `raw` itself if nothing must change."""
    if raw is not None and raw.startswith(b"[") and (_OLD in raw or has_long_names(raw)):
        raw = _each_fitted(raw, names)
    return with_drawing(raw, model)


def with_drawing(raw: bytes | None, model: str) -> bytes | None:
    """``tools`` with the one that draws, which every request offers; one that is declared stays."""
    if model.endswith(_CANNOT_DRAW):
        return raw
    if raw is None or not raw.startswith(b"["):
        return b"[%b]" % IMAGE_TOOL
    if _declares_drawing(raw):
        return raw
    rest = raw[: raw.rindex(b"]")].rstrip()
    return b"%b%b%b]" % (rest, b"" if rest == b"[" else b",", IMAGE_TOOL)


def _each_fitted(raw: bytes, names: ShortNames) -> bytes:
    tools = JsonArray(raw, "tools")
    changes: dict[int, bytes | None] = {}
    for index, tool in enumerate(tools):
        fitted = _fitted(tool, names) if tool.startswith(b"{") else tool
        if fitted is not tool:
            changes[index] = fitted
    return tools.edited(changes)


def _fitted(tool: bytes, names: ShortNames) -> bytes:
    """A tool, or a choice of one, with those that it holds."""
    if _OLD not in tool and not has_long_names(tool):
        return tool
    body = JsonBody(tool)
    changes: dict[str, bytes | None] = {}
    if body.raw("type") in OLD_WEB_SEARCHES:
        changes["type"] = WEB_SEARCH
    if has_long_names(b'"name":' + (body.raw("name") or b"")):
        changes["name"] = msgspec.json.encode(names.wire_name(body.text("name")))
    held = body.raw("tools")
    if held is not None and held.startswith(b"["):
        changes["tools"] = _each_fitted(held, names)
    return body.edited(changes)


def _declares_drawing(raw: bytes) -> bool:
    if _DRAWS_TEXT not in raw:
        return False
    tools: Any = msgspec.json.decode(raw)
    return any(isinstance(tool, dict) and tool.get("type") == _DRAWS for tool in tools)


def fitted_choice(raw: bytes | None, names: ShortNames) -> bytes | None:
    """The JSON text of ``tool_choice``; `raw` itself if nothing must change."""
    return _fitted(raw, names) if raw is not None and raw.startswith(b"{") else raw
