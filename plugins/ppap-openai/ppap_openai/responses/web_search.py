"""Searches of the provider's own tool, for clients and upstreams of other formats (C.16)."""

from __future__ import annotations

from typing import Any

from ppap_core.conversation import WebSearch, WebSource

from .name import JsonObject

SEARCH_CALL = "web_search_call"


def read_search(item: JsonObject) -> WebSearch | None:
    """``None`` for other tools, and for pages that were opened or looked through."""
    action = item.get("action")
    action = action if isinstance(action, dict) else {}
    if item.get("type") != SEARCH_CALL or action.get("type", "search") != "search":
        return None
    queries = action.get("queries")
    first = queries[0] if isinstance(queries, list) and queries else ""
    sources = action.get("sources")
    return WebSearch(
        id=_text(item.get("id")),
        query=_text(action.get("query")) or _text(first),
        sources=tuple(
            WebSource(url=url, title=_text(source.get("title")))
            for source in (sources if isinstance(sources, list) else ())
            if isinstance(source, dict) and (url := _text(source.get("url")))
        ),
    )


def write_search(item_id: str, search: WebSearch) -> JsonObject:
    sources = [{"type": "url", "url": source.url} for source in search.sources]
    action = {"type": "search", "query": search.query, **({"sources": sources} if sources else {})}
    return {"id": item_id, "type": SEARCH_CALL, "status": "completed", "action": action}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
