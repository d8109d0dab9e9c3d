"""Tables are complete, and usage and errors keep their meaning both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ppap_claude import MESSAGES
from ppap_claude.messages.arguments import object_text
from ppap_claude.messages.errors import STATUS_OF_TYPE, TYPE_OF_STATUS, read_error
from ppap_claude.messages.identifiers import MAX_NAME, CallIds, ToolNames
from ppap_claude.messages.signatures import is_own_signature
from ppap_claude.messages.usage import Counts, usage_object
from ppap_claude.messages.vocabulary import FINISH_OF_STOP_REASON, STOP_REASON_OF_FINISH, stop_reason
from ppap_claude.testing import SIGNATURE, reply

from ppap_core.conversation import (
    FINISH_REASONS,
    Conversation,
    ErrorDetail,
    Usage,
)
from ppap_core.testing.fixtures import fixture_cases
from ppap_core.wire import NO_NAMES

FIXTURES = Path(__file__).parent / "fixtures"
ASKED = Conversation(model="asked-for", format="some-other-format")


def test_every_finish_has_a_word_and_every_word_a_finish() -> None:
    """No reason falls through, in either direction (C.10)."""
    assert set(STOP_REASON_OF_FINISH) == set(FINISH_REASONS)
    assert set(STOP_REASON_OF_FINISH.values()) == set(FINISH_OF_STOP_REASON)
    assert set(FINISH_OF_STOP_REASON.values()) <= set(FINISH_REASONS)


@pytest.mark.parametrize("finish", FINISH_REASONS)
def test_a_call_that_was_told_is_never_denied(finish: Any) -> None:
    """With a whole call in the answer its reason is ``tool_use``; without one it never is."""
    told = stop_reason(finish, stop_sequence=None, last_call_is_whole=True, refused=False)
    assert told == "tool_use"
    silent = stop_reason(finish, stop_sequence=None, last_call_is_whole=None, refused=False)
    assert silent != "tool_use"


def test_the_vendors_error_types_all_have_a_status() -> None:
    """Every type of the vendor's SDK stands for a status, and back (12.3)."""
    assert set(STATUS_OF_TYPE) >= {
        "invalid_request_error",
        "authentication_error",
        "billing_error",
        "permission_error",
        "not_found_error",
        "rate_limit_error",
        "timeout_error",
        "api_error",
        "overloaded_error",
    }
    assert all(TYPE_OF_STATUS[status] == kind for kind, status in STATUS_OF_TYPE.items())


ERRORS = fixture_cases(FIXTURES / "errors")


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_an_error_is_read(case: dict[str, Any]) -> None:
    """An error says status, type, code and message, in whatever shape it comes (pain 12)."""
    detail = read_error(json.dumps(case["body"]).encode(), case.get("status"))
    assert attrs.asdict(detail, filter=lambda _, value: value is not None) == case["detail"]


@pytest.mark.parametrize("body", [b"", b"<html>secret</html>", b"\xff\xfe", b"[", b'"x"', b"null"])
def test_what_is_no_error_object_is_not_repeated(body: bytes) -> None:
    """A body that is not JSON, or no object, gives its status and none of its bytes."""
    detail = MESSAGES.decode_error(502, body)
    assert detail.message == "The upstream answered with status 502 (Bad Gateway)"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ErrorDetail(message="x", status=529), "overloaded_error"),
        (ErrorDetail(message="x", status=503, type="overloaded_error"), "overloaded_error"),
        (ErrorDetail(message="x", status=500, type="server_error"), "api_error"),
        (ErrorDetail(message="x", status=429, type="insufficient_quota"), "rate_limit_error"),
        (ErrorDetail(message="x", status=418), "invalid_request_error"),
        (ErrorDetail(message="x", status=503), "api_error"),
        (ErrorDetail(message="x", status=400, type="brand_new_error"), "brand_new_error"),
    ],
)
def test_an_error_is_told_in_this_formats_words(error: ErrorDetail, kind: str) -> None:
    """The upstream's own type is kept where clients of this format know it, else the status decides."""
    assert json.loads(MESSAGES.encode_error(error)) == {
        "type": "error",
        "error": {"type": kind, "message": "x"},
    }


# --- usage ------------------------------------------------------------------------------------


