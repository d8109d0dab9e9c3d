"""Cases as data: how they are found, and that their notation loses nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from ppap_core.conversation import Conversation, Event, Text
from ppap_core.testing import ContractBroken
from ppap_core.testing.fixtures import (
    built,
    events_however_cut,
    fixture_cases,
    noted,
    stream_however_batched,
)
from ppap_core.testing.strategies import conversations, event_sequences

from .parrot import LinesDecoder

CASE = {"name": "a", "source": "some spec, 1.2"}


@pytest.mark.parametrize(
    ("listed", "wrong"), [([], "no fixtures"), ([CASE, CASE], "two cases"), ([{"name": "a"}], "no source: a")]
)
def test_cases_must_be_there_have_a_source_and_names_of_their_own(
    tmp_path: Path, listed: list[Any], wrong: str
) -> None:
    """A case that would never run, or that nobody could look up, is a mistake in the fixtures."""
    (tmp_path / "some.json").write_text(json.dumps(listed))
    with pytest.raises(ValueError, match=wrong):
        fixture_cases(tmp_path / "some")


def test_a_folder_is_a_list_of_cases(tmp_path: Path) -> None:
    """Each file of a folder is a case, under the name of the file."""
    (tmp_path / "a.json").write_text(json.dumps(CASE))
    assert fixture_cases(tmp_path) == {"a": CASE}


@settings(max_examples=50, deadline=None)
@given(conversations())
def test_the_notation_of_a_conversation_stands_for_it(conversation: Conversation) -> None:
    """What is noted as JSON can be built again, and is the same."""
    notation = json.loads(json.dumps(noted(conversation)))
    assert noted(built(notation)) == notation
    assert built({"Text": {"text": "x"}}) == Text("x")


@settings(max_examples=50, deadline=None)
@given(event_sequences())
def test_the_notation_of_events_stands_for_them(events: Sequence[Event]) -> None:
    """What is noted as JSON can be built again, and is the same."""
    assert list(built(json.loads(json.dumps(noted(events))))) == list(events)


class Forgetful:
    """A codec that sees only what comes in one piece."""

    def feed(self, data: Any) -> Any:
        return data[0] if isinstance(data, list) else data[:1]

    def close(self) -> list[Event]:
        return []


def test_a_codec_that_minds_the_cuts_is_found() -> None:
    """What is read and written must not depend on how much comes at once."""
    with pytest.raises(ContractBroken, match="cut into pieces"):
        events_however_cut(Forgetful, b"abc")
    with pytest.raises(ContractBroken, match="one by one"):
        stream_however_batched(Forgetful, [b"a", b"b"])  # type: ignore[list-item]
    assert events_however_cut(LinesDecoder, b"")
