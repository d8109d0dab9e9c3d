"""Conversation → request for an upstream (translation spec, A.2, A.3, C.3–C.7, C.15)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import (
    Conversation,
    Item,
    Message,
    OpaqueItem,
    Reasoning,
    ServerToolItem,
    ToolCall,
    ToolResult,
)
from ppap_core.conversation.turns import Turn, paired, turns
from ppap_core.wire import EncodedRequest, Target

from .arguments import input_value
from .cache import Sections
from .content import block_of, result_content
from .identifiers import CallIds, ToolNames
from .signatures import is_own_signature
from .thinking import MIN_TOP_P_WHEN_THINKING, OutputLimit, Thinking, in_these_words, written
from .tools import choice_object, names_of, tool_objects
from .vocabulary import NAME

DEFAULT_MAX_TOKENS: Final = 32000
_FORCED: Final = ("any", "tool")
_INSTRUCTING: Final = ("system", "developer")
_NOBODY_SPOKE: Final = {"role": "user", "content": [{"type": "text", "text": "."}]}
"""Stands in where there is only system text; the API wants a message, and no blank one (C.4)."""

Block = dict[str, Any]


def encode_request(conversation: Conversation, target: Target) -> EncodedRequest:
    """The body for `target`, and the tool names to map back."""
    names = names_of(conversation.tools)
    writer = _Writer(conversation.format == NAME, names)
    system, spoken = writer.split(conversation.items)
    tools = tool_objects(conversation, names)
    choice = choice_object(conversation, tools, names)
    messages = writer.messages(spoken)
    thinking = _thinking(conversation, target, choice, messages)
    sections = Sections(
        tools=msgspec.json.encode(tools) if tools else None,
        system=msgspec.json.encode(system) if system else None,
        messages=msgspec.json.encode(messages),
    )
    del messages  # a long conversation's dicts take as much as its JSON
    own = conversation.extras.get(NAME) or {}
    sections = sections.within_limits() if "cache_control" in own else sections.with_breakpoints()
    fields: dict[str, Any] = {
        "model": target.model,
        "max_tokens": thinking.max_tokens,
        "system": sections.system,
        "messages": sections.messages,
        "tools": sections.tools,
        "tool_choice": choice,
        **_sampling(conversation, thinking),
        "stop_sequences": [stop for stop in conversation.stop if stop.strip()] or None,
        "thinking": thinking.field,
        "output_config": _output_config(conversation, thinking),
        "metadata": _metadata(conversation),
        **own,
        "service_tier": conversation.service_tier if conversation.format == NAME else None,
        "stream": conversation.stream or None,
    }
    body = _object_text({key: value for key, value in fields.items() if value is not None})
    headers = {"anthropic-beta": ",".join(conversation.betas)} if conversation.betas else {}
    return EncodedRequest(body, names.back, headers)


def _object_text(fields: Mapping[str, Any]) -> bytes:
    """A JSON object, in which bytes are JSON text already. Joined, so that large ones are copied once."""
    parts: list[bytes] = []
    for key, value in fields.items():
        text = value if isinstance(value, bytes) else msgspec.json.encode(value)
        parts += (b"," if parts else b"{", msgspec.json.encode(key), b":", text)
    return b"".join((*parts, b"}"))


@attrs.frozen
class _Writer:
    """Writes items as messages. ``same_format``: the client speaks this format too."""

    same_format: bool
    names: ToolNames

    def split(self, items: Sequence[Item]) -> tuple[list[Block], list[Item]]:
        """The ``system`` blocks, and what was said.

        Instructions of other formats are all lifted, in order, and never merged (C.5). A client of
        this format put those that stand among the messages there on purpose.
        """
        system: list[Block] = []
        spoken: list[Item] = []
        for item in items:
            if (
                not isinstance(item, Message)
                or item.role not in _INSTRUCTING
                or (self.same_format and spoken)
            ):
                spoken.append(item)
            else:
                system += self._blocks(item)
        return system, spoken

    def messages(self, items: Sequence[Item]) -> list[Block]:
        ids = CallIds()
        written = (self._message(turn, ids) for turn in turns(paired(items)))
        messages = _joined(written) or [_NOBODY_SPOKE]
        return [*messages[:-1], _without_trailing_blanks(messages[-1])]

    def _message(self, turn: Turn, ids: CallIds) -> Block:
        blocks: list[Block] = []
        for item in turn.items:
            blocks += _BLOCKS_OF[type(item)](self, item, ids)
        message: Block = {"role": turn.role, "content": blocks}
        if self.same_format:
            for item in turn.items:
                if isinstance(item, Message):
                    message |= item.extras.get(NAME, {})
        return message

    def _said(self, message: Message, ids: CallIds) -> list[Block]:
        return self._blocks(message)

    def _thought(self, item: Reasoning, ids: CallIds) -> list[Block]:
        return _reasoning_blocks(item)

    def _native(self, item: ServerToolItem | OpaqueItem, ids: CallIds) -> list[Block]:
        return [dict(item.value)] if item.format == NAME else []

    def _blocks(self, message: Message) -> list[Block]:
        blocks = [block for part in message.parts if (block := block_of(part, same_format=self.same_format))]
        if message.cache and blocks:
            blocks[-1].setdefault("cache_control", dict(message.cache))
        return blocks

    def _tool_use(self, call: ToolCall, ids: CallIds) -> list[Block]:
        block = {
            "type": "tool_use",
            "id": ids.of_call(call.call_id),
            "name": self.names.wire(call.name),
            "input": input_value(call.arguments, call.kind),
        }
        return [{**block, "cache_control": dict(call.cache)} if call.cache else block]

    def _tool_result(self, result: ToolResult, ids: CallIds) -> list[Block]:
        block: Block = {
            "type": "tool_result",
            "tool_use_id": ids.of_result(result.call_id),
            "content": result_content(result.kept, same_format=self.same_format),
        }
        if result.is_error is not None:
            block["is_error"] = result.is_error
        return [{**block, "cache_control": dict(result.cache)} if result.cache else block]


_BLOCKS_OF: Final[Mapping[type, Callable[[_Writer, Any, CallIds], list[Block]]]] = {
    Message: _Writer._said,
    Reasoning: _Writer._thought,
    ToolCall: _Writer._tool_use,
    ToolResult: _Writer._tool_result,
    ServerToolItem: _Writer._native,
    OpaqueItem: _Writer._native,
}


def _joined(messages: Iterable[Block]) -> list[Block]:
    """Without empty messages; the neighbours of such a one are one turn (A.3). Each in order."""
    joined: list[Block] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1]["content"] += message["content"]
        elif message["content"]:
            joined.append(message)
    for message in joined:
        message["content"] = _ordered(message["content"], message["role"])
    return joined


def _reasoning_blocks(item: Reasoning) -> list[Block]:
    """Only thinking that Anthropic's models signed goes back to them (C.6; pain 23)."""
    if item.origin not in (NAME, None) or item.role != "assistant":
        return []
    blocks: list[Block] = []
    if is_own_signature(item.signature):
        blocks.append({"type": "thinking", "thinking": item.text, "signature": item.signature})
    if item.redacted_data and item.origin == NAME:
        blocks.append({"type": "redacted_thinking", "data": item.redacted_data})
    return blocks