def test_the_pinned_counts() -> None:
    """13 uncached, 31 written and 22000 read tokens are 22044 of input (E, T-USE; pain 30)."""
    counts = Counts(
        input_tokens=13,
        cache_creation_input_tokens=31,
        cache_read_input_tokens=22000,
        output_tokens=4,
    )
    usage = counts.usage()
    assert (usage.input_total, usage.cache_read, usage.output_total) == (22044, 22000, 4)
    assert usage.billed_total == 22048
    assert usage.uncached_input == 13


_COUNT = st.integers(0, 10**9)


@given(_COUNT, _COUNT, _COUNT, _COUNT)
def test_counts_survive_the_way_through_the_model(fresh: int, written: int, read: int, output: int) -> None:
    """Uncached, written and read tokens stay disjoint and are never counted twice (pain 30)."""
    told = {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output,
    }
    assert usage_object(Counts(**told).usage()) == told


@given(*[st.none() | _COUNT] * 3)
def test_counts_are_never_negative(total: int | None, read: int | None, written: int | None) -> None:
    """Whatever another format reports, a client of this one gets no negative number."""
    told = usage_object(Usage(input_total=total, cache_read=read, cache_write=written))
    assert min(told.values()) >= 0


def test_thinking_tokens_are_within_the_output() -> None:
    """The vendor's breakdown of the output is read as reasoning, not added to it (C.9)."""
    usage = json.loads(reply("x"))["usage"] | {"output_tokens_details": {"thinking_tokens": 3}}
    answer = MESSAGES.decode_reply(reply("x", usage=usage), NO_NAMES)
    assert answer.usage is not None
    assert (answer.usage.output_total, answer.usage.reasoning) == (4, 3)


# --- names, ids, signatures, arguments -------------------------------------------------------


@given(st.lists(st.text(max_size=140), max_size=8))
def test_tool_names_fit_differ_and_come_back(names: list[str]) -> None:
    """Names that the API would refuse are changed, each differently, and back again (C.1)."""
    tools = ToolNames(names)
    wire = [tools.wire(name) for name in dict.fromkeys(names)]
    assert len(set(wire)) == len(wire)
    assert all(len(name) <= MAX_NAME and name.replace("-", "_").isascii() for name in wire)
    assert [tools.back.client_name(name) for name in wire] == list(dict.fromkeys(names))


@given(st.lists(st.text(max_size=5), max_size=8))
def test_no_two_calls_share_an_id(call_ids: list[str]) -> None:
    """Each call gets an id of its own, and its result the same one (C.2)."""
    ids = CallIds()
    pairs = [(ids.of_call(call_id), ids.of_result(call_id)) for call_id in call_ids]
    assert all(call == result for call, result in pairs)
    assert len({call for call, _ in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("signature", "own"),
    [
        (SIGNATURE, True),
        ("Eo8Canthropic-state", True),
        ("  ErUBCkYIBxgC  ", True),
        ("RXJVQkNrWUlCeGdD", True),
        ("CAQSBA==", True),
        ("gAAAAABo", False),
        ("Eo8C not base64", False),
        ("EAAA", False),
        ("RAAA", False),
        ("Eo", False),
        ("", False),
        (None, False),
    ],
)
def test_signatures_are_told_apart(signature: str | None, own: bool) -> None:
    """A signature is Anthropic's by its envelope, not by where it was found (C.6; pain 23)."""
    assert is_own_signature(signature) is own


@given(st.text())
def test_any_text_may_be_called_a_signature(text: str) -> None:
    """No signature, however odd, breaks the test for it."""
    is_own_signature(text)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1.50}', '{"a": 1.50}'),
        ("{'a': 'b'}", '{"a": "b"}'),
        ("""{'a': 'say "hi"', "b": "it's"}""", '{"a": "say \\"hi\\"", "b": "it\'s"}'),
        (r"{'a': 'it\'s', 'b': '\n'}", r'{"a": "it' + "'" + r's", "b": "\n"}'),
        ("", None),
        ("[1]", None),
        ("{'a': ", None),
        ("'a'", None),
    ],
)
def test_arguments_are_repaired_where_only_quotes_are_wrong(arguments: str, expected: str | None) -> None:
    """Single quotes become double ones; nothing else is guessed at (C.8)."""
    assert object_text(arguments) == expected


@given(st.text(alphabet="{}[]:,'\"\\ab1 "))
def test_arguments_are_an_object_or_nothing(arguments: str) -> None:
    """Whatever a model makes of its arguments, a client gets a JSON object or none."""
    text = object_text(arguments)
    assert text is None or isinstance(json.loads(text), dict)
