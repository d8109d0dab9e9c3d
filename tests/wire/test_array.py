"""A JSON array edited in place: what stays keeps its bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonArray

VALUES = st.lists(st.none() | st.integers() | st.text() | st.lists(st.text(), max_size=2), max_size=6)


def test_what_stays_keeps_its_bytes() -> None:
    array = JsonArray(b'[ 1e5 , {"a" : "\\u00e9"},3 ]', "x")
    assert array.edited({2: b"4"}) == b'[ 1e5 , {"a" : "\\u00e9"},4 ]'
    assert array.edited({0: None}) == b'[  {"a" : "\\u00e9"},3 ]'
    assert array.edited({}) is array.data


def test_what_is_no_array_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="`things`"):
        JsonArray(b'{"a": 1}', "things")


@given(VALUES, st.dictionaries(st.integers(0, 6), st.none() | st.integers()), st.sampled_from([None, 0, 1]))
def test_editing_equals_editing_the_decoded_list(
    values: list[object], changes: dict[int, int | None], indent: int | None
) -> None:
    data = json.dumps(values, indent=indent).encode()
    texts = {index: None if value is None else b"%d" % value for index, value in changes.items()}
    kept = [
        changes.get(index, value) for index, value in enumerate(values) if changes.get(index, 0) is not None
    ]
    assert json.loads(JsonArray(data, "x").edited(texts)) == kept
