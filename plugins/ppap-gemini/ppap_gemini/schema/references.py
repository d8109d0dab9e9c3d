"""``$ref``: what it points to is put in its place (step 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .nodes import Node, described, mapping

MOST_INLINED: Final = 500
"""Definitions put in place within one schema. Some schemas multiply without end otherwise."""


class References:
    """The definitions of one schema. Local ones are inlined; all others, and loops, become a hint."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = MOST_INLINED

    def resolved(self, node: Mapping[str, Any], within: frozenset[str]) -> tuple[Node, frozenset[str]]:
        """The node without its ``$ref``, and the references it now stands within."""
        pointer = node.get("$ref")
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        if not isinstance(pointer, str):
            return siblings, within
        target = self._target(pointer)
        if target is None or pointer in within or not self._left:
            name = pointer.rstrip("/").rsplit("/", 1)[-1] or "#"
            hint: Node = {"type": "object"}
            if "description" in siblings:
                hint["description"] = siblings["description"]
            described(hint, f"See: {name}")
            return hint, within
        self._left -= 1
        return self.resolved({**target, **siblings}, within | {pointer})

    def _target(self, pointer: str) -> Mapping[str, Any] | None:
        """The object at a local pointer other than the root."""
        if not pointer.startswith("#/"):
            return None
        place: Any = self._root
        for step in pointer[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            if name not in mapping(place):
                return None
            place = place[name]
        return place if isinstance(place, Mapping) else None
