"""``allOf``, unions and lists of types, of which Gemini knows none (steps 7 and 8)."""

from __future__ import annotations

from typing import Final

from .nodes import Node, described, listed, mapping

_TAKEN_IF_MISSING: Final = ("type", "description", "items", "enum")
UNIONS: Final = ("anyOf", "oneOf")


def merge_all(node: Node) -> None:
    """Edits the node: properties, requirements and what it lacks itself come from its ``allOf``."""
    for branch in map(mapping, listed(node.pop("allOf", None))):
        if properties := mapping(branch.get("properties")):
            node["properties"] = {**mapping(node.get("properties")), **properties}
        if required := listed(branch.get("required")):
            node["required"] = list(dict.fromkeys([*listed(node.get("required")), *required]))
        for keyword in _TAKEN_IF_MISSING:
            if keyword in branch:
                node.setdefault(keyword, branch[keyword])


def merge_conditions(node: Node) -> None:
    """Edits the node: properties that stand under ``then`` or ``else`` only are its own, too."""
    for keyword in ("then", "else"):
        properties = mapping(mapping(node.get(keyword)).get("properties"))
        if properties:
            node["properties"] = {**properties, **mapping(node.get("properties"))}


def chosen(node: Node) -> tuple[Node, bool]:
    """The node with its unions gone, and whether ``null`` was among them.

    The most telling variant takes the node's place. An object with properties of its own stays: its
    variants only say which of them go together.
    """
    nullable = False
    for union in UNIONS:
        if union not in node:
            continue
        variants = [dict(each) for each in map(mapping, listed(node.pop(union))) if each]
        if not variants:
            continue
        nullable = nullable or any(each.get("type") == "null" for each in variants)
        if not mapping(node.get("properties")):
            node = _replaced(node, variants)
    return node, nullable


def _replaced(node: Node, variants: list[Node]) -> Node:
    best: Node = max(variants, key=_weight).copy()
    told = node.get("description")
    if isinstance(told, str) and told and told != best.get("description"):
        own = best.get("description")
        best["description"] = f"{told} ({own})" if isinstance(own, str) and own else told
    kinds = list(dict.fromkeys(str(kind) for each in variants if (kind := each.get("type"))))
    if len(variants) > 1 and kinds:
        described(best, f"Accepts: {' | '.join(kinds)}")
    return best


def _weight(variant: Node) -> int:
    """How much a variant says; of equals, the first is taken."""
    kind = variant.get("type")
    if kind == "object" or "properties" in variant:
        return 3
    if kind == "array" or "items" in variant:
        return 2
    return 1 if kind not in (None, "null") else 0


def single_type(node: Node, *, is_property: bool) -> bool:
    """Edits the node: one type instead of a list of them. Returns whether ``null`` was among them."""
    kinds = node.get("type")
    if not isinstance(kinds, list):
        return False
    real = [kind for kind in kinds if isinstance(kind, str) and kind != "null"]
    node["type"] = real[0] if real else "string"
    if len(real) > 1:
        described(node, f"Accepts: {' | '.join(real)}")
    nullable = "null" in kinds
    if nullable and is_property:
        described(node, "(nullable)")
    return nullable
