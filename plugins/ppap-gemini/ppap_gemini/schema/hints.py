"""Constraints that Gemini does not know, told to the model in words (steps 2 to 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from .nodes import Node, described

TOLD: Final = (
    "minLength",
    "maxLength",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "format",
    "default",
    "examples",
)
"""In the order in which they are told."""
MOST_ALLOWED: Final = 10
"""Values that are still listed in a description."""


def tell_constraints(node: Node) -> None:
    """Edits the node: ``const`` and ``enum`` as Gemini takes them, the rest as hints."""
    if "const" in node:
        node.setdefault("enum", [node["const"]])
    if isinstance(node.get("enum"), list):
        _tell_values(node)
    if node.get("additionalProperties") is False:
        described(node, "No extra properties allowed")
    for keyword in TOLD:
        value = node.get(keyword)
        if isinstance(value, str | int | float):
            described(node, f"{keyword}: {_text(value)}")


def _tell_values(node: Node) -> None:
    """Gemini knows lists of strings only; numbers and truth values are listed in words."""
    values = [value for value in node.pop("enum") if value is not None]
    if not values:
        return
    kind = _kind(values)
    keeps_values = kind == "string"
    if len(values) <= MOST_ALLOWED and (len(values) > 1 or not keeps_values):
        described(node, f"Allowed: {', '.join(map(_text, values))}")
    if keeps_values:
        node["enum"] = list(dict.fromkeys(map(_text, values)))
    if not keeps_values and isinstance(node.get("type"), str | list):
        return
    node["type"] = kind


def _kind(values: Sequence[Any]) -> str:
    """The type of all values if it is a number or a truth value, else ``string``."""
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    if any(isinstance(value, bool) for value in values):
        return "string"
    if all(isinstance(value, int) for value in values):
        return "integer"
    return "number" if all(isinstance(value, int | float) for value in values) else "string"


def _text(value: object) -> str:
    """Strings as they are, all else as in JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return str(value)