def _ordered(blocks: list[Block], role: str) -> list[Block]:
    """Results first in a user's turn; in the model's, calls last, so that results follow at once.

    Everything else keeps its order: signed thinking must not move (A.3).
    """
    if len(blocks) < 2:
        return blocks
    if role == "user":
        return sorted(blocks, key=lambda block: block["type"] != "tool_result")
    first_call = next(
        (index for index, block in enumerate(blocks) if block["type"] == "tool_use"), len(blocks)
    )
    before, after = blocks[:first_call], blocks[first_call:]
    moved = [block for block in after if block["type"] == "text"]
    return [*before, *moved, *(block for block in after if block["type"] != "text")] if moved else blocks


def _without_trailing_blanks(message: Block) -> Block:
    """A turn that the model shall continue must not end in white space; the API refuses it."""
    last = message["content"][-1]
    if message["role"] != "assistant" or last["type"] != "text":
        return message
    return {**message, "content": [*message["content"][:-1], {**last, "text": last["text"].rstrip()}]}


def _thinking(
    conversation: Conversation, target: Target, choice: Block | None, messages: Sequence[Block]
) -> Thinking:
    """The thinking fields, or none where the API would refuse them (C.15)."""
    limit = OutputLimit(
        asked=conversation.max_output_tokens or None,
        default=min(DEFAULT_MAX_TOKENS, target.max_output_tokens or DEFAULT_MAX_TOKENS),
        ceiling=target.max_output_tokens,
    )
    if choice is not None and choice["type"] in _FORCED:
        return Thinking(max_tokens=limit.asked or limit.default)
    intent = conversation.thinking
    if conversation.format != NAME and target.intent.mode == "unset":
        intent = in_these_words(intent, target.thinking)
    thinking = written(intent, target.thinking, limit)
    if thinking.by_budget and _in_tool_loop(messages):
        return Thinking(max_tokens=limit.asked or limit.default)
    return thinking


def _in_tool_loop(messages: Sequence[Block]) -> bool:
    """Whether results are sent for calls of a turn that does not begin with its thinking.

    With a budget, the API wants that thinking back, which other formats do not keep.
    """
    if len(messages) < 2 or messages[-1]["content"][0]["type"] != "tool_result":
        return False
    return messages[-2]["content"][0]["type"] not in ("thinking", "redacted_thinking")


def _sampling(conversation: Conversation, thinking: Thinking) -> dict[str, Any]:
    """Temperature up to 1, and ``top_p`` only without one; both bound while thinking."""
    sampling = conversation.sampling
    temperature, top_p = sampling.temperature, sampling.top_p
    if temperature is not None:
        return {
            "temperature": 1 if thinking.active else min(temperature, 1),
            "top_k": None if thinking.active else sampling.top_k,
        }
    if thinking.active and top_p is not None and top_p < MIN_TOP_P_WHEN_THINKING:
        top_p = None
    return {"top_p": top_p, "top_k": None if thinking.active else sampling.top_k}


def _output_config(conversation: Conversation, thinking: Thinking) -> dict[str, Any] | None:
    """Level of thinking, and structured output. A bare "JSON, please" cannot be asked for here."""
    config: dict[str, Any] = {"effort": thinking.effort} if thinking.effort else {}
    output = conversation.output
    if output is not None and output.kind == "json_schema" and output.schema is not None:
        config["format"] = {"type": "json_schema", "schema": output.schema}
    return config or None


def _metadata(conversation: Conversation) -> dict[str, Any] | None:
    """Who the end user is, by the client's own word or a hash of one; never made up."""
    identity = conversation.identity
    told = identity.metadata.get("user_id")
    user = told if isinstance(told, str) and told else identity.user
    if not user and (hint := identity.prompt_cache_key or identity.safety_identifier):
        user = hashlib.sha256(hint.encode()).hexdigest()
    return {"user_id": user} if user else None
