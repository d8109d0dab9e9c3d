"""Reading schema nodes, which come from anywhere and may hold anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

Node: TypeAlias = dict[str, Any]

KEYWORDS: Final = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "contentSchema",
        "default",
        "definitions",
        "dependentRequired",
        "dependentSchemas",
        "deprecated",
        "description",
        "else",
        "enum",
        "enumDescriptions",
        "enumTitles",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "if",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "nullable",
        "oneOf",
        "pattern",
        "patternProperties",
        "prefill",
        "prefixItems",
        "properties",
        "propertyNames",
        "required",
        "then",
        "title",
        "type",
        "unevaluatedProperties",
        "uniqueItems",
    }
)


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> Sequence[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def described(node: Node, hint: str) -> None:
    """Adds a hint to the node's description: ``D`` becomes ``D (hint)``."""
    told = node.get("description")
    node["description"] = f"{told} ({hint})" if isinstance(told, str) and told else hint


def normalised(node: Mapping[str, Any]) -> Node:
    """A node in the form that a schema should have had (step 0).

    A bare map of properties becomes an object; ``required`` on a property moves to its parent's list.
    """
    told = dict(node)
    if told and not KEYWORDS & told.keys() and all(isinstance(value, Mapping) for value in told.values()):
        told = {"type": "object", "properties": told}
    properties = mapping(told.get("properties"))
    if any(isinstance(mapping(value).get("required"), bool) for value in properties.values()):
        asked = [name for name, value in properties.items() if mapping(value).get("required") is True]
        told["properties"] = {name: _without_flag(value) for name, value in properties.items()}
        told["required"] = list(dict.fromkeys([*listed(told.get("required")), *asked]))
    if isinstance(told.get("required"), bool):
        del told["required"]
    return told


def _without_flag(value: object) -> object:
    if not isinstance(value, Mapping) or not isinstance(value.get("required"), bool):
        return value
    return {key: inner for key, inner in value.items() if key != "required"}
