"""Arguments of a call: any upstream's raw text → the JSON object that a function takes (Gemini spec, 5.3)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
import orjson

_BAREWORDS: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*:\s*([^,{}\[\]"]+?)\s*(?:,|$)')


def arguments_object(arguments: str, kind: str = "function") -> msgspec.Raw:
    """The ``args`` of a call: `arguments` themselves if they are an object, else what is meant by them.

    A custom tool takes free text; it travels as the one property of an object. So does text that is
    no object, under another name.
    """
    if kind == "custom":
        return _raw({"input": arguments})
    if not arguments.strip():
        return msgspec.Raw(b"{}")
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return _raw(_loosely(arguments) or {"params": arguments})
    return msgspec.Raw(arguments.encode()) if isinstance(value, dict) else msgspec.Raw(b"{}")


def _raw(value: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _loosely(text: str) -> dict[str, Any] | None:
    """``{"key": bareword, …}`` as some models write it; ``None`` if it is not that either."""
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return None
    inner, position = stripped[1:-1], 0
    value: dict[str, Any] = {}
    while position < len(inner):
        match = _BAREWORDS.match(inner, position)
        if match is None:
            return None
        value[match.group(1)] = _scalar(match.group(2))
        position = match.end()
    return value


def _scalar(word: str) -> Any:
    try:
        return orjson.loads(word)
    except orjson.JSONDecodeError:
        return word
