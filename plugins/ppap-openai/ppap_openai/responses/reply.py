"""A whole response, read and written (translation spec, B.2.2, A.2.6)."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from ppap_core.conversation import Conversation, Reply
from ppap_core.conversation.collect import ReplyCollector, events_of
from ppap_core.errors import MalformedReply, UpstreamFault
from ppap_core.wire import NameMap

from .errors import read_in_band
from .name import FORMAT, JsonObject
from .stream_decoder import ResponsesStreamDecoder
from .stream_encoder import ResponsesStreamEncoder


def read_response(body: bytes) -> JsonObject:
    """The body of a 200. Raises `UpstreamFault` for a failure told in it, else `MalformedReply`."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise MalformedReply(
            f"openai-responses: the upstream's answer of {len(body)} bytes is not a JSON object"
        )
    if value.get("error") or value.get("status") == "failed" or value.get("type") == "error":
        raise UpstreamFault(read_in_band(value), body)
    if not isinstance(value.get("output"), list):
        raise MalformedReply("openai-responses: the upstream's answer has no `output`")
    return value


def read_reply(body: bytes, names: NameMap) -> Reply:
    """The canonical reply: what a stream of the same items would have said. Raises like `read_response`."""
    response = read_response(body)
    collector = ReplyCollector()
    collector.add(ResponsesStreamDecoder(names).whole(response))
    tier = response.get("service_tier")
    return attrs.evolve(collector.reply(), service_tier=tier if isinstance(tier, str) else None)


def write_reply(reply: Reply, conversation: Conversation) -> bytes:
    """The response that a stream of the same items would have ended with."""
    encoder = ResponsesStreamEncoder(conversation)
    encoder.feed(events_of(reply))
    tier = {"service_tier": reply.service_tier} if reply.service_tier is not None else {}
    return msgspec.json.encode({**encoder.response(), **tier, **reply.extras.get(FORMAT, {})})
