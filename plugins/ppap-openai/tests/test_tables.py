"""Every table that says what is known is complete: an omission fails here instead of falling through."""

from __future__ import annotations

import msgspec
import pytest
from ppap_openai.chat import said
from ppap_openai.chat.errors import OWN_WORDS, STATUS_OF_WORD, read_in_band
from ppap_openai.chat.finish import REASONS, WORDS, reason_of, settled
from ppap_openai.chat.usage import TokenDetails, WireUsage, read_usage, write_usage

from ppap_core.conversation import FINISH_REASONS, FinishReason, Usage

SPEC_SPELLINGS = """
    stop completed max_tokens max_output_tokens tool_use tool_calls function_call end_turn
    stop_sequence pause_turn refusal model_context_window_exceeded content_filter length
""".split()  # noqa: SIM905 (read as the spec's own list)


def test_every_finish_reason_has_a_word() -> None:
    """Each canonical reason can be told to a client of Chat."""
    assert set(WORDS) == set(FINISH_REASONS)
    assert set(WORDS.values()) == {"stop", "length", "tool_calls", "content_filter"}


@pytest.mark.parametrize("word", SPEC_SPELLINGS)
def test_every_accepted_spelling_is_understood(word: str) -> None:
    """Each spelling that translation spec, C.10 accepts stands for a reason."""
    assert REASONS[word] in FINISH_REASONS
    assert reason_of(f" {word.upper()} ") == REASONS[word]


def test_words_are_read_back_as_what_they_mean() -> None:
    """Each word that we write is read as a reason with the same word."""
    assert {word: WORDS[reason_of(word)] for word in WORDS.values()} == {w: w for w in WORDS.values()}


@pytest.mark.parametrize(
    ("reason", "last_call", "expected"),
    [
        ("stop", '{"x": "}"}', "tool_calls"),
        ("unknown", "", "tool_calls"),
        ("length", '{"x": [1, "\\"]"]}', "tool_calls"),
        ("length", '{"x": "\\"', "length"),
        ("content_filter", "{", "content_filter"),
        ("tool_calls", None, "stop"),
        ("length", None, "length"),
        ("refusal", None, "refusal"),
    ],
)
def test_a_call_wins_unless_it_was_cut_off(
    reason: FinishReason, last_call: str | None, expected: FinishReason
) -> None:
    """The reason agrees with the calls that were made (translation spec, C.10)."""
    assert settled(reason, last_call) == expected


@pytest.mark.parametrize("kind", list(said.MENDING), ids=lambda kind: kind.__name__)
def test_every_field_has_a_lenient_reading(kind: type[msgspec.Struct]) -> None:
    """No field of an upstream's answer is lost when strict decoding fails."""
    assert set(said.MENDING[kind]) == set(kind.__struct_fields__)


def test_every_status_has_words() -> None:
    """Each status of client API spec, 12.1 has its type and code."""
    assert OWN_WORDS == {
        401: ("authentication_error", "invalid_api_key"),
        403: ("permission_error", "insufficient_quota"),
        404: ("invalid_request_error", "model_not_found"),
        429: ("rate_limit_error", "rate_limit_exceeded"),
    }


@pytest.mark.parametrize(("word", "status"), STATUS_OF_WORD)
def test_every_error_word_stands_for_a_status(word: str, status: int) -> None:
    """An in-band error is as serious as its words say, by type or by code (pain 12)."""
    assert read_in_band({"error": {"message": "x", "type": word}}).status == status
    assert read_in_band({"error": {"message": "x", "code": word}}).status == status


@pytest.mark.parametrize("cached", [None, 0, 22000])
@pytest.mark.parametrize("written", [None, 0, 31])
def test_usage_is_one_normal_form(cached: int | None, written: int | None) -> None:
    """Cached and written tokens are counted once: uncached + read + written = input (pain 30)."""
    details = TokenDetails(cached_tokens=cached, cache_write_tokens=written)
    usage = read_usage(WireUsage(prompt_tokens=22044, completion_tokens=4, prompt_tokens_details=details))
    assert usage is not None
    assert usage.uncached_input == 22044 - (cached or 0) - (written or 0)
    assert (usage.cache_read, usage.cache_write, usage.billed_total) == (cached, written, 22048)
    assert msgspec.convert(write_usage(usage), WireUsage).prompt_tokens_details == (
        None if cached is None and written is None else details
    )


def test_usage_that_nobody_reported_stays_unknown() -> None:
    """Three states: a number, zero, unknown (pain 29)."""
    assert read_usage(WireUsage()) is None
    assert read_usage(WireUsage(prompt_tokens=-1)) is None
    assert write_usage(Usage(output_total=0)) == {"completion_tokens": 0, "total_tokens": 0}
