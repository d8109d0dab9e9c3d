"""How long a stream may say nothing before it is given up (pains 12, 17 and 18)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest
from ppap_claude.messages import MESSAGES
from ppap_gemini.generate import GEMINI
from ppap_openai.chat import CHAT
from ppap_openai.responses import RESPONSES

from ppap_core.conversation import Conversation, Delta, Event, ItemStart, Ping
from ppap_core.errors import UpstreamTimeout
from ppap_core.exchange.answer import EventPath, EventSource, ReplySource, Source, until_committed
from ppap_core.wire import NO_NAMES, JsonBody, StreamPath, Target, WireFormat
from ppap_core.wire.translate import Translation

DEADLINE = 10.0
PAUSE = 8.0
"""Seconds before each read: less than the deadline, but two of them are more."""
WIRES: Mapping[str, WireFormat] = {
    "chat": CHAT,
    "responses": RESPONSES,
    "messages": MESSAGES,
    "gemini": GEMINI,
}
ALIVE: Mapping[str, bytes] = {
    "chat": b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
    "responses": b'event: response.in_progress\ndata: {"type":"response.in_progress","response":{}}\n\n',
    "messages": b'event: ping\ndata: {"type": "ping"}\n\n',
    "gemini": b'data: {"responseId":"r","usageMetadata":{"promptTokenCount":3}}\r\n\r\n',
}
SAID: Mapping[str, bytes] = {
    "chat": b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
    "responses": b'data: {"type":"response.output_text.delta","output_index":0,"delta":"Hello"}\n\n',
    "messages": b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text"}}\n\n'
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}\n\n',
    "gemini": b'data: {"candidates":[{"content":{"parts":[{"text":"Hello"}]}}]}\r\n\r\n',
}
BEGUN: Mapping[str, bytes] = {
    **dict.fromkeys(WIRES, b""),
    "messages": b'data: {"type":"message_start","message":{"id":"m","role":"assistant","content":[]}}\n\n',
}


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop whose time can be made to pass."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


async def pass_time() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SkippingLoop)
    loop.skipped += PAUSE
    await asyncio.sleep(0)  # what is due by now happens
    await asyncio.sleep(0)


def run(main: Coroutine[Any, Any, bytes]) -> bytes:
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(main)


class SlowReply:
    """An upstream's answer whose reads have a pause before them."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, reads: Sequence[bytes]) -> None:
        self._reads = iter(reads)

    async def read(self) -> bytes:
        await pass_time()
        return next(self._reads, b"")

    async def body(self) -> bytes:
        return b"".join(self._reads)

    async def close(self) -> None:
        return None


def relay(wire: WireFormat) -> StreamPath:
    return wire.stream_relay(JsonBody(b"{}"), "m", Target(model="m"))


def translation(wire: WireFormat) -> StreamPath:
    other = CHAT if wire is not CHAT else MESSAGES
    asked = Conversation(model="m", format=other.name, stream=True)
    return Translation(wire.stream_decoder(NO_NAMES), other.stream_encoder(asked))


def head_of(path: StreamPath, reads: Sequence[bytes]) -> bytes:
    return run(until_committed(path, ReplySource(SlowReply(reads)), DEADLINE))


@pytest.mark.parametrize("way", [relay, translation])
@pytest.mark.parametrize("name", WIRES)
def test_an_upstream_that_shows_life_is_waited_for(
    name: str, way: Callable[[WireFormat], StreamPath]
) -> None:
    """pain 17: events that say nothing yet begin the wait anew, however long it takes together."""
    path = way(WIRES[name])
    head = head_of(path, [BEGUN[name] + ALIVE[name], ALIVE[name], ALIVE[name], SAID[name]])
    assert path.committed
    assert b"Hello" in head


@pytest.mark.parametrize("way", [relay, translation])
@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("comment", [b": keep-alive\n\n", b":\n\n", b"\n"])
def test_comments_are_no_life(name: str, way: Callable[[WireFormat], StreamPath], comment: bytes) -> None:
    """pain 18: servers in between send them for an upstream that is gone."""
    path = way(WIRES[name])
    with pytest.raises(UpstreamTimeout, match="no event within 10 s"):
        head_of(path, [comment, comment, BEGUN[name] + SAID[name]])
    assert not path.committed


@pytest.mark.parametrize("name", WIRES)
def test_signs_of_life_commit_to_nothing(name: str) -> None:
    """pain 12: a refusal may follow, and another account can still be asked."""
    for path in (relay(WIRES[name]), translation(WIRES[name])):
        path.feed(BEGUN[name] + ALIVE[name])
        assert not path.committed


def test_events_of_a_provider_without_bytes() -> None:
    async def events() -> Any:
        waiting: list[Event] = [ItemStart(1, "reasoning"), Ping(), Ping(), Delta(1, "reasoning", "Hm")]
        for event in waiting:
            await pass_time()
            yield event

    asked = Conversation(model="m", format=CHAT.name, stream=True)
    source: Source = EventSource(events())
    assert b"Hm" in run(until_committed(EventPath(CHAT.stream_encoder(asked)), source, DEADLINE))
