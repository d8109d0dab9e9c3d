"""Tables are complete, and what both sides of the format can say comes back as it was."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_gemini import GEMINI
from ppap_gemini.generate.errors import STATUS_OF_WORD, WORD_OF_STATUS, duration
from ppap_gemini.generate.names import MAX_NAME, ToolNames, sanitised
from ppap_gemini.generate.signatures import SENTINELS, SKIP_VALIDATION, is_own_signature, without_sentinel
from ppap_gemini.generate.spelling import camel_case
from ppap_gemini.generate.vocabulary import FINISH_OF_WORD, WORD_OF_FINISH, finish_reason
from ppap_gemini.schema import cleaned
from ppap_gemini.testing import SIGNATURE, TRAFFIC

from ppap_core.conversation import FINISH_REASONS
from ppap_core.testing.strategies import conversations, json_values
from ppap_core.wire import JsonBody, Target

TARGET = Target(model="m")
KEYWORDS = [
    "type",
    "properties",
    "items",
    "anyOf",
    "allOf",
    "enum",
    "const",
    "required",
    "$ref",
    "$defs",
    "x-a",
]


def test_every_finish_reason_has_a_word() -> None:
    """Each canonical reason is told to clients, by a word that is read back as one."""
    assert set(WORD_OF_FINISH) == set(FINISH_REASONS)
    assert set(WORD_OF_FINISH.values()) <= set(FINISH_OF_WORD)


def test_unknown_words_end_an_answer_like_any_other() -> None:
    """A word that is new since this was written is a plain end, and a call outranks all words (14)."""
    assert finish_reason("BRAND_NEW", called=False) == "stop"
    assert {finish_reason(word, called=True) for word in FINISH_OF_WORD} == {"tool_calls"}


def test_statuses_and_words_agree() -> None:
    """Every status has one word, which stands for that status (17.1)."""
    assert all(STATUS_OF_WORD[word] == status for status, word in WORD_OF_STATUS.items())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0.5s", 0.5),
        ("373.801628ms", 0.373801628),
        ("1h2m3s", 3723.0),
        ("5us", 5e-6),
        ("", None),
        ("5", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    """Google's durations are read with all their units (17.2)."""
    assert duration(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("signature", "own"),
    [
        (SIGNATURE, True),
        ("EqQBCkYIBxgC", False),
        ("RXFRQkNr", False),
        ("not base64!", False),
        ("abc", False),
        ("", False),
        (None, False),
        (SKIP_VALIDATION, False),
        ("MTIzNDU2NzgtMTIzNC0xMjM0LTEyMzQtMTIzNDU2Nzg5YWJj", False),
    ],
)
def test_whose_a_signature_is(signature: str | None, own: bool) -> None:
    """Only what Gemini can have issued is sent to it; a UUID in base64 is none (6; pain 23)."""
    assert is_own_signature(signature) is own


def test_stand_ins_are_no_signatures() -> None:
    """Both that Google documents mean that there is none (6)."""
    assert [without_sentinel(each) for each in SENTINELS] == [None, None]


@given(st.lists(st.text(max_size=70), max_size=6, unique=True))
@settings(max_examples=100)
def test_tool_names_are_unique_and_come_back(names: list[str]) -> None:
    """Every declared name has a name of its own upstream, in Gemini's alphabet, and is found again (5.2)."""
    tool_names = ToolNames(names)
    wire = [tool_names.wire(name) for name in names]
    assert len(set(wire)) == len(names)
    assert all(sanitised(name) == name and 0 < len(name) <= MAX_NAME for name in wire)
    assert [tool_names.back.client_name(name) for name in wire] == names


@given(conversations())
@settings(max_examples=100, deadline=None)
def test_a_conversation_comes_back(conversation: Any) -> None:
    """What Gemini can express survives being written and read: turns, calls, results and limits."""
    once = GEMINI.encode_request(conversation, TARGET).body
    again = attrs.evolve(GEMINI.decode_request(JsonBody(once)), stream=conversation.stream)
    assert again.max_output_tokens == conversation.max_output_tokens
    assert list(again.stop) == list(conversation.stop)
    twice = GEMINI.encode_request(again, TARGET).body
    assert orjson.loads(twice) == orjson.loads(once)


@given(
    st.recursive(
        json_values,
        lambda inner: st.dictionaries(st.sampled_from(KEYWORDS) | st.text(max_size=3), inner, max_size=4),
        max_leaves=12,
    )
)
@settings(max_examples=200, deadline=None)
def test_any_schema_is_cleaned(schema: Any) -> None:
    """Whatever stands in a schema, cleaning gives an object that can be sent."""
    node = cleaned({"type": "object", "properties": {"a": schema}, "$defs": {"D": schema}})
    assert orjson.dumps(node)
    assert not {"$ref", "$defs", "anyOf", "allOf", "const"} & node["properties"]["a"].keys()


def test_deep_and_multiplying_schemas_end() -> None:
    """Nesting and references that would never end are cut off."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        deep = {"type": "object", "properties": {"a": deep}}
    assert cleaned(deep)["properties"]["a"]["type"] == "object"
    doubling = {f"D{n}": {"anyOf": [{"$ref": f"#/$defs/D{n + 1}"}] * 2} for n in range(30)}
    assert cleaned({"$ref": "#/$defs/D0", "$defs": doubling})["type"] == "object"


@pytest.mark.parametrize("name", TRAFFIC.requests)
def test_both_spellings_mean_the_same(name: str) -> None:
    """A request in snake_case is read like the same in camelCase (1)."""
    body = TRAFFIC.requests[name]
    snake = body
    for camel in (b"functionCall", b"functionResponse", b"thoughtSignature", b"inlineData", b"mimeType"):
        letters = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel.decode())
        snake = snake.replace(b'"%b"' % camel, b'"%b"' % letters.encode())
    assert GEMINI.decode_request(JsonBody(snake)) == GEMINI.decode_request(JsonBody(body))
    assert orjson.loads(camel_case(JsonBody(snake)).data) == orjson.loads(body)
