"""A client's request → conversation (translation spec, B.4.1).

The body is read by typed structs, so that wrong types are refused with their place, while blocks
that only this format knows, and tool arguments, keep the client's own text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import Conversation, Identity, OutputFormat, Sampling
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody, Peek

from .errors import THREAD_UNSUPPORTED
from .message_decoder import UNREADABLE, WireMessage, message_items, system_items
from .thinking import ThinkingField, peeked_intent, read_intent
from .tools import ChoiceFields, read_choice, read_tool
from .vocabulary import NAME

_NO_THREADS: Final = (
    "Invalid request: the upstream of this model holds no conversation between turns; "
    "send the whole history, without `thread`"
)


class _Request(msgspec.Struct):
    messages: list[WireMessage]
    model: str = ""
    system: str | list[msgspec.Raw] | None = None
    max_tokens: int | None = None
    stream: Any = False
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: ChoiceFields | None = None
    thinking: ThinkingField | None = None
    output_config: dict[str, Any] | None = None
    output_format: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    betas: str | list[str] | None = None


_request: Final = msgspec.json.Decoder(_Request).decode


def peek(body: JsonBody) -> Peek:
    """Only JSON ``true`` streams (0.2)."""
    return Peek(body.text("model"), body.raw("stream") == b"true", peeked_intent(body))


def decode_request(body: JsonBody) -> Conversation:
    """Raises `InvalidRequest`."""
    try:
        fields = _request(body.data)
        return _conversation(fields, body)
    except UNREADABLE as error:
        raise InvalidRequest(f"Invalid request: {error}") from None


def _conversation(fields: _Request, body: JsonBody) -> Conversation:
    if not fields.messages:
        raise InvalidRequest("Invalid request: `messages` must not be empty", param="messages")
    if body.value("thread") is not None:
        raise InvalidRequest(_NO_THREADS, param="thread", code=THREAD_UNSUPPORTED)
    tools = tuple(map(read_tool, fields.tools or ()))
    choice = fields.tool_choice
    serial = choice.disable_parallel_tool_use if choice else None
    items = system_items(fields.system)
    for index, message in enumerate(fields.messages):
        items += message_items(message, index)
    return Conversation(
        model=fields.model,
        format=NAME,
        items=tuple(items),
        stream=fields.stream is True,
        tools=tools,
        tool_choice=read_choice(choice, tools),
        parallel_tool_calls=None if serial is None else not serial,
        sampling=Sampling(temperature=fields.temperature, top_p=fields.top_p, top_k=fields.top_k),
        max_output_tokens=fields.max_tokens,
        stop=tuple(fields.stop_sequences or ()),
        output=_output(fields),
        thinking=read_intent(fields.thinking, (fields.output_config or {}).get("effort")),
        identity=_identity(fields.metadata),
        service_tier=fields.service_tier,
        include_usage=True,
        prefills=True,
        betas=tuple(beta_names(fields.betas)),
        extras=_extras(body),
    )


def beta_names(betas: str | Sequence[str] | None) -> list[str]:
    """The names in a ``betas`` field or an ``anthropic-beta`` header: a list, or comma-separated."""
    listed = betas.split(",") if isinstance(betas, str) else betas or ()
    return [name for beta in listed if (name := beta.strip())]


def _output(fields: _Request) -> OutputFormat | None:
    """Structured output; ``output_format`` is its older, deprecated place."""
    wanted = (fields.output_config or {}).get("format") or fields.output_format
    if not isinstance(wanted, dict) or not isinstance(wanted.get("schema"), dict):
        return None
    return OutputFormat(kind="json_schema", schema=wanted["schema"], strict=True)


def _identity(metadata: Mapping[str, Any] | None) -> Identity:
    user = (metadata or {}).get("user_id")
    return Identity(user=user if isinstance(user, str) else None, metadata=metadata or {})


def _extras(body: JsonBody) -> Mapping[str, Mapping[str, Any]]:
    """Fields that no other format knows, among them what is new since this was written."""
    unknown = {key: body.value(key) for key in body if key not in _Request.__struct_fields__}
    return {NAME: unknown} if unknown else {}
