"""Signatures of thoughts on tool calls, as Google extends this format (Gemini spec, 6; pain 23).

    {"id": …, "function": {…}, "extra_content": {"google": {"thought_signature": "…"}}}

In a conversation the signature is a thought without words, just before the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ppap_core.conversation import Item, Reasoning, ToolCall

ORIGIN: Final = "gemini"
"""The wire format whose upstreams issue what stands here; no other signature may."""
_MAKER: Final = "google"


def extra_content(signature: str | None) -> dict[str, Any]:
    """The fields that a call has because of a signature."""
    return {"extra_content": {_MAKER: {"thought_signature": signature}}} if signature else {}


def thought_before(extra: Any) -> Reasoning | None:
    """The thought that an ``extra_content`` stands for."""
    made = extra.get(_MAKER) if isinstance(extra, dict) else None
    signature = made.get("thought_signature") if isinstance(made, dict) else None
    if not signature or not isinstance(signature, str):
        return None
    return Reasoning(signature=signature, origin=ORIGIN)


def calls_with_signatures(items: Iterable[Item]) -> Iterator[tuple[ToolCall, str | None]]:
    """Each call, with the signature that was said since the call before."""
    signature: str | None = None
    for item in items:
        if isinstance(item, Reasoning) and item.origin == ORIGIN:
            signature = item.signature or signature
        elif isinstance(item, ToolCall):
            yield item, signature
            signature = None
