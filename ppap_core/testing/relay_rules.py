"""What a codec owes where client and upstream both speak its format: the contract of `RelayWire`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import attrs
import orjson

from ..conversation import ErrorDetail, Usage
from ..errors import MalformedReply, MalformedStream, UpstreamFault
from ..wire import ClientWire, JsonBody, RelayWire, StreamPath, Target
from .contract import Check, require
from .guard_rules import keeps_the_rules
from .laws import holds_for_all
from .strategies import cut_up, damaged
from .traffic import Traffic

_CUT = ErrorDetail(message="The upstream went away", status=502)


def relay_checks(wire: RelayWire, traffic: Traffic) -> Iterator[Check[None]]:
    """The checks of everything a `RelayWire` promises. Streams need a sample request."""
    if isinstance(wire, ClientWire):
        for name, body in traffic.requests.items():
            yield Check(f"a relayed request keeps its bytes [{name}]", partial(_patched, wire, body))
    for name, body in traffic.replies.items():
        yield Check(f"a relayed reply keeps its bytes [{name}]", partial(_reply, wire, body))
        yield Check(f"a damaged reply is relayed or reported [{name}]", partial(_damaged, wire, body))
    request = next(iter(traffic.requests.values()), None)
    if request is None:
        return
    body_of_client = JsonBody(request)
    for name, stream in {**traffic.streams, **traffic.stream_errors}.items():
        cut = partial(_any_cut, wire, body_of_client, stream)
        yield Check(f"any cut of a stream is relayed alike [{name}]", cut)
    for name, stream in traffic.streams.items():
        yield Check(f"a stream is relayed [{name}]", partial(_stream, wire, body_of_client, stream))
        ended = partial(_cut_short, wire, body_of_client, stream)
        yield Check(f"a stream cut short ends with an error [{name}]", ended)
        failed = partial(_failed, wire, body_of_client, stream)
        yield Check(f"a stream can be failed [{name}]", failed)
    for name, stream in traffic.stream_errors.items():
        yield Check(f"an in-band error is noticed [{name}]", partial(_in_band, wire, body_of_client, stream))


# --- requests and replies -----------------------------------------------------------------------


def _patched(wire: RelayWire, data: bytes) -> None:
    """Only the model, and one more field that a stream may need, may differ from what the client sent."""
    assert isinstance(wire, ClientWire)
    body = JsonBody(data)
    peek = wire.peek(body)
    same = wire.patch_request(body, Target(model=peek.model)).body
    if not peek.stream:
        require(same == data, "with nothing to change, the request's bytes are changed")
    again = wire.patch_request(JsonBody(same), Target(model=peek.model)).body
    require(again == same, "a request that was patched is patched again")
    renamed = JsonBody(wire.patch_request(body, Target(model="upstream-model")).body)
    require(wire.peek(renamed).model == "upstream-model", "the target's model is not asked for")
    fields = set(body.decoded()) | set(renamed.decoded())
    changed = {field for field in fields if body.raw(field) != renamed.raw(field)}
    require(len(changed) <= (2 if peek.stream else 1), f"fields {sorted(changed)} are changed")


def _model_of(wire: RelayWire, data: bytes) -> str:
    """The model that a reply names, by which relaying it must change nothing."""
    told = orjson.loads(data)
    return str(told.get("model", "")) if isinstance(told, dict) else ""


def _reply(wire: RelayWire, data: bytes) -> None:
    model = _model_of(wire, data)
    relayed = wire.relay_reply(data, model, Target(model=model))
    require(relayed.body == data, "with nothing to change, the reply's bytes are changed")


def _damaged(wire: RelayWire, data: bytes) -> None:
    def relayed_or_reported(damaged_data: bytes) -> None:
        try:
            wire.relay_reply(damaged_data, "client-model", Target(model="upstream-model"))
        except (MalformedReply, MalformedStream, UpstreamFault):
            return

    holds_for_all(damaged(data), relayed_or_reported)


# --- streams ------------------------------------------------------------------------------------


@attrs.frozen
class _Relayed:
    """What became of a stream: all that a client gets, and what the path knows at its end."""

    written: bytes
    committed: bool
    complete: bool
    error: ErrorDetail | None
    usage: Usage | None


def _relayed(path: StreamPath, reads: Sequence[bytes]) -> _Relayed:
    written = b"".join([*(path.feed(read) for read in reads), path.close()])
    return _Relayed(written, path.committed, path.complete, path.error, path.usage)


def _path(wire: RelayWire, body: JsonBody) -> StreamPath:
    return wire.stream_relay(body, "client-model", Target(model="upstream-model"))


def _any_cut(wire: RelayWire, body: JsonBody, stream: bytes) -> None:
    expected = _relayed(_path(wire, body), [stream])

    def same(reads: list[bytes]) -> None:
        found = _relayed(_path(wire, body), reads)
        require(found == expected, f"cut into reads of {list(map(len, reads))} bytes: other outcome")

    same([stream[place : place + 1] for place in range(len(stream))])
    holds_for_all(cut_up(stream), same)


def _stream(wire: RelayWire, body: JsonBody, stream: bytes) -> None:
    outcome = _relayed(_path(wire, body), [stream])
    require(outcome.complete, "a healthy stream is not complete")
    require(outcome.committed, "a healthy stream is not committed")
    require(outcome.error is None, f"a healthy stream has an error: {outcome.error}")
    keeps_the_rules(wire, [outcome.written])
    sent = stream.replace(b"\r\n", b"\n").split(b"\n")
    own = wire.stream_relay(body, "", Target(model=""))
    kept = iter(sent)
    for line in _relayed(own, [stream]).written.replace(b"\r\n", b"\n").split(b"\n"):
        # `in` consumes the iterator, so lines must also come in the order they were sent.
        require(b"model" in line or line in kept, f"a line of {len(line)} bytes is not the upstream's")


def _cut_short(wire: RelayWire, body: JsonBody, stream: bytes) -> None:
    """A client must be able to tell half an answer from a whole one (pain 13)."""
    for length in range(0, len(stream), max(1, len(stream) // 300)):
        path = _path(wire, body)
        written = path.feed(stream[:length])
        if path.committed and not path.complete:
            last = _last_word(path)
            says_so = path.complete or (bool(last) and path.error is not None)
            require(says_so, f"after {length} of {len(stream)} bytes the stream ends without an error")
            keeps_the_rules(wire, [written, last])


def _last_word(path: StreamPath) -> bytes:
    """What a client hears of a path that is closed too early, from itself or from its caller."""
    try:
        return path.close()
    except MalformedStream:
        return path.fail(_CUT)


def _failed(wire: RelayWire, body: JsonBody, stream: bytes) -> None:
    path = _path(wire, body)
    written = b""
    for place in range(len(stream)):
        written += path.feed(stream[place : place + 1])
        if path.committed:
            last = path.fail(_CUT)
            require(bool(last), "a committed stream fails without a word to the client")
            keeps_the_rules(wire, [written, last])
            return


def _in_band(wire: RelayWire, body: JsonBody, stream: bytes) -> None:
    outcome = _relayed(_path(wire, body), [stream])
    require(outcome.error is not None, "the error is not noticed")
