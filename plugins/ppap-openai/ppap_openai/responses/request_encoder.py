"""A conversation → a request for an upstream (translation spec, A.2, B.2.1, C.5–C.7, D.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Item,
    Message,
    OutputFormat,
    Reasoning,
    Text,
    ThinkingIntent,
    ThinkingSupport,
)
from ppap_core.conversation.turns import paired, with_reminders
from ppap_core.wire import EncodedRequest, Target

from ..chat.effort import write_effort
from ..chat.name import FORMAT as CHAT
from .item_encoder import InputWriter
from .name import FORMAT, JsonObject
from .request_decoder import FIELDS, INSTRUCTIONS
from .signatures import is_own
from .tool_names import client_tools
from .tools import write_choice, write_tools

SERVICE_TIERS: Final = frozenset({"auto", "default", "flex", "priority", "scale"})
"""Tiers that OpenAI knows; other formats have words of their own."""
ENCRYPTED_REASONING: Final = "reasoning.encrypted_content"
_SHOWN: Final = ("auto", "concise", "detailed")


def write_request(conversation: Conversation, target: Target) -> EncodedRequest:
    """The body for `target`."""
    instructions, items = _split(conversation)
    writer = InputWriter(conversation.format, client_tools(conversation.tools))
    fields: dict[str, Any] = {
        "model": target.model,
        "instructions": instructions,
        "input": list(writer.write(items)),
        **_tools(conversation),
        **_limits(conversation),
        **_wishes(conversation, target),
        **_statelessness(conversation, items),
        "stream": conversation.stream or None,
    }
    body = {key: value for key, value in fields.items() if value is not None}
    for key, value in conversation.extras.get(FORMAT, {}).items():
        if key not in FIELDS:
            body.setdefault(key, value)
    return EncodedRequest(msgspec.json.encode(body))


def _split(conversation: Conversation) -> tuple[str | None, Sequence[Item]]:
    """``instructions``, if that is where the first message stood, and everything else.

    System text of other formats stays among the items: nothing says that it holds for more than
    what follows it (C.5). Chat means by it what this format does, in every place; in other formats
    what stands in the middle reminds the user's turn of something (A.2.1).
    """
    items = conversation.items
    if conversation.format == CHAT:
        return None, paired(items)
    if conversation.format != FORMAT:
        return None, paired(with_reminders(items))
    first = items[0] if items else None
    if isinstance(first, Message) and first.extras.get(FORMAT, {}).get(INSTRUCTIONS):
        text = "".join(part.text for part in first.parts if isinstance(part, Text))
        return text, items[1:]
    return None, items


def _tools(conversation: Conversation) -> Mapping[str, Any]:
    tools = write_tools(conversation.tools)
    if not tools:
        return {}
    return {
        "tools": tools,
        "tool_choice": write_choice(conversation.tool_choice, conversation.tools),
        "parallel_tool_calls": conversation.parallel_tool_calls,
    }


def _limits(conversation: Conversation) -> Mapping[str, Any]:
    sampling = conversation.sampling
    return {
        "max_output_tokens": conversation.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_logprobs": sampling.top_logprobs if conversation.format == FORMAT else None,
    }


def _wishes(conversation: Conversation, target: Target) -> Mapping[str, Any]:
    identity = conversation.identity
    own = conversation.format == FORMAT
    tier = conversation.service_tier
    return {
        "reasoning": write_thinking(conversation.thinking, target.thinking) if _thinks(target) else None,
        "text": _text(conversation.output) if conversation.output is not None else None,
        "metadata": dict(identity.metadata) or None if own else None,
        "user": identity.user,
        "service_tier": tier if own or tier in SERVICE_TIERS else None,
        "prompt_cache_key": identity.prompt_cache_key,
        "safety_identifier": identity.safety_identifier,
    }


def _thinks(target: Target) -> bool:
    return target.thinking is None or target.thinking.thinks


def write_thinking(thinking: ThinkingIntent, support: ThinkingSupport | None) -> JsonObject | None:
    """``reasoning``; ``None`` to leave it to the upstream. No summary of what is switched off (D.8)."""
    effort = write_effort(thinking, support)
    told: JsonObject = {} if effort is None else {"effort": effort}
    if thinking.summary in _SHOWN and thinking.mode != "none":
        told["summary"] = thinking.summary
    return told or None


def _text(output: OutputFormat) -> JsonObject | None:
    told: JsonObject = {}
    if output.kind == "json_schema":
        schema = {
            "type": "json_schema",
            "name": output.name or "response",
            "schema": output.schema or {},
            "strict": output.strict,
            "description": output.description,
        }
        told["format"] = {key: value for key, value in schema.items() if value is not None}
    elif output.kind == "json_object":
        told["format"] = {"type": "json_object"}
    if output.verbosity is not None:
        told["verbosity"] = output.verbosity
    return told or None


def _statelessness(conversation: Conversation, items: Sequence[Item]) -> Mapping[str, Any]:
    """Clients of other formats send all of it each time: nothing need be kept for them.

    What then lets the model go on thinking has to be asked for; models that do not think refuse
    the question, so it is asked only where thought is wanted, or was given before.
    """
    if conversation.format == FORMAT:
        return {"store": conversation.store}
    thoughts = (item for item in items if isinstance(item, Reasoning) and item.role == "assistant")
    thought = any(is_own(item.signature) for item in thoughts)
    wanted = conversation.thinking.mode not in ("unset", "none")
    include = [ENCRYPTED_REASONING] if thought or wanted else None
    return {"store": bool(conversation.store), "include": include}
