"""What an answer repeats of its request (translation spec, B.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ppap_core.conversation import Conversation

from .name import FORMAT, JsonObject

ECHOED: Final = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "metadata",
)
_DEMANDED: Final[Mapping[str, Any]] = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
"""What clients' types demand of every response, with what holds when the request is silent."""


def whole_echo(conversation: Conversation) -> JsonObject:
    """Every field of the request that an answer repeats, for its last word."""
    sent = conversation.extras.get(FORMAT, {})
    echo = {key: sent[key] for key in ECHOED if sent.get(key) is not None}
    if "max_output_tokens" not in echo and sent.get("max_tokens") is not None:
        echo["max_output_tokens"] = sent["max_tokens"]
    return {**_DEMANDED, **echo, "model": conversation.model}


def brief_echo(conversation: Conversation) -> JsonObject:
    """What no response can do without, for the beginning of a stream."""
    echo = whole_echo(conversation)
    return {key: echo[key] for key in ("model", *_DEMANDED)}
