"""The format as the core sees it: one object, without state."""

from __future__ import annotations

from typing import Final

from ppap_core.conversation import Conversation, ErrorDetail, Reply
from ppap_core.wire import (
    EncodedRequest,
    JsonBody,
    NameMap,
    Peek,
    RelayedReply,
    StreamDecoder,
    StreamEncoder,
    StreamGuard,
    StreamMender,
    StreamPath,
    Target,
)

from . import reply, request_decoder, request_encoder, request_relay
from .errors import error_body, read_error
from .guard import MessagesGuard
from .mender import MessagesMender
from .stream_decoder import MessagesStreamDecoder
from .stream_encoder import PING, MessagesStreamEncoder
from .stream_relay import MessagesRelay
from .vocabulary import NAME


class MessagesFormat:
    """`ppap_core.wire.WireFormat` for Anthropic Messages."""

    name = NAME
    protocol = "claude"
    stream_media_type = "text/event-stream"
    keep_alive = PING

    def peek(self, body: JsonBody) -> Peek:
        return request_decoder.peek(body)

    def decode_request(self, body: JsonBody) -> Conversation:
        return request_decoder.decode_request(body)

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        return request_encoder.encode_request(conversation, target)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return request_relay.patch_request(body, target)

    def enforce(self, body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
        return request_relay.enforced(body, target, stream=stream)

    def encode_reply(self, answer: Reply, conversation: Conversation) -> bytes:
        return reply.encode_reply(answer, conversation)

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        return reply.decode_reply(body, names)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return reply.relay_reply(body, client_model, target)

    def stream_encoder(self, conversation: Conversation) -> StreamEncoder:
        return MessagesStreamEncoder(conversation)

    def stream_decoder(self, names: NameMap) -> StreamDecoder:
        return MessagesStreamDecoder(names)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath:
        return MessagesRelay(client_model, target)

    def stream_guard(self) -> StreamGuard:
        return MessagesGuard()

    def stream_mender(self, model: str) -> StreamMender:
        return MessagesMender(model)

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        return read_error(body, status)


MESSAGES: Final = MessagesFormat()
