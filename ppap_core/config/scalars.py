"""What a scalar's source text means to a field of a given type (config spec, 1)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .tree import NULLS, Entries, Items, Node, Scalar

BOOLS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "y", "yes", "on"), True),
    **dict.fromkeys(("false", "n", "no", "off"), False),
}
_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+)")
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER_LIMIT: Final = 2**63
_FREE_BOOLS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FREE_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_MOST_DIGITS: Final = 400
"""Longer runs of digits stay text: Python itself refuses to convert endless ones."""


class NotA(ValueError):
    """The scalar does not fit. ``expected`` and ``advice`` hold nothing of its text."""

    def __init__(self, expected: str, advice: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.advice = advice


def to_text(scalar: Scalar) -> str:
    return scalar.text


def to_bool(scalar: Scalar) -> bool:
    """Only plain words: a number or a quoted word is a mistake. Raises `NotA`."""
    value = BOOLS.get(scalar.text.lower())
    if value is None:
        raise NotA("true or false")
    if not scalar.plain:
        raise NotA("true or false", "remove the quotes")
    return value


def to_int(scalar: Scalar) -> int:
    """Decimal, or with ``0x``, ``0o``, ``0b``; 64 bits. Raises `NotA`."""
    if not _INTEGER.fullmatch(scalar.text) or len(scalar.text) > _MOST_DIGITS:
        raise NotA("a whole number")
    if not scalar.plain:
        raise NotA("a whole number", "remove the quotes")
    try:
        value = int(scalar.text.rstrip("_"), 0)
    except ValueError:
        raise NotA("a whole number") from None
    if abs(value) >= _INTEGER_LIMIT:
        raise NotA("a whole number of at most 64 bits")
    return value


def to_float(scalar: Scalar) -> float:
    """Finite: neither ``.inf`` nor ``.nan`` is a length of time. Raises `NotA`."""
    if not _NUMBER.fullmatch(scalar.text) or len(scalar.text) > _MOST_DIGITS:
        raise NotA("a number")
    if not scalar.plain:
        raise NotA("a number", "remove the quotes")
    try:
        value = float(scalar.text)
    except ValueError:
        raise NotA("a number") from None
    if not math.isfinite(value):
        raise NotA("a number of a size that can be stored")
    return value


SCALAR_TYPES: Final[Mapping[type, Callable[[Scalar], Any]]] = {
    str: to_text,
    bool: to_bool,
    int: to_int,
    float: to_float,
}


def free_value(node: Node | None) -> Any:
    """A value that no declaration types: the core schema of YAML 1.2, so ``yes`` and ``on`` are text."""
    if node is None:
        return None
    if isinstance(node, Items):
        return [free_value(item) for item in node.nodes]
    if isinstance(node, Entries):
        return {key: free_value(entry.value) for key, entry in node.by_key.items()}
    return _free_scalar(node.text) if node.plain else node.text


def _free_scalar(text: str) -> Any:
    if text in NULLS:
        return None
    if text in _FREE_BOOLS:
        return _FREE_BOOLS[text]
    if len(text) > _MOST_DIGITS:
        return text
    if _FREE_INTEGER.fullmatch(text):
        return int(text, 0) if text[1:2] in ("x", "o") else int(text)
    if _NUMBER.fullmatch(text) and "_" not in text:
        return float(text)
    return text
