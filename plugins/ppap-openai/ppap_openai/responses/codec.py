"""The Responses wire format: its contract with the core, each part in a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ppap_core.conversation import Conversation, ErrorDetail, Reply, ThinkingIntent
from ppap_core.errors import InvalidRequest
from ppap_core.wire import (
    EncodedRequest,
    JsonBody,
    Kind,
    NameMap,
    Peek,
    RelayedReply,
    StreamGuard,
    StreamMender,
    Target,
)

from ..chat.errors import error_body, read_error
from ..chat.name import FAMILY
from .guard import ResponsesGuard
from .mender import ResponsesMender
from .name import FORMAT, PROTOCOL
from .relay import relay_of, relay_reply, whole_of
from .reply import read_reply, write_reply
from .request_decoder import read_request, read_thinking
from .request_encoder import write_request
from .request_relay import patch_request
from .stream_decoder import ResponsesStreamDecoder
from .stream_encoder import ResponsesStreamEncoder
from .stream_relay import ResponsesRelay

KINDS: Final[Mapping[str, Kind]] = {
    "input": "a string or a list",
    "tools": "a list",
    "reasoning": "an object",
    "text": "an object",
}
"""What is checked of every request, also of one that is relayed without being decoded."""


class Responses:
    """A `WireFormat`. Source: https://platform.openai.com/docs/api-reference/responses and
    translation spec, B.2."""

    name = FORMAT
    family = FAMILY
    protocol = PROTOCOL
    stream_media_type = "text/event-stream"
    keep_alive = b": keep-alive\n\n"

    def peek(self, body: JsonBody) -> Peek:
        body.check(KINDS)
        return Peek(body.text("model"), body.value("stream") is True, _thinking(body))

    def decode_request(self, body: JsonBody) -> Conversation:
        return read_request(body)

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        return write_request(conversation, target)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return patch_request(body, target)

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        return read_reply(body, names)

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes:
        return write_reply(reply, conversation)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return relay_reply(body, client_model, target)

    def whole_of(self, stream: bytes) -> bytes:
        return whole_of(stream)

    def stream_decoder(self, names: NameMap) -> ResponsesStreamDecoder:
        return ResponsesStreamDecoder(names)

    def stream_encoder(self, conversation: Conversation) -> ResponsesStreamEncoder:
        return ResponsesStreamEncoder(conversation)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> ResponsesRelay:
        return relay_of(client_model, target)

    def stream_guard(self) -> StreamGuard:
        return ResponsesGuard()

    def stream_mender(self, model: str) -> StreamMender:
        return ResponsesMender()

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        return read_error(status, body)

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)


def _thinking(body: JsonBody) -> ThinkingIntent:
    value = body.value("reasoning")
    try:
        return read_thinking(value if isinstance(value, dict) else None)
    except InvalidRequest:
        return ThinkingIntent()


RESPONSES: Final = Responses()
