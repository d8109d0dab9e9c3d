"""Paths of payload rules: how they are read, and that an edit touches nothing but its place."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.payload.path import placed, removed, stands, steps_of

KEYS = st.sampled_from(["a", "b.c", "0", "-1", "\\", "é", 'q"', "*", "a b"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=4)


def written(keys: list[str]) -> str:
    """The path over these keys, each escaped so that it means itself."""
    return ".".join("".join(f"\\{letter}" for letter in key) for key in keys)


def edited(function: Any, value: str, path: str, *text: bytes) -> str:
    result = function(value.encode(), steps_of(path), *text)
    assert result is not None
    return bytes(result).decode()


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a\\"])
def test_a_path_with_an_empty_step_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="name"):
        steps_of(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", '{"a":{"b" : 1,"x":1e5} }'),
        ("a.y", '{"a":{"b" : 2,"x":1e5,"y":1} }'),
        ("new.deep", '{"a":{"b" : 2,"x":1e5} ,"new":{"deep":1}}'),
        ("new.0", '{"a":{"b" : 2,"x":1e5} ,"new":[1]}'),
        ("new.-1", '{"a":{"b" : 2,"x":1e5} ,"new":[1]}'),
        ("new.\\0", '{"a":{"b" : 2,"x":1e5} ,"new":{"0":1}}'),
        ("new.0.n", '{"a":{"b" : 2,"x":1e5} ,"new":[{"n":1}]}'),
        ("a.b.c", '{"a":{"b" : {"c":1},"x":1e5} }'),
    ],
)
def test_what_is_missing_is_made_and_all_else_keeps_its_bytes(path: str, expected: str) -> None:
    """Translation spec, 0.4: white space and the spelling of numbers survive."""
    assert edited(placed, '{"a":{"b" : 2,"x":1e5} }', path, b"1") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("l.0", '{"l": [9, {"k":2}]}'),
        ("l.1.k", '{"l": [1, {"k":9}]}'),
        ("l.2", '{"l": [1, {"k":2},9]}'),
        ("l.-1", '{"l": [1, {"k":2},9]}'),
        ("l.3", '{"l": [1, {"k":2}]}'),
        ("l.k", '{"l": [1, {"k":2}]}'),
        ("l.0.k", '{"l": [{"k":9}, {"k":2}]}'),
        ("l.1.n.5", '{"l": [1, {"k":2}]}'),
    ],
)
def test_lists_are_reached_by_index_and_never_stretched(path: str, expected: str) -> None:
    assert edited(placed, '{"l": [1, {"k":2}]}', path, b"9") == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", '{"a":{"c":[1,{"d":2}]}}'),
        ("a.c.0", '{"a":{"b":1,"c":[{"d":2}]}}'),
        ("a.c.1.d", '{"a":{"b":1,"c":[1,{}]}}'),
        ("a.c.2", '{"a":{"b":1,"c":[1,{"d":2}]}}'),
        ("a.c.-1", '{"a":{"b":1,"c":[1,{"d":2}]}}'),
        ("a.b.c", '{"a":{"b":1,"c":[1,{"d":2}]}}'),
        ("x.y", '{"a":{"b":1,"c":[1,{"d":2}]}}'),
        ("a", "{}"),
    ],
)
def test_what_is_there_is_removed(path: str, expected: str) -> None:
    assert edited(removed, '{"a":{"b":1,"c":[1,{"d":2}]}}', path) == expected


@pytest.mark.parametrize(
    ("path", "there"),
    [("a", True), ("a.n", True), ("a.n.x", False), ("a.t.x", True), ("a.l.0", True), ("a.l.1", False)],
)
def test_null_stands_at_its_own_place_and_is_in_nobodys_way(path: str, there: bool) -> None:
    """A text in the way stands: a default must not take it from the client."""
    assert stands(b'{"a":{"n":null,"t":"text","l":[0]}}', steps_of(path)) is there


@given(OBJECTS, st.lists(KEYS, min_size=1, max_size=3), JSON)
def test_placing_equals_placing_in_the_decoded_object(value: Any, keys: list[str], new: Any) -> None:
    """Keys that are escaped mean themselves; lists in the way are left alone."""
    expected = copy.deepcopy(value)
    inner = expected
    for key in keys[:-1]:
        if not isinstance(inner, dict):
            break
        if not isinstance(inner.get(key), dict | list):
            inner[key] = {}
        inner = inner[key]
    reached = isinstance(inner, dict)
    if reached:
        inner[keys[-1]] = new
    result = json.loads(edited(placed, json.dumps(value), written(keys), json.dumps(new).encode()))
    assert result == expected
    assert stands(json.dumps(result).encode(), steps_of(written(keys))) is reached


@given(OBJECTS, st.lists(KEYS, min_size=1, max_size=3))
def test_removing_equals_removing_from_the_decoded_object(value: Any, keys: list[str]) -> None:
    expected = copy.deepcopy(value)
    inner = expected
    for key in keys[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(keys[-1], None)
    assert json.loads(edited(removed, json.dumps(value), written(keys))) == expected
