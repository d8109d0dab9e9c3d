"""The images routes as a format that clients speak, and some upstreams, too."""

from __future__ import annotations

from typing import Final

from ppap_core.conversation import Conversation, ErrorDetail, Reply
from ppap_core.wire import EncodedRequest, JsonBody, Peek, RelayedReply, Target

from ..chat.errors import error_body
from ..chat.name import FAMILY
from . import relay
from .action import EDIT, GENERATION, Action
from .answer import ImagesStreamEncoder, encode_reply
from .request import model_of, read_request


class ImagesFormat:
    """A `ClientWire` and `RelayWire`. Source: https://platform.openai.com/docs/api-reference/images and
    client API spec, 10.7."""

    family = FAMILY
    stream_media_type = "text/event-stream"
    keep_alive = b": keep-alive\n\n"

    def __init__(self, action: Action) -> None:
        self.action = action

    @property
    def name(self) -> str:
        return self.action.format

    def peek(self, body: JsonBody) -> Peek:
        return Peek(model_of(body), body.value("stream") is True)

    def decode_request(self, body: JsonBody) -> Conversation:
        return read_request(body, self.action)

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes:
        """Raises `UpstreamFault` for an answer without a picture."""
        return encode_reply(reply, conversation)

    def stream_encoder(self, conversation: Conversation) -> ImagesStreamEncoder:
        return ImagesStreamEncoder(self.action, conversation)

    def encode_error(self, error: ErrorDetail) -> bytes:
        return error_body(error)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return relay.patch_request(body, target)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return relay.relay_reply(body)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> relay.ImagesRelay:
        return relay.ImagesRelay(self.action)


GENERATIONS: Final = ImagesFormat(GENERATION)
EDITS: Final = ImagesFormat(EDIT)
