"""Embeddings: passed on as they are to upstreams that make them (client API spec, 3)."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import msgspec

from ppap_core.conversation import Conversation, ErrorDetail, Reply
from ppap_core.errors import InvalidRequest, MalformedReply
from ppap_core.wire import EncodedRequest, JsonBody, Peek, RelayedReply, StreamEncoder, StreamPath, Target

from .chat.errors import error_body
from .chat.name import FAMILY
from .responses.usage import read_usage

PATH: Final = "/embeddings"
NOT_SUPPORTED: Final = "Embeddings are not supported by any upstream of this model"


class _Answer(msgspec.Struct):
    model: str | None = None
    usage: Any = None


_answer: Final = msgspec.json.Decoder(_Answer).decode


class Embeddings:
    """A `ClientWire` and `RelayWire`. No other format has words for it, so it is never translated."""

    name = "openai-embeddings"
    family = FAMILY
    stream_media_type = "application/json"
    keep_alive = b""

    def peek(self, body: JsonBody) -> Peek:
        return Peek(body.text("model"), stream=False)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return EncodedRequest(body.edited({"model": msgspec.json.encode(target.model)}))

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        """The upstream's own bytes, under the model name that the client knows."""
        try:
            answer = _answer(body)
            if answer.model is not None and client_model != target.model:
                body = JsonBody(body).edited({"model": msgspec.json.encode(client_model)})
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidRequest):
            raise MalformedReply("The upstream's answer is not a JSON object") from None
        return RelayedReply(body=body, usage=read_usage(answer.usage) if answer.usage is not None else None)

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)

    def decode_request(self, body: JsonBody) -> NoReturn:
        raise InvalidRequest(NOT_SUPPORTED)

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes:
        raise AssertionError(NOT_SUPPORTED)

    def stream_encoder(self, conversation: Conversation) -> StreamEncoder:
        raise AssertionError(NOT_SUPPORTED)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath:
        raise AssertionError(NOT_SUPPORTED)


EMBEDDINGS: Final = Embeddings()
