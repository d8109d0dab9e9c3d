"""What a carrier brings: a whole answer, or a stream that has begun and where the rest comes from."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final, Protocol, TypeAlias

import attrs

from ..conversation import End, ErrorDetail, Event, Usage
from ..errors import UpstreamFault, UpstreamTimeout
from ..upstream import UpstreamReply
from ..wire.format import StreamEncoder, StreamPath
from ..wire.translate import Translation


@attrs.frozen(kw_only=True)
class WholeAnswer:
    """A JSON body in the client's dialect."""

    body: bytes
    usage: Usage | None = None
    headers: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class OpenStream:
    """A stream that has begun. ``head`` is what the client gets at once; ``source`` has the rest."""

    head: bytes
    path: StreamPath
    source: Source
    headers: tuple[tuple[str, str], ...] = ()


class Source(Protocol):
    """Where a stream path is fed from.

    ``heard``: the last step brought (a piece of) an event, if the path was not committed before it.
    """

    heard: bool

    async def step(self, path: StreamPath) -> bytes | None:
        """Waits for more, feeds it; returns what to write, ``None`` after the end.

        Raises `UpstreamError` when the upstream breaks.
        """
        ...

    async def close(self) -> None: ...


Answer: TypeAlias = WholeAnswer | OpenStream


class EventPath(Translation):
    """A `Translation` that is fed with events instead of bytes."""

    def __init__(self, encoder: StreamEncoder) -> None:
        super().__init__(_NoDecoder(), encoder)

    def feed_events(self, events: list[Event]) -> bytes:
        return self._passed_on(events)


class _NoDecoder:
    def feed(self, data: bytes) -> list[Event]:
        raise AssertionError("an event path is fed with events")

    def close(self) -> list[Event]:
        return [End()]


_NO_COMMENT: Final = re.compile(rb"^[^:\s]", re.MULTILINE)


class ReplySource:
    """Feeds a path from an upstream's body: all bytes of one read become one write."""

    def __init__(self, reply: UpstreamReply) -> None:
        self.heard = False
        self._reply = reply
        self._ended = False

    async def step(self, path: StreamPath) -> bytes | None:
        if self._ended:
            return None
        data = await self._reply.read()
        if data:
            if not path.committed:
                self.heard = _NO_COMMENT.search(data) is not None
            return path.feed(data)
        self._ended = True
        return path.close()

    async def close(self) -> None:
        await self._reply.close()


class EventSource:
    """Feeds an event path from a provider's generator."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        self.heard = True
        self._events = events
        self._ended = False

    async def step(self, path: StreamPath) -> bytes | None:
        if self._ended:
            return None
        event = await anext(self._events, None)
        self._ended = event is None or isinstance(event, End)
        assert isinstance(path, EventPath)
        return path.feed_events([event if event is not None else End()])

    async def close(self) -> None:
        aclose = getattr(self._events, "aclose", None)
        if aclose is not None:
            await aclose()


class Ended:
    """The source of a stream that is already whole."""

    heard = False

    async def step(self, path: StreamPath) -> bytes | None:
        return None

    async def close(self) -> None:
        return None


async def until_committed(path: StreamPath, source: Source, deadline: float | None) -> bytes:
    """The bytes up to and with the first real event. Raises `UpstreamFault` for an in-band failure.

    Only an upstream that is silent for `deadline` seconds is given up (`UpstreamTimeout`). An event
    that says nothing yet, such as a ping or the beginning of a thought, shows that somebody is at
    work, and the clock starts anew, so long thinking is not cut off (pain 17); it commits to nothing,
    because refusals still follow on such events (pain 12). Comments do not count: servers in between
    send them whether or not a model is alive behind them (pain 18).
    """
    held: list[bytes] = []
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(deadline) as clock:
            while not path.committed:
                written = await source.step(path)
                if deadline is not None and source.heard:
                    clock.reschedule(loop.time() + deadline)
                if path.error is not None and not path.committed:
                    raise UpstreamFault(path.error)
                if written is None:
                    raise UpstreamFault(EMPTY_STREAM)
                held.append(written)
    except TimeoutError:
        raise UpstreamTimeout(f"The upstream sent no event within {deadline:g} s") from None
    return b"".join(held)


async def until_complete(path: StreamPath, source: Source) -> bytes:
    """All bytes of a stream that nobody has seen yet. Raises `UpstreamFault` for an in-band failure."""
    held: list[bytes] = []
    while not path.complete:
        written = await source.step(path)
        if path.error is not None:
            raise UpstreamFault(path.error)
        if written is None:
            raise UpstreamFault(EMPTY_STREAM)
        held.append(written)
    return b"".join(held)


EMPTY_STREAM = ErrorDetail(
    message="The upstream closed the stream before its first event", status=502, code="empty_stream"
)
