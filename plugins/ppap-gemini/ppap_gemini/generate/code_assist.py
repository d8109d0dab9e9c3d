"""Code Assist: the format in an envelope, for Gemini CLI and for the service it logs in to (Gemini spec, 1).

The model stands in the envelope. So does the project of the account that is asked: its provider adds
that with `envelope.for_project`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import msgspec

from ppap_core.conversation import Conversation, ErrorDetail, Event, Reply
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
    StreamPath,
    Target,
)

from . import reply, request_decoder, request_encoder, request_relay
from .chunk import read_enveloped
from .envelope import NAME, REQUEST, closed, closed_frames, inner
from .format import GEMINI
from .guard import CodeAssistGuard
from .siblings import TO_ENVELOPED
from .spelling import camel_case
from .stream_decoder import GeminiStreamDecoder
from .stream_relay import GeminiRelay


class CodeAssistFormat:
    """`ppap_core.wire.WireFormat` for ``generateContent`` of Code Assist."""

    name = NAME
    family = GEMINI.family
    protocol = GEMINI.protocol
    envelope = REQUEST
    stream_media_type = GEMINI.stream_media_type
    keep_alive = GEMINI.keep_alive
    _streams = False

    def peek(self, body: JsonBody) -> Peek:
        raw = body.raw(REQUEST)
        intent = request_decoder.peek_intent(JsonBody(raw)) if raw and raw.startswith(b"{") else None
        model = request_decoder.model_of(body.text("model"))
        return Peek(model, self._streams) if intent is None else Peek(model, self._streams, intent)

    def decode_request(self, body: JsonBody) -> Conversation:
        read = request_decoder.decode_request(inner(body))
        model = request_decoder.model_of(body.text("model"))
        return attrs.evolve(read, format=self.name, model=model, stream=self._streams)

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        fields, names = request_encoder.request_fields(conversation, target)
        # In one go: a long request is not copied into its envelope.
        return EncodedRequest(msgspec.json.encode({"model": target.model, REQUEST: fields}), names)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        """Model, thinking, and what the service would refuse; all else is between the two of them."""
        request = inner(body)
        spelt = camel_case(request)
        changes = request_relay.changes_for(spelt, target)
        told: dict[str, bytes | None] = {"model": msgspec.json.encode(target.model)}
        if changes or spelt is not request:
            told[REQUEST] = spelt.edited(changes) if changes else spelt.data
        return EncodedRequest(body.edited(told))

    def enforce(self, body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
        """Turns that the API takes (Gemini spec, 4.1); whether to stream stands in the URL."""
        return self.patch_request(body, target)

    def relay_from(self, client: str) -> RelayWire | None:
        """Clients of the bare format get theirs as it is in the envelope (11.1)."""
        return TO_ENVELOPED if client == GEMINI.name else None

    def encode_reply(self, answer: Reply, conversation: Conversation) -> bytes:
        return closed(GEMINI.encode_reply(answer, conversation))

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        return reply.decode_reply(body, names, read_enveloped)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return reply.relay_reply(body, read_enveloped)

    def stream_encoder(self, conversation: Conversation) -> StreamEncoder:
        return _EnvelopedEncoder(GEMINI.stream_encoder(conversation))

    def stream_decoder(self, names: NameMap) -> StreamDecoder:
        return GeminiStreamDecoder(names, read_enveloped)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath:
        return GeminiRelay(inner(body), read_enveloped)

    def stream_guard(self) -> StreamGuard:
        return CodeAssistGuard()

    def encode_error(self, error: ErrorDetail) -> bytes:
        return GEMINI.encode_error(error)

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        return GEMINI.decode_error(status, body)

    def retells(self, status: int, body: bytes) -> bool:
        return GEMINI.retells(status, body)


class StreamingCodeAssist(CodeAssistFormat):
    """The same for a request whose URL asks for a stream."""

    _streams = True


class _EnvelopedEncoder:
    """See `ppap_core.wire.StreamEncoder`."""

    def __init__(self, encoder: StreamEncoder) -> None:
        self._encoder = encoder

    def feed(self, events: Sequence[Event]) -> bytes:
        return closed_frames(self._encoder.feed(events))


CODE_ASSIST: Final = CodeAssistFormat()
STREAMING_CODE_ASSIST: Final = StreamingCodeAssist()
