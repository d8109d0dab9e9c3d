"""What a codec owes to the providers whose upstreams speak its format: the contract of `UpstreamWire`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from hypothesis import strategies as st

from ..conversation import (
    FINISH_REASONS,
    Conversation,
    Delta,
    Event,
    Finish,
    ItemKey,
    ItemStart,
    StreamError,
)
from ..errors import InvalidRequest, MalformedReply, MalformedStream, UpstreamFault
from ..wire import NO_NAMES, ClientWire, JsonBody, Target, UpstreamWire
from .contract import Check, check_events, require
from .laws import holds_for_all
from .strategies import conversations, cut_up, damaged
from .traffic import Traffic

TARGET = Target(model="upstream-model")


def upstream_checks(wire: UpstreamWire, traffic: Traffic) -> Iterator[Check[None]]:
    """The checks of everything an `UpstreamWire` promises."""
    if isinstance(wire, ClientWire):
        for name, body in traffic.requests.items():
            yield Check(f"a request of its own is asked again [{name}]", partial(_asked_again, wire, body))
    yield Check("any conversation is asked or refused", partial(_conversations, wire))
    for name, body in traffic.replies.items():
        yield Check(f"a reply is read [{name}]", partial(_reply, wire, body))
        yield Check(f"a damaged reply is read or reported [{name}]", partial(_damaged_reply, wire, body))
    yield Check("any bytes are read as a reply or reported", partial(_any_reply, wire))
    for name, stream in {**traffic.streams, **traffic.stream_errors}.items():
        yield Check(f"any cut of a stream gives the same events [{name}]", partial(_cut, wire, stream))
        yield Check(f"a damaged stream is read or reported [{name}]", partial(_damaged_stream, wire, stream))
    for name, stream in traffic.streams.items():
        yield Check(f"a stream is read to its end [{name}]", partial(_complete, wire, stream))
        yield Check(f"a stream cut short never finishes [{name}]", partial(_cut_short, wire, stream))
    for name, stream in traffic.stream_errors.items():
        yield Check(f"an in-band error is seen [{name}]", partial(_in_band, wire, stream))
    yield Check("any bytes are read as a stream or reported", partial(_any_stream, wire))
    for name, (status, body) in traffic.errors.items():
        yield Check(f"an error is read [{name}]", partial(_error, wire, status, body))
    yield Check("any error answer is read", partial(_any_error, wire))


# --- requests -----------------------------------------------------------------------------------


def _asked_again(wire: UpstreamWire, body: bytes) -> None:
    assert isinstance(wire, ClientWire)
    conversation = wire.decode_request(JsonBody(body))
    encoded = wire.encode_request(conversation, TARGET)
    again = wire.decode_request(JsonBody(encoded.body))
    require(again.model == TARGET.model, f"asks for model {again.model!r}, not for the target's")
    require(again.stream == conversation.stream, "does not ask for a stream as the client did")
    before = [encoded.names.client_name(tool.name) for tool in again.tools]
    require(
        before == [tool.name for tool in conversation.tools],
        f"tools are {before} after a way through the format",
    )


def _conversations(wire: UpstreamWire) -> None:
    def asked(conversation: Conversation) -> None:
        try:
            encoded = wire.encode_request(conversation, TARGET)
        except InvalidRequest as refusal:
            require(bool(refusal.detail.message), "InvalidRequest says nothing")
            return
        require(bool(encoded.body), "encode_request gives an empty body")

    holds_for_all(conversations(), asked)


# --- replies ------------------------------------------------------------------------------------


def _reply(wire: UpstreamWire, body: bytes) -> None:
    reply = wire.decode_reply(body, NO_NAMES)
    require(reply.finish in FINISH_REASONS, f"no canonical finish reason: {reply.finish!r}")
    require(bool(reply.items), "a healthy reply has no items")


def _read_or_reported(wire: UpstreamWire, body: bytes) -> None:
    try:
        wire.decode_reply(body, NO_NAMES)
    except MalformedReply as error:
        require(not _leaks(body, str(error)), "the message of MalformedReply holds upstream bytes")
    except UpstreamFault:
        pass


def _leaks(body: bytes, message: str) -> bool:
    """Whether a message repeats what the upstream sent; short words may meet by chance."""
    text = body.decode("utf-8", "replace").strip()
    return len(text) > 30 and text[:30] in message


def _damaged_reply(wire: UpstreamWire, body: bytes) -> None:
    holds_for_all(damaged(body), partial(_read_or_reported, wire), examples=150)


def _any_reply(wire: UpstreamWire) -> None:
    likely = st.sampled_from([b"", b"null", b"[]", b"{}", b'"text"', b"\xff", b"<html>"])
    holds_for_all(likely | st.binary(max_size=60), partial(_read_or_reported, wire))


# --- streams ------------------------------------------------------------------------------------


def decoded(wire: UpstreamWire, reads: Sequence[bytes]) -> list[Event]:
    """All events of a stream that comes in these reads. Raises `MalformedStream`."""
    decoder = wire.stream_decoder(NO_NAMES)
    events: list[Event] = []
    for read in reads:
        events += decoder.feed(read)
    return events + decoder.close()


def _cut(wire: UpstreamWire, stream: bytes) -> None:
    expected = decoded(wire, [stream])
    check_events(expected)
    single = decoded(wire, [stream[place : place + 1] for place in range(len(stream))])
    require(single == expected, "byte by byte, the stream gives other events than in one read")

    def same(reads: list[bytes]) -> None:
        events = decoded(wire, reads)
        require(events == expected, f"cut into reads of {list(map(len, reads))} bytes: other events")

    holds_for_all(cut_up(stream), same)


def _complete(wire: UpstreamWire, stream: bytes) -> None:
    events = decoded(wire, [stream])
    require(any(isinstance(event, Finish) for event in events), "a healthy stream gives no Finish")
    require(not any(isinstance(event, StreamError) for event in events), "a healthy stream gives an error")
    check_events(events)


def _told(events: Sequence[Event], choice: int) -> str:
    """All text of one choice, whatever kind it is."""
    mine: set[ItemKey] = {e.key for e in events if isinstance(e, ItemStart) and e.choice == choice}
    return "".join(e.text for e in events if isinstance(e, Delta) and e.key in mine)


def _cut_short(wire: UpstreamWire, stream: bytes) -> None:
    """A `Finish` before all was said would pass half an answer off as a whole one (pain 13)."""
    whole = decoded(wire, [stream])

    def unfinished(length: int) -> None:
        try:
            events = decoded(wire, [stream[:length]])
        except MalformedStream:
            return
        check_events(events)
        for event in events:
            if isinstance(event, Finish):
                require(
                    _told(events, event.choice) == _told(whole, event.choice),
                    f"the first {length} of {len(stream)} bytes finish before all was said",
                )

    for length in range(0, len(stream), max(1, len(stream) // 300)):
        unfinished(length)


def _in_band(wire: UpstreamWire, stream: bytes) -> None:
    errors = [event for event in decoded(wire, [stream]) if isinstance(event, StreamError)]
    require(len(errors) == 1, f"{len(errors)} StreamErrors, not one")
    require(400 <= errors[0].error.status <= 599, f"status {errors[0].error.status} is no error")


def _damaged_stream(wire: UpstreamWire, stream: bytes) -> None:
    holds_for_all(damaged(stream), partial(_stream_or_reported, wire), examples=150)


def _stream_or_reported(wire: UpstreamWire, stream: bytes) -> None:
    try:
        events = decoded(wire, [stream])
    except MalformedStream as error:
        require(not _leaks(stream, str(error)), "the message of MalformedStream holds upstream bytes")
        return
    check_events(events)


def _any_stream(wire: UpstreamWire) -> None:
    likely = st.sampled_from([b"", b"\n\n", b"data: {}\n\n", b"data: null\n\n", b"data: [1]\n\n", b"<html>"])
    holds_for_all(likely | st.binary(max_size=60), partial(_stream_or_reported, wire))


# --- errors -------------------------------------------------------------------------------------


def _error(wire: UpstreamWire, status: int, body: bytes) -> None:
    detail = wire.decode_error(status, body)
    require(detail.status == status, f"status {status} is read as {detail.status}")
    require(bool(detail.message), "the error has no message")


def _any_error(wire: UpstreamWire) -> None:
    def read(answer: tuple[int, bytes]) -> None:
        detail = wire.decode_error(*answer)
        require(bool(detail.message), f"no message for status {answer[0]}")
        require(400 <= detail.status <= 599, f"status {answer[0]} is read as {detail.status}")

    bodies = st.sampled_from([b"", b"null", b"[]", b'{"error": null}', b'{"error": "x"}', b'{"error": {}}'])
    answers = st.tuples(st.integers(400, 599), bodies | st.binary(max_size=60))
    holds_for_all(answers, read)
