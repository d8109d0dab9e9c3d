"""A client's chat request → a conversation (translation spec, B.1.1, C.2, C.3, D.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Identity,
    Item,
    OutputFormat,
    Sampling,
)
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

from .effort import read_effort
from .message_decoder import MessageReader, WireMessage
from .name import FORMAT
from .responses_shape import as_chat_body, is_responses_shaped
from .tools import read_choice, read_tools


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _JsonSchema(msgspec.Struct):
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class _ResponseFormat(msgspec.Struct):
    type: str
    json_schema: _JsonSchema | None = None


class _TextOptions(msgspec.Struct):
    verbosity: str | None = None


class ChatRequest(msgspec.Struct):
    """Every top-level field that has a meaning here; any other one goes to the extras."""

    messages: list[WireMessage]
    model: str | None = None
    stream: Any = None
    stream_options: _StreamOptions | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    functions: list[dict[str, Any]] | None = None
    function_call: Any = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    response_format: _ResponseFormat | None = None
    verbosity: str | None = None
    text: _TextOptions | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None


FIELDS: Final = frozenset(ChatRequest.__struct_fields__)
_decode: Final = msgspec.json.Decoder(ChatRequest).decode


def read_request(body: JsonBody) -> Conversation:
    """Raises `InvalidRequest`, and nothing else."""
    if is_responses_shaped(body):
        body = as_chat_body(body)
    try:
        request = _decode(body.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusal(str(error)) from None
    except RecursionError:
        raise InvalidRequest("Invalid request: the body is nested too deeply") from None
    return _conversation(request, {key: body.value(key) for key in body if key not in FIELDS})


def refusal(problem: str) -> InvalidRequest:
    """What msgspec found, with the field that it names as ``- at `$.field` ``."""
    message, _, place = problem.partition(" - at ")
    param = place.strip("`").removeprefix("$.")
    if not param:
        return InvalidRequest(
            f"Invalid request: {message}", param="messages" if "messages" in message else None
        )
    return InvalidRequest(f"Invalid request: `{param}`: {message}", param=param)


def _conversation(request: ChatRequest, extras: Mapping[str, Any]) -> Conversation:
    options = request.stream_options
    limit = request.max_completion_tokens
    choice = request.tool_choice if request.tool_choice is not None else request.function_call
    return Conversation(
        model=request.model or "",
        format=FORMAT,
        items=tuple(_items(request.messages)),
        stream=request.stream is True,
        tools=tuple(read_tools(request.tools or (), request.functions or ())),
        tool_choice=read_choice(choice),
        parallel_tool_calls=request.parallel_tool_calls,
        sampling=_sampling(request),
        max_output_tokens=limit if limit is not None else request.max_tokens,
        stop=(request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ()),
        output=_output(request),
        thinking=read_effort(request.reasoning_effort),
        identity=Identity(
            user=request.user,
            metadata=request.metadata or {},
            prompt_cache_key=request.prompt_cache_key,
            safety_identifier=request.safety_identifier,
        ),
        service_tier=request.service_tier,
        store=request.store,
        include_usage=options is not None and options.include_usage is True,
        extras={FORMAT: extras} if extras else {},
    )


def _items(messages: Sequence[WireMessage]) -> list[Item]:
    reader = MessageReader()
    items: list[Item] = []
    for place, message in enumerate(messages):
        items += reader.read(place, message)
    return items


def _sampling(request: ChatRequest) -> Sampling:
    return Sampling(
        temperature=request.temperature,
        top_p=request.top_p,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        seed=request.seed,
        logit_bias=request.logit_bias,
        n=request.n,
        logprobs=request.logprobs,
        top_logprobs=request.top_logprobs,
    )


def _output(request: ChatRequest) -> OutputFormat | None:
    wanted = request.response_format
    verbosity = request.verbosity or (request.text.verbosity if request.text else None)
    if wanted is None or wanted.type == "text":
        return OutputFormat(verbosity=verbosity) if verbosity else None
    if wanted.type == "json_object":
        return OutputFormat(kind="json_object", verbosity=verbosity)
    if wanted.type != "json_schema":
        raise InvalidRequest(
            "Invalid request: `response_format.type` must be text, json_object or json_schema",
            param="response_format",
        )
    told = wanted.json_schema or _JsonSchema()
    return OutputFormat(
        kind="json_schema",
        name=told.name,
        schema=told.schema,
        strict=told.strict,
        description=told.description,
        verbosity=verbosity,
    )
