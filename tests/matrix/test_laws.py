"""What holds for every format, and for every pair of them, whatever is said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import permutations, product
from typing import Any, Final

import attrs
import ppap_claude.testing
import ppap_gemini.testing
import ppap_openai.testing
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ppap_codex.dialect import CODEX
from ppap_openai.responses import testing as responses_testing

from ppap_core.conversation import Conversation, Event, Message, Reply, Text, Usage
from ppap_core.errors import InvalidRequest, MalformedReply, MalformedStream, UpstreamFault
from ppap_core.testing import Traffic, spoken
from ppap_core.testing.strategies import (
    altered_json,
    batches,
    conversations,
    cut_up,
    damaged,
    event_sequences,
    replies,
)
from ppap_core.wire import NO_NAMES, JsonBody, Target, WireFormat
from ppap_core.wire.translate import Translation

from .formats import GUARDED

WIRES: Final[Mapping[str, WireFormat]] = GUARDED  # type: ignore[assignment]

TRAFFIC: Final[Mapping[str, Traffic]] = {
    "chat": ppap_openai.testing.TRAFFIC,
    "responses": responses_testing.TRAFFIC,
    "messages": ppap_claude.testing.TRAFFIC,
    "gemini": ppap_gemini.testing.TRAFFIC,
}
TARGET: Final = Target(model="upstream-model")
EACH: Final = pytest.mark.parametrize("wire", WIRES.values(), ids=list(WIRES))
EACH_PAIR: Final = pytest.mark.parametrize(("client", "upstream"), list(product(WIRES, WIRES)))
few: Final = settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


# --- identity on what a format can express --------------------------------------------------------


@EACH
@few
@given(conversation=conversations())
def test_a_request_that_a_format_can_express(wire: WireFormat, conversation: Conversation) -> None:
    """What was once said in a format is read and said again without a change."""
    said = through_request(wire, conversation)
    assert through_request(wire, said) == said


@EACH
@few
@given(reply=replies())
def test_an_answer_that_a_format_can_express(wire: WireFormat, reply: Reply) -> None:
    """The same of answers."""
    said = through_reply(wire, attrs.evolve(reply, id="r1", created=1, model="m"))
    assert through_reply(wire, said) == said


def through_request(wire: WireFormat, conversation: Conversation) -> Conversation:
    target = Target(model=conversation.model)
    return wire.decode_request(JsonBody(wire.encode_request(conversation, target).body))


def through_reply(wire: WireFormat, reply: Reply) -> Reply:
    asked = Conversation(model="m", format="elsewhere")
    return wire.decode_reply(wire.encode_reply(reply, asked), NO_NAMES)


# --- streams from one format to another -----------------------------------------------------------


@EACH_PAIR
@few
@given(data=st.data())
def test_interleaved_calls_never_mix(client: str, upstream: str, data: st.DataObject) -> None:
    """Between any two formats, however it is cut: the same words, the same calls (pain 22)."""
    events = data.draw(event_sequences().flatmap(batches))
    sent = b"".join(written(WIRES[upstream], events))
    told = heard(WIRES[upstream], [sent])
    path = Translation(
        WIRES[upstream].stream_decoder(NO_NAMES),
        WIRES[client].stream_encoder(Conversation(model="m", format="elsewhere", stream=True)),
    )
    got = [path.feed(read) for read in data.draw(cut_up(sent))]
    again = heard(WIRES[client], [*got, path.close()])
    assert again.text == told.text
    if told.error is None and told.finish is not None:
        assert calls_of(again) == calls_of(told)


def written(wire: WireFormat, feeds: Sequence[Sequence[Event]]) -> list[bytes]:
    encoder = wire.stream_encoder(Conversation(model="m", format="elsewhere", stream=True))
    return [encoder.feed(events) for events in feeds]


def heard(wire: WireFormat, reads: Sequence[bytes]) -> Any:
    decoder = wire.stream_decoder(NO_NAMES)
    return spoken([event for read in reads for event in decoder.feed(read)] + decoder.close())


def calls_of(said: Any) -> list[tuple[str, Any]]:
    """Names and arguments; formats that make all calls whole may tell them in another order."""
    told = [(call.name, json.loads(call.arguments or "{}")) for call in said.calls.values()]
    return sorted(told, key=str)


# --- usage ----------------------------------------------------------------------------------------


@st.composite
def counts(draw: st.DrawFn) -> Usage:
    """As upstreams count: parts are not more than the whole; any part may be unknown."""
    uncached, read, write, words, thoughts = (draw(st.integers(0, 10**6)) for _ in range(5))
    return Usage(
        input_total=uncached + read + write,
        cache_read=read,
        cache_write=write or draw(st.sampled_from([0, None])),
        output_total=words + thoughts,
        reasoning=thoughts,
    )


@EACH_PAIR
@few
@given(usage=counts())
def test_usage_adds_up(client: str, upstream: str, usage: Usage) -> None:
    """Uncached, cache-read and cache-write tokens are disjoint on any way, and totals add up (pain 30)."""
    reply = Reply(items=[Message(role="assistant", parts=(Text("x"),))], finish="stop", usage=usage)
    reported = through_reply(WIRES[upstream], reply)
    told = through_reply(WIRES[client], reported).usage
    assert told is not None
    assert (told.input_total, told.output_total) == (usage.input_total, usage.output_total)
    assert (told.cache_read or 0) == usage.cache_read  # Gemini leaves zeros out
    assert told.cache_write in (usage.cache_write, 0, None)
    assert told.uncached_input is not None
    assert told.uncached_input + (told.cache_read or 0) + (told.cache_write or 0) == told.input_total
    assert told.billed_total == (usage.input_total or 0) + (usage.output_total or 0)
    assert told.reasoning in (usage.reasoning, None)


# --- nothing but declared errors ------------------------------------------------------------------


@EACH_PAIR
@few
@given(data=st.data())
def test_odd_requests(client: str, upstream: str, data: st.DataObject) -> None:
    """A request in which anything may be wrong is refused, or asked of any upstream."""
    body = data.draw(st.sampled_from([*TRAFFIC[client].requests.values()]).flatmap(altered_json))
    try:
        conversation = WIRES[client].decode_request(JsonBody(body))
        for wire in (WIRES[upstream], CODEX):
            json.loads(wire.encode_request(conversation, TARGET).body)
    except InvalidRequest:
        pass


@pytest.mark.parametrize(("said", "listens"), list(permutations(WIRES, 2)))
@few
@given(data=st.data())
def test_words_of_another_format(said: str, listens: str, data: st.DataObject) -> None:
    """What is sent to the wrong door, or damaged on the way, is reported and never crashes."""
    traffic, wire = TRAFFIC[said], WIRES[listens]
    request = data.draw(st.sampled_from([*traffic.requests.values()]))
    reply = data.draw(st.sampled_from([*traffic.replies.values()]).flatmap(damaged))
    stream = data.draw(st.sampled_from([*traffic.streams.values()]).flatmap(damaged))
    try:
        wire.decode_request(JsonBody(request))
    except InvalidRequest:
        pass
    try:
        wire.decode_reply(reply, NO_NAMES)
    except (MalformedReply, UpstreamFault):
        pass
    try:
        heard(wire, data.draw(cut_up(stream)))
    except MalformedStream:
        pass
