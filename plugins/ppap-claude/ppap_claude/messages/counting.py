"""Counting tokens: a request cut down to what ``/v1/messages/count_tokens`` accepts (C.20)."""

from __future__ import annotations

from typing import Final

import attrs
import msgspec

from ppap_core.conversation import Conversation
from ppap_core.wire import EncodedRequest, JsonBody, Target

from .request_encoder import encode_request

COUNTED: Final = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
        "context_management",
        "mcp_servers",
        "speed",
    }
)
"""Fields of the endpoint. Source: the vendor's SDK 2.12.0, read 2026-11-22. It refuses all others."""


def count_request(conversation: Conversation, target: Target) -> EncodedRequest:
    """Raises `InvalidRequest` like `encode_request`."""
    encoded = encode_request(conversation, target)
    body = JsonBody(encoded.body)
    left = body.edited({key: None for key in body if key not in COUNTED})
    return attrs.evolve(encoded, body=left)


def count_body(tokens: int) -> bytes:
    """The answer of the endpoint."""
    return msgspec.json.encode({"input_tokens": tokens})
