"""The format with what a request's URL says of it (client API spec, 10.8).

    POST /v1beta/models/{model}:{method}?alt=sse

The model stands in the path, and may hold slashes; whether to stream is the method's name; how the
stream is framed is a query parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import attrs

from ppap_core.conversation import Conversation
from ppap_core.errors import RequestError
from ppap_core.wire import Framing, JsonBody, Peek, StreamGuard

from . import request_decoder
from .array_framing import KEEP_ALIVE, ArrayFraming
from .counting import asked_about
from .format import GeminiFormat
from .guard import ArrayGuard

GENERATE: Final = "generateContent"
STREAM: Final = "streamGenerateContent"
COUNT: Final = "countTokens"


class MethodNotFound(RequestError):
    status = 404
    code = "NOT_FOUND"


@attrs.frozen
class Address:
    """What stands in a URL. ``alt`` is empty for the usual framing, server-sent events."""

    model: str
    method: str
    alt: str = ""


def read_address(path: str, query: Mapping[str, str], below: str) -> Address:
    """The address in a path as the client sent it. Raises `MethodNotFound`.

    Without ``alt`` a stream is one of events, though Google's own API would send an array: every
    client that wants an array says so, and not every one that wants events does.
    """
    model, colon, method = unquote(path).removeprefix(below).strip("/").rpartition(":")
    model = request_decoder.model_of(model)
    if not colon or not model or not method or ":" in model:
        raise MethodNotFound(f"{unquote(path)} not found; use {below}/MODEL:{GENERATE}")
    alt = query.get("alt") or query.get("$alt") or ""
    return Address(model, method, "" if alt == "sse" else alt)


class AddressedGemini(GeminiFormat):
    """`GEMINI` for one request, whose model and manner are known."""

    def __init__(self, address: Address) -> None:
        self._model = address.model
        self._streams = address.method == STREAM

    def peek(self, body: JsonBody) -> Peek:
        return Peek(self._model, self._streams, request_decoder.peek_intent(body))

    def decode_request(self, body: JsonBody) -> Conversation:
        read = request_decoder.decode_request(asked_about(body))
        return attrs.evolve(read, model=self._model, stream=self._streams)


class ArrayGemini(AddressedGemini):
    """The same, for a client that wants its stream as a JSON array."""

    stream_media_type = "application/json"
    keep_alive = KEEP_ALIVE

    def framing(self) -> Framing:
        return ArrayFraming()

    def stream_guard(self) -> StreamGuard:
        return ArrayGuard()


def addressed(address: Address) -> AddressedGemini:
    """The format for a request to this address."""
    return ArrayGemini(address) if address.method == STREAM and address.alt else AddressedGemini(address)
