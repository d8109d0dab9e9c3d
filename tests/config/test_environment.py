"""The .env file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppap_core.config import load_environment
from ppap_core.config.environment import assignments


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=b", {"A": "b"}),
        ("  export A = b c  ", {"A": "b c"}),
        ("A=b # comment", {"A": "b"}),
        ("A=b#c", {"A": "b#c"}),
        ("A=#c", {}),
        ("A='b # $c\\n'", {"A": "b # $c\\n"}),
        ('A="b\\n\\"c\\" # d" # e', {"A": 'b\n"c" # d'}),
        ("A='b' # c", {"A": "b"}),
        ("A=b=c", {"A": "b=c"}),
        ("A=", {}),
        ("A=' '", {}),
        ("# A=b", {}),
        ("\ufeffA=b\r\nB=c\r\n", {"A": "b", "B": "c"}),
        ("A=1\nA=2", {"A": "1"}),
    ],
)
def test_assignments(tmp_path: Path, line: str, expected: dict[str, str]) -> None:
    """Quotes, comments, export; a blank value assigns nothing (config spec, 5)."""
    path = tmp_path / ".env"
    path.write_bytes(line.encode())
    environment: dict[str, str] = {}
    load_environment(path, environment)
    assert environment == expected


def test_what_is_set_already_stays(tmp_path: Path) -> None:
    """The file never overrides; a blank variable counts as unset."""
    path = tmp_path / ".env"
    path.write_text("SET=file\nBLANK=file\n")
    environment = {"SET": "before", "BLANK": " "}
    load_environment(path, environment)
    assert environment == {"SET": "before", "BLANK": "file"}


def test_lines_that_are_no_assignments_are_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By number, without their text, which may be half of a secret."""
    path = tmp_path / ".env"
    path.write_text("A=1\nsecret words\nB='secret\nC=\"secret\n1D=secret\n")
    environment: dict[str, str] = {}
    load_environment(path, environment)
    assert environment == {"A": "1"}
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}:{line}: ignored; expected NAME=value" for line in (2, 3, 4, 5)
    ]


def test_files_that_cannot_be_read_are_only_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And a missing one is not even that."""
    load_environment(tmp_path / "missing", {})
    assert not caplog.records
    (tmp_path / "latin").write_bytes(b"A=\xe4")
    load_environment(tmp_path / "latin", {})
    load_environment(tmp_path, {})
    assert [record.getMessage().split(": ", 1)[1] for record in caplog.records] == [
        "not read: it is not UTF-8 text",
        "not read: Is a directory",
    ]


@settings(max_examples=100)
@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Every line is an assignment, a comment, or a warning."""
    assert all(assignment.line >= 1 for assignment in assignments(text))


@settings(max_examples=100)
@given(st.text().filter(lambda text: "\n" not in text))
def test_double_quotes_keep_any_value(value: str) -> None:
    """With backslashes before quotes and backslashes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    (assignment,) = assignments(f'A="{escaped}"')
    assert assignment.value == value
