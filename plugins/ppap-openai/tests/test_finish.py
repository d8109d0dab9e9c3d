"""Why an answer ended (translation spec, C.10)."""

from __future__ import annotations

import pytest
from ppap_openai.chat.finish import is_whole


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ("", True),
        ("{}", True),
        ('{"a": "b"}', True),
        ('{"a": "}"', False),
        ('{"a": "b', False),
        ('{"a": "b\\"', False),
        ('{"a": "b\\', False),
        ('{"a": "\\\\"}', True),
        ('{"a": [{"b": "["}]}', True),
        ('{"a": ["b"', False),
    ],
)
def test_a_call_that_was_cut_off_is_known(arguments: str, whole: bool) -> None:
    """Braces inside of strings do not count, and a string ends at its own quote only."""
    assert is_whole(arguments) is whole
