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
    RelayWire,
    StreamDecoder,
    StreamEncoder,
    StreamGuard,
    StreamMender,
    StreamPath,
    Target,
)

from . import reply, request_decoder, request_encoder, request_relay
from .errors import error_body, is_error, read_error
from .guard import GeminiGuard
from .mender import GeminiMender
from .siblings import FROM_ENVELOPED
from .stream_decoder import GeminiStreamDecoder
from .stream_encoder import KEEP_ALIVE, GeminiStreamEncoder
from .stream_relay import GeminiRelay
from .vocabulary import FAMILY, NAME


class GeminiFormat:
    """`ppap_core.wire.WireFormat` for Gemini's ``generateContent``."""

    name = NAME
    family = FAMILY
    protocol = "gemini"
    stream_media_type = "text/event-stream"
    keep_alive = KEEP_ALIVE

    def peek(self, body: JsonBody) -> Peek:
        return request_decoder.peek(body)

    def decode_request(self, body: JsonBody) -> Conversation:
        return request_decoder.decode_request(body)

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        return request_encoder.encode_request(conversation, target)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return request_relay.patch_request(body, target)

    def enforce(self, body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
        """Turns that the API takes (Gemini spec, 4.1); whether to stream stands in the URL."""
        return request_relay.patch_request(body, target)

    def relay_from(self, client: str) -> RelayWire | None:
        """Clients of the enveloped format get an upstream's bytes, too (Gemini spec, 11.1)."""
        return FROM_ENVELOPED if client == FROM_ENVELOPED.name else None

    def encode_reply(self, answer: Reply, conversation: Conversation) -> bytes:
        return reply.encode_reply(answer, conversation)

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        return reply.decode_reply(body, names)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return reply.relay_reply(body)

    def stream_encoder(self, conversation: Conversation) -> StreamEncoder:
        return GeminiStreamEncoder(conversation)

    def stream_decoder(self, names: NameMap) -> StreamDecoder:
        return GeminiStreamDecoder(names)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath:
        return GeminiRelay(body)

    def stream_guard(self) -> StreamGuard:
        return GeminiGuard()

    def stream_mender(self, model: str) -> StreamMender:
        return GeminiMender()

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)

    def retells(self, status: int, body: bytes) -> bool:
        """What is no error object, such as a page of HTML or a list with one, is told anew (17.1)."""
        return not is_error(body)

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        return read_error(body, status)


GEMINI: Final = GeminiFormat()
