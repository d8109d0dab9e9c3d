"""A conversation → a chat request for an upstream (translation spec, A.2, A.3, C.3–C.7, D.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import Conversation, OutputFormat
from ppap_core.conversation.turns import paired, turns, with_reminders
from ppap_core.wire import EncodedRequest, Target

from .effort import write_effort
from .message_encoder import write_turn
from .name import FORMAT, SYSTEM_ANYWHERE
from .tool_names import names_of
from .tools import offered, write_choice, write_tool

SERVICE_TIERS: Final = frozenset({"auto", "default", "flex", "priority", "scale"})
"""Tiers that Chat knows; other formats have words of their own."""


def write_request(conversation: Conversation, target: Target) -> EncodedRequest:
    """The body for `target`, and the tool names to map back."""
    tools = offered(conversation.tools, conversation.tool_choice)
    fields: dict[str, Any] = {
        "model": target.model,
        "messages": _messages(conversation),
        **_known(_limits(conversation)),
        **_known(_tools(conversation, tools)),
        **_known(_wishes(conversation, target)),
    }
    if conversation.stream:
        fields["stream"] = True
        fields["stream_options"] = {"include_usage": True}
    for key, value in conversation.extras.get(FORMAT, {}).items():
        fields.setdefault(key, value)
    return EncodedRequest(msgspec.json.encode(fields), names_of(conversation.tools))


def _messages(conversation: Conversation) -> list[Mapping[str, Any]]:
    source = conversation.format
    items = conversation.items
    placed = items if source in SYSTEM_ANYWHERE else with_reminders(items)
    return [message for turn in turns(paired(placed)) for message in write_turn(turn, source)]


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _limits(conversation: Conversation) -> Mapping[str, Any]:
    sampling = conversation.sampling
    stop = conversation.stop
    return {
        "max_tokens": conversation.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "seed": sampling.seed,
        "logit_bias": sampling.logit_bias,
        "n": sampling.n,
        "logprobs": sampling.logprobs,
        "top_logprobs": sampling.top_logprobs,
        "stop": stop[0] if len(stop) == 1 else list(stop) or None,
    }


def _tools(conversation: Conversation, tools: Sequence[Any]) -> Mapping[str, Any]:
    """Without a tool that Chat can express there is no choice among them either (C.16)."""
    if not tools:
        return {}
    return {
        "tools": [write_tool(tool) for tool in tools],
        "tool_choice": write_choice(conversation.tool_choice, tools),
        "parallel_tool_calls": conversation.parallel_tool_calls,
    }


def _wishes(conversation: Conversation, target: Target) -> Mapping[str, Any]:
    tier = conversation.service_tier
    output = conversation.output
    return {
        "reasoning_effort": write_effort(conversation.thinking, target.thinking),
        "response_format": _response_format(output) if output is not None else None,
        "verbosity": output.verbosity if output is not None else None,
        "user": conversation.identity.user,
        "service_tier": tier if tier in SERVICE_TIERS else None,
        **_own(conversation),
    }


def _own(conversation: Conversation) -> Mapping[str, Any]:
    """What is passed on only if the client spoke Chat: other upstreams of Chat refuse these fields."""
    if conversation.format != FORMAT:
        return {}
    identity = conversation.identity
    return {
        "metadata": dict(identity.metadata) or None,
        "store": conversation.store,
        "prompt_cache_key": identity.prompt_cache_key,
        "safety_identifier": identity.safety_identifier,
    }


def _response_format(output: OutputFormat) -> Mapping[str, Any] | None:
    if output.kind == "json_schema":
        told = {
            "name": output.name or "response",
            "schema": output.schema,
            "strict": output.strict,
            "description": output.description,
        }
        return {"type": "json_schema", "json_schema": _known(told)}
    return {"type": output.kind} if output.kind == "json_object" else None
