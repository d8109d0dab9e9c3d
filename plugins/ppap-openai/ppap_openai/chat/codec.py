"""The Chat Completions wire format: its contract with the core, each part in a module of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ppap_core.conversation import Conversation, ErrorDetail, Reply
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

from .effort import peeked_effort
from .errors import error_body, read_error
from .guard import ChatGuard
from .mender import ChatMender
from .name import FAMILY, FORMAT, PROTOCOL
from .relay import ChatRelay, enforced, patch_request, relay_of, relay_reply
from .reply import read_reply, write_reply
from .request_decoder import read_request
from .request_encoder import write_request
from .stream_decoder import ChatStreamDecoder
from .stream_encoder import ChatStreamEncoder

KINDS: Final[Mapping[str, Kind]] = {"messages": "a list", "tools": "a list", "stream_options": "an object"}
"""What is checked of every request, also of one that is relayed without being decoded."""


class ChatCompletions:
    """A `WireFormat`. Source: https://platform.openai.com/docs/api-reference/chat and translation
    spec, B.1."""

    name = FORMAT
    family = FAMILY
    protocol = PROTOCOL
    stream_media_type = "text/event-stream"
    keep_alive = b": keep-alive\n\n"

    def peek(self, body: JsonBody) -> Peek:
        body.check(KINDS)
        return Peek(body.text("model"), body.value("stream") is True, peeked_effort(body))

    def decode_request(self, body: JsonBody) -> Conversation:
        return read_request(body)

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        return write_request(conversation, target)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return patch_request(body, target)

    def enforce(self, body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
        return enforced(body, stream=stream)

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        return read_reply(body, names)

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes:
        return write_reply(reply, conversation)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return relay_reply(body, client_model, target)

    def stream_decoder(self, names: NameMap) -> ChatStreamDecoder:
        return ChatStreamDecoder(names)

    def stream_encoder(self, conversation: Conversation) -> ChatStreamEncoder:
        return ChatStreamEncoder(conversation)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> ChatRelay:
        return relay_of(body, client_model, target)

    def stream_guard(self) -> StreamGuard:
        return ChatGuard()

    def stream_mender(self, model: str) -> StreamMender:
        return ChatMender()

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        return read_error(status, body)

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)


CHAT: Final = ChatCompletions()
