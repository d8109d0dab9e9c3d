"""docs/translation.md is what the tables say."""

from __future__ import annotations

from pathlib import Path

from .page import render

PAGE = Path(__file__).parents[2] / "docs" / "translation.md"


def test_the_page_is_current() -> None:
    """A stale page says how to write it anew: ``make docs``."""
    assert PAGE.read_text(encoding="utf-8") == render()
