"""Searches of the web that a provider ran: a block that asks and one that answers (C.16)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from ppap_core.conversation import WebSearch

from .identifiers import CallIds

SEARCH: Final = "web_search"
SEARCH_RESULT: Final = "web_search_tool_result"
SERVER_TOOL_USE: Final = "server_tool_use"
_OWN_ID: Final = "srvtoolu_"


def search_of(block: Mapping[str, Any]) -> WebSearch | None:
    """``None`` for other tools and for results: formats that show a search show it as one item."""
    if block.get("type") != SERVER_TOOL_USE or block.get("name") != SEARCH:
        return None
    asked = block.get("input")
    query = asked.get("query") if isinstance(asked, dict) else None
    return WebSearch(id=str(block.get("id") or ""), query=query if isinstance(query, str) else "")


def search_blocks(search: WebSearch, ids: CallIds) -> tuple[dict[str, Any], dict[str, Any]]:
    """What other formats tell of a search has no encrypted content, which clients want to see."""
    use_id = ids.of_call(search.id or f"{_OWN_ID}{uuid.uuid4().hex}")
    asked = {"query": search.query} if search.query else {}
    found = [
        {"type": "web_search_result", "url": source.url, "title": source.title, "encrypted_content": ""}
        for source in search.sources
    ]
    return (
        {"type": SERVER_TOOL_USE, "id": use_id, "name": SEARCH, "input": asked},
        {"type": SEARCH_RESULT, "tool_use_id": use_id, "content": found},
    )


def is_own_id(tool_use_id: str | None) -> bool:
    """Whether Anthropic takes an id of a server tool's block; those of other formats it refuses."""
    return (tool_use_id or "").startswith(_OWN_ID)
