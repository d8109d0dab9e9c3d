"""What a codec owes to the clients that speak its format: the contract of `ClientWire`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import attrs
import orjson
from hypothesis import strategies as st

from ..conversation import (
    FINISH_REASONS,
    Conversation,
    End,
    ErrorDetail,
    Event,
    Finish,
    Reply,
    Start,
    StreamError,
)
from ..errors import InvalidRequest
from ..wire import ClientWire, JsonBody
from .contract import Check, require
from .guard_rules import guard_checks, keeps_the_rules
from .laws import holds_for_all
from .strategies import altered_json, batches, event_sequences, json_values, replies
from .traffic import Traffic

STATUSES: Final = (400, 401, 402, 403, 404, 408, 409, 413, 415, 422, 429, 500, 502, 503, 504, 529)
"""Those that a client can be told."""


class _Unread(JsonBody):
    """A body that must not be decoded as a whole."""

    def decoded(self) -> dict[str, Any]:
        raise AssertionError("peek decodes the whole body; it must look at single fields only")


def client_checks(wire: ClientWire, traffic: Traffic) -> Iterator[Check[None]]:
    """The checks of everything a `ClientWire` promises."""
    for name, body in traffic.requests.items():
        yield Check(f"peek agrees with decode_request [{name}]", partial(_peek, wire, body))
        yield Check(f"an altered request is refused or understood [{name}]", partial(_altered, wire, body))
    yield Check("any JSON object is refused or understood", partial(_arbitrary, wire, traffic))
    conversation = _some_conversation(wire, traffic)
    yield Check("every reply can be written", partial(_replies, wire, conversation))
    yield Check("every legal stream can be written", partial(_streams, wire, conversation))
    yield Check("several choices can be written", partial(_choices, wire, conversation))
    for reason in FINISH_REASONS:
        finished = Finish(reason)
        yield Check(f"finish reason {reason} has a word", partial(_finish, wire, conversation, finished))
    for status in STATUSES:
        yield Check(f"an error can be told [{status}]", partial(_error, wire, status))
    yield Check("keep_alive is a frame", partial(_keep_alive, wire))
    yield from guard_checks(wire, traffic)


def _some_conversation(wire: ClientWire, traffic: Traffic) -> Conversation:
    for body in traffic.requests.values():
        return attrs.evolve(wire.decode_request(JsonBody(body)), stream=True, include_usage=True)
    return Conversation(model="some-model", format=wire.name, stream=True, include_usage=True)


def _peek(wire: ClientWire, body: bytes) -> None:
    peek = wire.peek(_Unread(body))
    conversation = wire.decode_request(JsonBody(body))
    require(
        conversation.format == wire.name,
        f"decode_request gives format {conversation.format!r}, the codec is {wire.name!r}",
    )
    told = (conversation.model, conversation.stream, conversation.thinking)
    require(
        (peek.model, peek.stream, peek.thinking) == told,
        f"peek sees {peek}, decode_request sees model, stream and thinking {told}",
    )


def _refused_or_understood(wire: ClientWire, data: bytes) -> None:
    try:
        wire.peek(JsonBody(data))
        wire.decode_request(JsonBody(data))
    except InvalidRequest as refusal:
        require(bool(refusal.detail.message), "InvalidRequest says nothing")
        require(bool(wire.encode_error(refusal.detail)), "encode_error gives no body for a refusal")


def _altered(wire: ClientWire, body: bytes) -> None:
    holds_for_all(altered_json(body), partial(_refused_or_understood, wire), examples=200)


def _arbitrary(wire: ClientWire, traffic: Traffic) -> None:
    known = sorted({key for body in traffic.requests.values() for key in orjson.loads(body)})
    keys = st.text(max_size=6) | (st.sampled_from(known) if known else st.nothing())
    objects = st.dictionaries(keys, json_values, max_size=6).map(orjson.dumps)
    holds_for_all(objects | json_values.map(orjson.dumps), partial(_refused_or_understood, wire))


def _replies(wire: ClientWire, conversation: Conversation) -> None:
    def written(reply: Reply) -> None:
        body = wire.encode_reply(reply, conversation)
        require(isinstance(body, bytes) and bool(body), f"encode_reply gives {body!r}")

    holds_for_all(replies(), written)


def _written(wire: ClientWire, conversation: Conversation, feeds: list[list[Event]]) -> bytes:
    encoder = wire.stream_encoder(conversation)
    parts = [encoder.feed(events) for events in feeds]
    require(all(isinstance(part, bytes) for part in parts), "stream_encoder.feed gives no bytes")
    ended = any(isinstance(event, Finish | StreamError) for events in feeds for event in events)
    keeps_the_rules(wire, parts, ended=ended)
    return b"".join(parts)


def _streams(wire: ClientWire, conversation: Conversation) -> None:
    cut_in_batches = event_sequences().flatmap(batches)
    holds_for_all(cut_in_batches, partial(_written, wire, conversation))


def _choices(wire: ClientWire, conversation: Conversation) -> None:
    asked = attrs.evolve(conversation, sampling=attrs.evolve(conversation.sampling, n=2))
    cut_in_batches = event_sequences(choices=2).flatmap(batches)
    holds_for_all(cut_in_batches, partial(_written, wire, asked), examples=50)


def _finish(wire: ClientWire, conversation: Conversation, finish: Finish) -> None:
    streamed = _written(wire, conversation, [[Start(), finish, End()]])
    require(bool(streamed), f"a stream that only finishes with {finish.reason} says nothing")
    require(
        bool(wire.encode_reply(Reply(finish=finish.reason), conversation)),
        f"a reply that only finishes with {finish.reason} says nothing",
    )


def _error(wire: ClientWire, status: int) -> None:
    body = wire.encode_error(ErrorDetail(message="It does not work today", status=status))
    require(b"It does not work today" in body, "encode_error leaves the message out")


def _keep_alive(wire: ClientWire) -> None:
    require(wire.keep_alive.endswith(b"\n"), f"keep_alive is no whole frame: {wire.keep_alive!r}")
