"""Citations of a text: Chat nests what the canonical form keeps flat (translation spec, A.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

URL_CITATION: Final = "url_citation"
FIELDS: Final = ("start_index", "end_index", "url", "title")
"""What this format knows of a citation; others may note more on theirs."""


def read_annotation(value: Any) -> Mapping[str, Any] | None:
    """``{"type": "url_citation", "url", "title", …}``; ``None`` for what has no URL to show."""
    if not isinstance(value, dict):
        return None
    nested = value.get(URL_CITATION)
    told = nested if isinstance(nested, dict) else value
    if not isinstance(told.get("url"), str):
        return None
    return {"type": URL_CITATION, **{key: told[key] for key in told if key != "type"}}


def write_annotation(annotation: Mapping[str, Any]) -> dict[str, Any] | None:
    """The form of Chat; ``None`` for kinds that it cannot express."""
    if not isinstance(annotation.get("url"), str):
        return None
    citation = {key: annotation[key] for key in FIELDS if key in annotation}
    return {"type": URL_CITATION, URL_CITATION: citation}
