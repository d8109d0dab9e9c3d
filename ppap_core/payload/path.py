"""Paths into JSON text, and edits at their end that leave every other byte alone.

``tools.0.name``: steps are parted by dots. Digits are an index into a list, or a key of an object;
``-1`` stands behind the last element of a list. A backslash takes the next character as it is, so
that ``a\\.b`` is one key, and ``\\0`` a key and never an index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import attrs
import msgspec

from ..wire.array import JsonArray
from ..wire.body import JsonBody

_STEP: Final = re.compile(r"(?:[^.\\]|\\.)+", re.DOTALL)
_INDEX: Final = re.compile(r"-1|0|[1-9][0-9]{0,5}")
_BEHIND: Final = -1


@attrs.frozen
class Step:
    """``index`` is the place in a list that the step may mean; ``None``: it is a key only."""

    key: str
    index: int | None = None


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path. Raises ``ValueError`` where one is empty."""
    steps: list[Step] = []
    position = 0
    while True:
        match = _STEP.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} has a step without a name")
        written = match[0]
        index = int(written) if _INDEX.fullmatch(written) else None
        steps.append(Step(re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL), index))
        position = match.end()
        if position == len(path):
            return tuple(steps)
        if path[position] != "." or position + 1 == len(path):
            raise ValueError(f"{path!r} does not end in a name")
        position += 1


def stands(value: bytes | None, steps: Sequence[Step]) -> bool:
    """Whether something stands at the path, or in its way; ``None``: there is no value at all.

    What is in the way is a text, a number or a truth value where the path goes on: nothing can be
    added there without taking that away.
    """
    for step in steps:
        if value is None:
            return False
        if value.startswith(b"{"):
            value = JsonBody(value).raw(step.key)
        elif value.startswith(b"["):
            value = _element(JsonArray(value, step.key), step)
        else:
            return value != b"null"
    return value is not None


def placed(value: bytes | None, steps: Sequence[Step], text: bytes) -> bytes | None:
    """`value` with `text` at the path, objects and lists made on the way; unchanged if that is no place.

    No place is a key in a list, or an index beyond the end of one.
    """
    if not steps:
        return text
    step, rest = steps[0], steps[1:]
    if value is not None and value.startswith(b"{"):
        body = JsonBody(value)
        return body.edited({step.key: placed(body.raw(step.key), rest, text)})
    if value is not None and value.startswith(b"["):
        array = JsonArray(value, step.key)
        if step.index in (_BEHIND, len(array)):
            return _extended(array, placed(None, rest, text))
        element = _element(array, step)
        return value if element is None else array.edited({_at(step): placed(element, rest, text)})
    inner = placed(None, rest, text)
    if inner is None:
        return value
    if step.index is None:
        return b"{%b:%b}" % (msgspec.json.encode(step.key), inner)
    return b"[%b]" % inner if step.index <= 0 else value


def removed(value: bytes | None, steps: Sequence[Step]) -> bytes | None:
    """`value` without what stands at the path; unchanged if nothing does."""
    if not steps:
        return None
    if value is None or not stands(value, steps):
        return value
    step, rest = steps[0], steps[1:]
    if value.startswith(b"{"):
        body = JsonBody(value)
        return body.edited({step.key: removed(body.raw(step.key), rest)})
    if value.startswith(b"["):
        array = JsonArray(value, step.key)
        return array.edited({_at(step): removed(_element(array, step), rest)})
    return value


def _element(array: JsonArray, step: Step) -> bytes | None:
    return array[_at(step)] if step.index is not None and 0 <= step.index < len(array) else None


def _at(step: Step) -> int:
    assert step.index is not None
    return step.index


def _extended(array: JsonArray, text: bytes | None) -> bytes:
    if text is None:
        return array.data
    end = array.data.rindex(b"]")
    return b"%b%b%b%b" % (array.data[:end], b"," if len(array) else b"", text, array.data[end:])
