"""Citations of a text (translation spec, A.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

URL_CITATION: Final = "url_citation"
_PLACE: Final = ("start_index", "end_index")
FILE_KINDS: Final = frozenset({"file_citation", "container_file_citation", "file_path"})
"""Citations of files that OpenAI keeps; no other format can show them."""


def read_annotation(value: Any) -> Mapping[str, Any] | None:
    """Canonical form, which is this format's own; ``None`` for what cites nothing."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("url"), str):
        return {**value, "type": URL_CITATION}
    return value if value.get("type") in FILE_KINDS else None


def write_annotation(annotation: Mapping[str, Any]) -> dict[str, Any] | None:
    """With every field that clients demand; ``None`` for kinds of other formats."""
    if isinstance(annotation.get("url"), str):
        title = annotation.get("title")
        return {
            "type": URL_CITATION,
            "url": annotation["url"],
            "title": title if isinstance(title, str) else "",
            **{key: place if isinstance(place := annotation.get(key), int) else 0 for key in _PLACE},
        }
    return dict(annotation) if annotation.get("type") in FILE_KINDS else None
