"""The walk over a schema: each node is put in order after its children (steps 1 to 11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .combining import UNIONS, chosen, merge_all, merge_conditions, single_type
from .hints import TOLD, tell_constraints
from .nodes import Node, listed, mapping, normalised
from .references import References

REMOVED: Final = frozenset(
    {
        *TOLD,
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "additionalProperties",
        "const",
        "contentSchema",
        "definitions",
        "dependentRequired",
        "dependentSchemas",
        "deprecated",
        "else",
        "enumDescriptions",
        "enumTitles",
        "if",
        "not",
        "nullable",
        "patternProperties",
        "prefill",
        "propertyNames",
        "then",
        "title",
        "unevaluatedProperties",
    }
)
"""Keywords that the API refuses, or that mean nothing to it."""

DEEPEST: Final = 60
"""Levels of nesting that are followed; below stands an object without properties."""

_PLACEHOLDER_FLAG: Final = "_"
_PLACEHOLDER_REASON: Final = "reason"
_PLACEHOLDER_WORDS: Final = "Brief explanation of why you are calling this tool"
_NO_PARAMETERS: Final = {"type": "object", "properties": {}}


def cleaned(schema: Mapping[str, Any] | None) -> Node:
    """The schema of a function's parameters as Gemini takes it.

    What cannot be expressed is told in descriptions, or left out. No schema: no parameters.
    """
    if not isinstance(schema, Mapping) or not schema:
        return dict(_NO_PARAMETERS)
    node, _ = _Walk(schema).node(schema, frozenset(), depth=0, is_property=False)
    return node


class _Walk:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._references = References(root)

    def node(
        self, told: object, within: frozenset[str], *, depth: int, is_property: bool
    ) -> tuple[Node, bool]:
        """The node in order, and whether it may be null."""
        if depth > DEEPEST:
            return {"type": "object"}, False
        node, within = self._references.resolved(normalised(mapping(told)), within)
        merge_conditions(node)
        optional = self._children(node, within, depth + 1)
        tell_constraints(node)
        merge_all(node)
        node, nullable = chosen(node)
        nullable = single_type(node, is_property=is_property) or nullable
        for keyword in [key for key in node if key in REMOVED or key.startswith("x-")]:
            del node[keyword]
        _without_placeholders(node)
        _required_only(node, optional)
        return node, nullable

    def _children(self, node: Node, within: frozenset[str], depth: int) -> set[str]:
        """Edits the node: its parts in order. Returns the names of properties that may be null."""
        optional: set[str] = set()
        if isinstance(node.get("properties"), Mapping):
            properties: Node = {}
            for name, told in node["properties"].items():
                properties[name], nullable = self.node(told, within, depth=depth, is_property=True)
                if nullable:
                    optional.add(name)
            node["properties"] = properties
        for keyword in ("items", "prefixItems", "allOf", *UNIONS):
            value = node.get(keyword)
            if isinstance(value, Mapping):
                node[keyword] = self._part(value, within, depth)
            elif isinstance(value, list):
                node[keyword] = [self._part(each, within, depth) for each in value]
        return optional

    def _part(self, told: object, within: frozenset[str], depth: int) -> Node:
        return self.node(told, within, depth=depth, is_property=False)[0]


def _required_only(node: Node, optional: set[str]) -> None:
    """``required`` names properties that there are, and that cannot be null (step 11)."""
    if "required" not in node:
        return
    names = [name for name in listed(node["required"]) if isinstance(name, str) and name not in optional]
    if isinstance(node.get("properties"), Mapping):
        names = [name for name in names if name in node["properties"]]
    if names:
        node["required"] = names
    else:
        del node["required"]


def _without_placeholders(node: Node) -> None:
    """Properties that other proxies invent for empty objects are taken out again (step 10)."""
    properties = node.get("properties")
    if not isinstance(properties, dict):
        return
    invented = [_PLACEHOLDER_FLAG] if _PLACEHOLDER_FLAG in properties else []
    reason = mapping(properties.get(_PLACEHOLDER_REASON))
    if len(properties) == 1 and reason.get("description") == _PLACEHOLDER_WORDS:
        invented.append(_PLACEHOLDER_REASON)
    for name in invented:
        del properties[name]
