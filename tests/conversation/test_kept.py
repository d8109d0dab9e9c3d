"""Long texts stay in the client's JSON, and nobody who reads them can tell."""

from __future__ import annotations

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppap_core.conversation import ToolResult
from ppap_core.conversation.kept import LONG, kept, text_of


@given(st.text(max_size=8), st.sampled_from([1, LONG]))
def test_a_text_reads_the_same_whether_it_was_left_in_its_json_or_not(text: str, times: int) -> None:
    """Its words, its equality and its JSON do not depend on how it is held."""
    text *= times
    raw = msgspec.Raw(msgspec.json.encode(text))
    held = kept(raw)
    assert isinstance(held, str) is (len(raw) < LONG)
    assert text_of(held) == text
    assert msgspec.json.encode(held) == bytes(raw)
    result, plain = ToolResult(call_id="a", content=held), ToolResult(call_id="a", content=text)
    assert result == plain
    assert hash(result) == hash(plain)
    assert repr(result) == repr(plain)
    assert attrs.evolve(result, call_id="b").content == text


@pytest.mark.parametrize("json", [b'"' + b"\xff" * LONG + b'"', b'"\\x' + b" " * LONG + b'"', b"[]", b"1"])
def test_what_could_not_be_read_later_is_refused_at_once(json: bytes) -> None:
    """No encoder meets a text that is none: not UTF-8, no such escape, another type."""
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        kept(msgspec.Raw(json))
