"""Compaction of a conversation: an operation of upstreams, passed on as it is (client API spec, 10.4)."""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody, Peek, Target

from .codec import Responses

OPERATION: Final = "/responses/compact"
"""The operation's name, and its path below an upstream's base URL."""


class CompactResponses(Responses):
    """What clients of `OPERATION` speak: Responses, but for the stream."""

    def peek(self, body: JsonBody) -> Peek:
        peek = super().peek(body)
        if peek.stream:
            raise InvalidRequest("Streaming not supported for compact responses", param="stream")
        return peek


COMPACT: Final = CompactResponses()


def compact_body(body: JsonBody, target: Target) -> bytes:
    """The client's own bytes for `target`, without ``stream``, which upstreams refuse."""
    return body.edited({"model": msgspec.json.encode(target.model), "stream": None})
