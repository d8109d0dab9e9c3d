"""The Responses wire format, for clients and for upstreams."""

from .codec import RESPONSES, Responses
from .compact import COMPACT, OPERATION, compact_body
from .failing import FAILING, read_client
from .guard import ResponsesGuard

__all__ = [
    "COMPACT",
    "FAILING",
    "OPERATION",
    "RESPONSES",
    "Responses",
    "ResponsesGuard",
    "compact_body",
    "read_client",
]
