"""What a guard owes to those who rely on it, and what streams owe to the guard of their format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import orjson
from hypothesis import strategies as st

from ..wire import ClientWire, Guarded, Mended, Reframed, RelayWire, StreamGuard
from ..wire.sse import frames, payload
from .contract import Check, require
from .laws import holds_for_all
from .strategies import altered_json, cut_up, damaged
from .traffic import Traffic

MARK = "zq9secretzq9"
"""A text that stands in a stream, and must not stand in what is told of it."""


def violations(wire: object, writes: Iterable[bytes], *, ended: bool = True) -> list[str]:
    """What the format's own guard finds in what a client gets; nothing for a format without one.

    ``ended`` is false for a stream whose writer left its end to its caller.
    """
    if not isinstance(wire, Guarded):
        return []
    guard = wire.stream_guard()
    sent = _reframed(wire, writes)
    return [*(wrong for write in sent for wrong in guard.feed(write)), *(guard.close() if ended else ())]


def mended(wire: Mended, parts: Iterable[bytes], model: str = "client-model") -> tuple[bytes, list[str]]:
    """What a client gets of frames when they are mended, and what was done."""
    mender = wire.stream_mender(model)
    sent = b"".join([*map(mender.feed, parts), mender.close()])
    return sent, mender.mended


def keeps_the_rules(wire: object, writes: Iterable[bytes], *, ended: bool = True) -> None:
    """Raises `ContractBroken` for a stream in which the format's own guard finds something."""
    found = violations(wire, writes, ended=ended)
    require(not found, f"the stream breaks the format's rules: {'; '.join(found[:5])}")


def _reframed(wire: object, writes: Iterable[bytes]) -> Iterator[bytes]:
    if not isinstance(wire, Reframed):
        yield from writes
        return
    framing = wire.framing()
    yield from map(framing.feed, writes)
    yield framing.close()


def guard_checks(wire: ClientWire, traffic: Traffic) -> Iterator[Check[None]]:
    """The checks of a format's guard, over its canned streams; a format without one has none."""
    if not isinstance(wire, Guarded):
        return
    for name, stream in {**traffic.streams, **traffic.stream_errors}.items():
        yield Check(f"the guard sees any cut of a stream alike [{name}]", partial(_any_cut, wire, stream))
        yield Check(f"the guard reads anything, and tells nothing [{name}]", partial(_altered, wire, stream))
        if isinstance(wire, Mended):
            yield Check(
                f"what is whole is not mended, and nothing gets worse [{name}]",
                partial(_mending, wire, stream),
            )
            yield Check(f"anything can be mended [{name}]", partial(_altered_mended, wire, stream))
    if not isinstance(wire, RelayWire):
        return
    for name, stream in traffic.streams.items():
        yield Check(f"keep_alive breaks no rule [{name}]", partial(_keep_alive, wire, stream))


def _found(guard: StreamGuard, reads: Iterable[bytes]) -> list[str]:
    return [*(wrong for read in reads for wrong in guard.feed(read)), *guard.close()]


def _any_cut(wire: Guarded, stream: bytes) -> None:
    def same(reads: list[bytes]) -> None:
        whole = b"".join(reads)
        expected = _found(wire.stream_guard(), [whole])
        found = _found(wire.stream_guard(), reads)
        require(found == expected, f"cut into reads of {list(map(len, reads))} bytes: other violations")

    same([stream[place : place + 1] for place in range(len(stream))])
    holds_for_all(cut_up(stream), same)
    holds_for_all(damaged(stream).flatmap(cut_up), same)


@st.composite
def _altered_streams(draw: st.DrawFn, stream: bytes) -> bytes:
    """A stream with some event of which any part is replaced, by a secret among others."""
    parts = frames(stream)
    data = [payload(part) for part in parts]
    events = [place for place, each in enumerate(data) if each.startswith(b"{")]
    if not events:
        return stream
    place = draw(st.sampled_from(events))
    changed = orjson.loads(draw(altered_json(data[place])))
    told = orjson.dumps(changed).replace(b'"auto"', b'"%b"' % MARK.encode())
    parts[place] = parts[place].replace(data[place], told)
    return b"".join(part + b"\n\n" for part in parts)


def _altered(wire: Guarded, stream: bytes) -> None:
    def told(altered: bytes) -> None:
        found = " ".join(_found(wire.stream_guard(), [altered]))
        require(MARK not in found, "a violation holds text of the stream")

    holds_for_all(_altered_streams(stream), told)


def _keep_alive(wire: ClientWire, stream: bytes) -> None:
    parts = [part + b"\n\n" for part in frames(stream)]
    writes = [write for part in parts for write in (part, wire.keep_alive)]
    before, after = violations(wire, parts), violations(wire, writes[:-1])
    require(after == before, f"keep_alive is taken for an event: {after[:3]}")


def _mending(wire: Mended, stream: bytes) -> None:
    """Of a stream that breaks no rule every byte stays; one without a frame, or with one twice, is not
    broken further."""
    parts = [part + b"\n\n" for part in frames(stream)]
    if not violations(wire, parts):
        require(mended(wire, parts) == (b"".join(parts), []), "a stream without a fault is mended")
    for place in range(len(parts)):
        for altered in (parts[:place] + parts[place + 1 :], parts[: place + 1] + parts[place:]):
            before = violations(wire, altered)
            sent, _ = mended(wire, altered)
            after = violations(wire, [sent])
            require(len(after) <= len(before), f"{before} becomes {after} by mending")


def _altered_mended(wire: Mended, stream: bytes) -> None:
    holds_for_all(_altered_streams(stream), lambda altered: mended(wire, [altered]))
