"""What holds for a codec that both writes and reads: what was written is read back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import attrs
import orjson

from ..conversation import (
    Conversation,
    ErrorDetail,
    Event,
    FinishReason,
    Message,
    Refusal,
    Reply,
    Text,
    ToolCall,
)
from ..wire import NO_NAMES, WireFormat
from .client_rules import STATUSES
from .contract import Check, Spoken, check_events, require, spoken
from .laws import holds_for_all
from .strategies import batches, event_sequences, replies
from .upstream_rules import decoded

COMMON_REASONS: Final[tuple[FinishReason, ...]] = ("stop", "length", "tool_calls")
"""Finish reasons that every format can tell apart."""


def format_checks(wire: WireFormat) -> Iterator[Check[None]]:
    """The checks that need both halves of a codec."""
    conversation = Conversation(model="some-model", format=wire.name, stream=True, include_usage=True)
    yield Check("a reply that was written is read back", partial(_reply, wire, conversation))
    yield Check("a stream that was written is read back", partial(_stream, wire, conversation))
    yield Check("keep_alive says nothing", partial(_keep_alive, wire, conversation))
    for reason in COMMON_REASONS:
        yield Check(f"finish reason {reason} is read back", partial(_finish, wire, conversation, reason))
    for status in STATUSES:
        yield Check(f"an error that was told is read back [{status}]", partial(_error, wire, status))


def _text(reply: Reply) -> str:
    parts = [part for item in reply.items if isinstance(item, Message) for part in item.parts]
    return "".join(part.text for part in parts if isinstance(part, Text | Refusal))


def _calls(reply: Reply) -> list[tuple[str, object]]:
    calls = [item for item in reply.items if isinstance(item, ToolCall)]
    return [(call.name, _arguments(call.arguments)) for call in calls]


def _arguments(text: str) -> object:
    """What the text of a call's arguments stands for; the text itself when it is not JSON."""
    try:
        return orjson.loads(text or "{}")
    except ValueError:
        return text


def _reply(wire: WireFormat, conversation: Conversation) -> None:
    asked = attrs.evolve(conversation, stream=False)

    def read_back(reply: Reply) -> None:
        again = wire.decode_reply(wire.encode_reply(reply, asked), NO_NAMES)
        require(_text(again) == _text(reply), f"text {_text(reply)!r} is read back as {_text(again)!r}")
        require(_calls(again) == _calls(reply), f"calls {_calls(reply)} are read back as {_calls(again)}")

    holds_for_all(replies(), read_back)


def _written(wire: WireFormat, conversation: Conversation, feeds: list[list[Event]]) -> list[bytes]:
    encoder = wire.stream_encoder(conversation)
    return [encoder.feed(events) for events in feeds]


def _stream(wire: WireFormat, conversation: Conversation) -> None:
    def read_back(feeds: list[list[Event]]) -> None:
        told = spoken([event for events in feeds for event in events])
        events = decoded(wire, _written(wire, conversation, feeds))
        check_events(events)
        _same_words(told, spoken(events))

    holds_for_all(event_sequences().flatmap(batches), read_back, examples=200)


def _same_words(told: Spoken, heard: Spoken) -> None:
    require(heard.text == told.text, f"text {told.text!r} is read back as {heard.text!r}")
    require((told.error is None) == (heard.error is None), "an error is lost, or made up")
    require(told.finish is None or heard.finish is not None, "Finish is lost")
    if told.error is not None:
        return
    require(told.finish is not None or heard.finish is None, "a stream cut short is read as finished")
    before, after = _sorted_calls(told), _sorted_calls(heard)
    require(before == after, f"calls {before} are read back as {after}")


def _sorted_calls(said: Spoken) -> list[tuple[str, str]]:
    return sorted((call.name, str(_arguments(call.arguments))) for call in said.calls.values())


def _keep_alive(wire: WireFormat, conversation: Conversation) -> None:
    """Between any two writes a client may get one: silence on a long thought ends connections (pain 17)."""

    def ignored(feeds: list[list[Event]]) -> None:
        writes = _written(wire, conversation, feeds)
        plain = spoken(decoded(wire, writes))
        kept_alive = [part for write in writes for part in (wire.keep_alive, write)]
        require(spoken(decoded(wire, kept_alive)) == plain, "keep_alive changes what a stream says")

    holds_for_all(event_sequences().flatmap(batches), ignored, examples=50)


def _finish(wire: WireFormat, conversation: Conversation, reason: FinishReason) -> None:
    items: list[Message | ToolCall] = [Message(role="assistant", parts=(Text("Hello"),))]
    if reason == "tool_calls":
        items.append(ToolCall(call_id="call_1", name="look_up", arguments="{}"))
    reply = Reply(items=items, finish=reason)
    again = wire.decode_reply(wire.encode_reply(reply, conversation), NO_NAMES)
    require(again.finish == reason, f"{reason} is read back from a reply as {again.finish}")


def _error(wire: WireFormat, status: int) -> None:
    told = ErrorDetail(message="It does not work today", status=status)
    heard = wire.decode_error(status, wire.encode_error(told))
    require(heard.message == told.message, f"the message is read back as {heard.message!r}")
    require(heard.status == status, f"status {status} is read back as {heard.status}")
