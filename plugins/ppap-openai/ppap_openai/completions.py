"""Legacy ``/v1/completions``: a prompt in, a text out (client API spec, 10.2; translation spec, B.1.6).

Only clients speak it; towards upstreams the prompt becomes one user message.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    FinishReason,
    Identity,
    ItemKey,
    ItemStart,
    Message,
    Refusal,
    Reply,
    Sampling,
    Start,
    StreamError,
    Text,
    Usage,
    UsageUpdate,
)
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody, Peek, StreamGuard
from ppap_core.wire.sse import data_frame

from .chat.errors import error_body
from .chat.finish import WORDS
from .chat.guard import CompletionsGuard
from .chat.name import FAMILY
from .chat.request_decoder import refusal
from .chat.stream_encoder import DONE_FRAME
from .chat.usage import write_usage

FORMAT: Final = "openai-completions"
EMPTY_PROMPT: Final = "Complete this:"
_ECHO: Final = "echo"
_SAID: Final = ("text", "refusal")


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class CompletionRequest(msgspec.Struct):
    """Every field that has a meaning here; the others are dropped."""

    model: str | None = None
    prompt: Any = None
    stream: Any = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: int | bool | None = None
    top_logprobs: int | None = None
    echo: bool | None = None
    suffix: str | None = None
    user: str | None = None


_decode: Final = msgspec.json.Decoder(CompletionRequest).decode


class Completions:
    """A `ClientWire`."""

    name = FORMAT
    family = FAMILY
    stream_media_type = "text/event-stream"
    keep_alive = b": keep-alive\n\n"

    def peek(self, body: JsonBody) -> Peek:
        return Peek(body.text("model"), body.value("stream") is True)

    def decode_request(self, body: JsonBody) -> Conversation:
        try:
            request = _decode(body.data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise refusal(str(error)) from None
        except RecursionError:
            raise InvalidRequest("Invalid request: the body is nested too deeply") from None
        if request.suffix:
            raise InvalidRequest(
                "Invalid request: `suffix` is not supported; chat models cannot fill in", param="suffix"
            )
        return _conversation(request)

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes:
        answers = (reply, *reply.alternatives)
        choices = [_choice(n, _text(answer, conversation), answer.finish) for n, answer in enumerate(answers)]
        written = _completion(reply.id, reply.created, conversation) | {"choices": choices}
        if reply.usage is not None:
            written["usage"] = write_usage(reply.usage)
        return msgspec.json.encode(written)

    def stream_encoder(self, conversation: Conversation) -> CompletionsStreamEncoder:
        return CompletionsStreamEncoder(conversation)

    def stream_guard(self) -> StreamGuard:
        return CompletionsGuard()

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)


COMPLETIONS: Final = Completions()


def _conversation(request: CompletionRequest) -> Conversation:
    stop = request.stop
    options = request.stream_options
    return Conversation(
        model=request.model or "",
        format=FORMAT,
        items=(Message(role="user", parts=(Text(_prompt(request.prompt)),)),),
        stream=request.stream is True,
        sampling=Sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            frequency_penalty=request.frequency_penalty,
            presence_penalty=request.presence_penalty,
            seed=request.seed,
            logit_bias=request.logit_bias,
            n=request.n,
            logprobs=None if request.logprobs is None else bool(request.logprobs),
            top_logprobs=request.top_logprobs,
        ),
        max_output_tokens=request.max_tokens,
        stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
        identity=Identity(user=request.user),
        include_usage=options is not None and options.include_usage is True,
        extras={FORMAT: {_ECHO: True}} if request.echo else {},
    )


def _prompt(prompt: Any) -> str:
    """The prompt's text; a list of texts is one text, line by line. Tokens cannot be read back."""
    if isinstance(prompt, list):
        if not all(isinstance(each, str) for each in prompt):
            raise InvalidRequest(
                "Invalid request: `prompt` must be text; token arrays are not supported", param="prompt"
            )
        prompt = "\n".join(prompt)
    if prompt is None or prompt == "":
        return EMPTY_PROMPT
    if isinstance(prompt, dict):
        raise InvalidRequest("Invalid request: `prompt` must be a string or a list of them", param="prompt")
    return prompt if isinstance(prompt, str) else msgspec.json.encode(prompt).decode()


