"""Whole answers passed on in their own format (translation spec, 0.4, C.14, C.18)."""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.errors import MalformedReply
from ppap_core.wire import RelayedReply, Target
from ppap_core.wire.sse import frames, payload

from .repair import Items, model_text, repaired
from .reply import read_response
from .stream_decoder import ENDS
from .stream_relay import ResponsesRelay
from .usage import usage_of
from .wire_event import ABSENT


class _LastEvent(msgspec.Struct):
    type: str = ""
    response: msgspec.Raw = ABSENT


_decode: Final = msgspec.json.Decoder(_LastEvent).decode


def relay_reply(body: bytes, client_model: str, target: Target) -> RelayedReply:
    """The upstream's own bytes, under the model name that the client knows. Raises like `read_response`."""
    response = read_response(body)
    model = model_text(client_model, target.model)
    return RelayedReply(body=repaired(body, Items(), model), usage=usage_of(response))


def whole_of(stream: bytes) -> bytes:
    """The response in the last event of a relayed stream. Raises `MalformedReply`."""
    for frame in reversed(frames(stream)):
        told = _last(payload(frame))
        if told.type in ENDS:
            return bytes(told.response)
    raise MalformedReply("openai-responses: the upstream's stream has no last event")


def _last(data: bytes) -> _LastEvent:
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _LastEvent()


def relay_of(client_model: str, target: Target) -> ResponsesRelay:
    return ResponsesRelay(model_text(client_model, target.model))
