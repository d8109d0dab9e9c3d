"""Looking at and editing a body without re-serialising it (translation spec, 0.4; vectors P1–P5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

SPACED = b' { "a" : 1e5 , "model":"x" ,\n "s":"\\u0041\\"}," , "z":{"model":"x"} } '


def test_nothing_to_change_is_the_same_object() -> None:
    body = JsonBody(SPACED)
    assert body.edited({"model": b'"x"', "absent": None}) is body.data


def test_only_the_changed_value_changes() -> None:
    assert JsonBody(SPACED).edited({"model": b'"longer"'}) == SPACED.replace(b'"x" ,', b'"longer" ,')


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"a": None}, b' {  "model":"x" ,\n "s":"\\u0041\\"}," , "z":{"model":"x"} } '),
        ({"z": None, "s": None}, b' { "a" : 1e5 , "model":"x" } '),
        ({"a": None, "model": None, "s": None, "z": None}, b" { } "),
    ],
)
def test_members_are_removed_with_their_comma(changes: dict[str, bytes | None], expected: bytes) -> None:
    assert JsonBody(SPACED).edited(changes) == expected


def test_a_new_member_goes_to_the_end() -> None:
    assert JsonBody(b"{}").edited({"q": b"1"}) == b'{"q":1}'
    assert JsonBody(b'{"a":1}').edited({"q": b"1"}) == b'{"a":1,"q":1}'


def test_a_key_given_twice_is_refused() -> None:
    """What was checked must be what is sent."""
    with pytest.raises(InvalidRequest, match="stands twice"):
        JsonBody(b'{"model":"a","model":"b"}').edited({"model": b'"c"'})


@pytest.mark.parametrize("data", [b"", b"  ", b"[]", b"1", b'"x"', b"{", b'{"a":}', b"\xff{}", b"{} x"])
def test_what_is_not_an_object_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        JsonBody(data)


@pytest.mark.parametrize(
    ("value", "right"), [(b"[]", True), (b"null", True), (b'"x"', False), (b"{}", False), (b"5", False)]
)
def test_the_kind_of_a_value_is_checked_without_decoding_it(value: bytes, right: bool) -> None:
    body = JsonBody(b'{"messages": ' + value + b"}")
    if right:
        body.check({"messages": "a list", "absent": "an object"})
    else:
        with pytest.raises(InvalidRequest, match="`messages` must be a list"):
            body.check({"messages": "a list"})


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(max_size=6), JSON, max_size=6)


@given(OBJECTS, st.dictionaries(st.text(max_size=6), st.none() | JSON, max_size=4), st.booleans())
def test_editing_equals_editing_the_decoded_object(
    original: dict[str, Any], wanted: dict[str, Any], ascii_only: bool
) -> None:
    """Whatever the spelling of keys and spaces, an edit does what the same edit of a dict does."""
    body = JsonBody(json.dumps(original, ensure_ascii=ascii_only, indent=1).encode("utf-8", "surrogatepass"))
    changes = {key: None if value is None else json.dumps(value).encode() for key, value in wanted.items()}
    expected = {key: value for key, value in original.items() if key not in wanted or wanted[key] is not None}
    expected |= {key: value for key, value in wanted.items() if value is not None}
    edited = json.loads(body.edited(changes))
    assert edited == expected
    assert [key for key in edited if key in original] == [key for key in original if key in expected]


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        body = JsonBody(data)
        body.text("model")
        body.decoded()
        body.edited({"model": b'"m"'})
    except InvalidRequest:
        pass