def _echoed(conversation: Conversation) -> str:
    """What ``echo`` puts before the answer: the prompt."""
    if not conversation.extras.get(FORMAT, {}).get(_ECHO):
        return ""
    parts = (part for item in conversation.items if isinstance(item, Message) for part in item.parts)
    return next((part.text for part in parts if isinstance(part, Text)), "")


def _text(reply: Reply, conversation: Conversation) -> str:
    parts = (part for item in reply.items if isinstance(item, Message) for part in item.parts)
    said = "".join(part.text for part in parts if isinstance(part, Text | Refusal))
    return _echoed(conversation) + said


def _completion(answer_id: str | None, created: int | None, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": answer_id or f"cmpl-{uuid.uuid4().hex}",
        "object": "text_completion",
        "created": created or int(time.time()),
        "model": conversation.model,
    }


def _choice(number: int, text: str, finish: FinishReason | None) -> dict[str, Any]:
    """``finish`` is ``None`` while the choice goes on. A completion knows no tools."""
    word = None if finish is None else WORDS[finish]
    if word == "tool_calls":
        word = WORDS["stop"]
    return {"index": number, "text": text, "logprobs": None, "finish_reason": word}


class CompletionsStreamEncoder:
    """A `StreamEncoder`. Reasoning and tool calls say nothing in this format."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._echo = _echoed(conversation)
        self._frame: dict[str, Any] = {}
        self._choice_of: dict[ItemKey, int] = {}
        self._seen: set[int] = set()
        self._finishes: list[Finish] = []
        self._usage: Usage | None = None
        self._ended = False

    def feed(self, events: Sequence[Event]) -> bytes:
        written: list[bytes] = []
        for event in events:
            if not self._ended:
                self._one(event, written)
        return b"".join(written)

    def _one(self, event: Event, written: list[bytes]) -> None:
        match event:
            case Delta(key, kind, text) if kind in _SAID:
                written.append(self._chunk(self._choice_of[key], text))
            case ItemStart():
                self._choice_of[event.key] = event.choice
                self._begin(event.choice, written)
            case Start():
                self._frame = _completion(event.id, event.created, self._conversation)
            case UsageUpdate(usage):
                self._usage = self._usage.updated(usage) if self._usage else usage
            case Finish():
                self._begin(event.choice, written)
                self._finishes.append(event)
            case StreamError(error):
                written.append(data_frame(error_body(error)))
                self._ended = True
            case End():
                self._end(written)
            case _:
                pass

    def _begin(self, choice: int, written: list[bytes]) -> None:
        if not self._frame:
            self._frame = _completion(None, None, self._conversation)
        if choice not in self._seen:
            self._seen.add(choice)
            if self._echo:
                written.append(self._chunk(choice, self._echo))

    def _chunk(self, choice: int, text: str, finish: FinishReason | None = None) -> bytes:
        return self._framed(choices=[_choice(choice, text, finish)])

    def _framed(self, **fields: Any) -> bytes:
        return data_frame(msgspec.json.encode(self._frame | fields))

    def _end(self, written: list[bytes]) -> None:
        self._ended = True
        if not self._finishes or len(self._finishes) < len(self._seen):
            return  # half an answer must not look whole (pain 13)
        usage = {"usage": write_usage(self._usage)} if self._usage is not None else {}
        attached = {} if self._conversation.include_usage else usage
        *others, last = self._finishes
        written += (self._chunk(finish.choice, "", finish.reason) for finish in others)
        written.append(self._framed(choices=[_choice(last.choice, "", last.reason)], **attached))
        if self._conversation.include_usage and usage:
            written.append(self._framed(choices=[], **usage))
        written.append(DONE_FRAME)
