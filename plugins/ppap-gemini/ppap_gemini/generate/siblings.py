"""Passing on between the bare format and the enveloped one: only the envelope comes or goes."""

from __future__ import annotations

from typing import Final

import attrs

from ppap_core.wire import EncodedRequest, JsonBody, RelayedReply, RelayWire, StreamPath, Target

from . import reply, request_relay
from .envelope import NAME as ENVELOPED
from .envelope import Opening, closed, closed_frames, enveloped, inner, opened
from .stream_relay import GeminiRelay
from .vocabulary import NAME as BARE


class FromEnveloped:
    """For clients that send envelopes to upstreams that take none."""

    name = ENVELOPED

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return request_relay.patch_request(inner(body), target)

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        relayed = reply.relay_reply(body)
        return attrs.evolve(relayed, body=closed(relayed.body))

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath:
        return _Closing(inner(body))


class ToEnveloped:
    """For clients that send none to upstreams that want them."""

    name = BARE

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        patched = JsonBody(request_relay.patch_request(body, target).body)
        request = patched.edited({"model": None}) if "model" in patched else patched.data
        return EncodedRequest(enveloped(request, target.model))

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        return reply.relay_reply(opened(body))

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath:
        return _Opening(body)


FROM_ENVELOPED: Final[RelayWire] = FromEnveloped()
TO_ENVELOPED: Final[RelayWire] = ToEnveloped()


class _Closing(GeminiRelay):
    """What goes out is put into envelopes."""

    def feed(self, data: bytes) -> bytes:
        return closed_frames(super().feed(data))

    def close(self) -> bytes:
        return closed_frames(super().close())


class _Opening(GeminiRelay):
    """What comes in is taken out of its envelopes."""

    def __init__(self, body: JsonBody) -> None:
        super().__init__(body)
        self._opening = Opening()

    def feed(self, data: bytes) -> bytes:
        return super().feed(self._opening.feed(data))

    def close(self) -> bytes:
        return super().feed(self._opening.close()) + super().close()
