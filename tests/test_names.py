"""The core names nobody (architecture, rule 1)."""

from __future__ import annotations

import re
from pathlib import Path

import ppap_core

NAMES = re.compile(r"codex|claude|anthropic|gemini|openai|vertex|kimi|\bamp\b|chatgpt", re.IGNORECASE)


def test_no_provider_or_format_is_named_in_the_core() -> None:
    """A provider that needs a line here has not kept to the contract."""
    root = Path(ppap_core.__file__).parent
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted(root.rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if NAMES.search(line)
    ]
    assert found == []
