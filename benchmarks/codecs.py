"""What the codecs cost by themselves, in this process: every client format against every other upstream.

Streams and bodies are rendered beforehand by the formats themselves, from one stream of events and
one conversation, so that every pair carries the same words. Times are CPU time of this process, the
best of several runs. Memory is what Python's allocators held at the peak (`tracemalloc`), the
client's own bytes included, less what they held before those arrived.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Final

import attrs
import orjson

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    Event,
    Finish,
    ItemEnd,
    ItemKind,
    ItemStart,
    Start,
    Usage,
    UsageUpdate,
)
from ppap_core.plugins import PluginHost
from ppap_core.wire import NO_NAMES, JsonBody, Target, WireFormat
from ppap_core.wire.translate import Translation

from .requests import UNUSUAL, body_of

EVENTS: Final = 300
"""Events with text in a stream. It is fed in reads of 64 KiB, which is one or two."""
KINDS: Final[tuple[ItemKind, ...]] = ("text", "reasoning", "tool_call")
SMALL, LARGE = "1 MB", "5 MB"
SIZES: Final = {SMALL: 1_000_000, LARGE: 5_000_000}
SCRIPTS: Final = {"ascii": "n", "emoji": "🙂"}
"""What stands in each of the conversation's files. Python keeps four bytes for every character of a
text with an emoji in it."""
_READ: Final = 65_536
_TARGET: Final = Target(model="bench", max_output_tokens=64_000)
_SOURCE: Final = "anthropic-messages"


_CHUNK: Final = (
    b'{"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,'
    b'"model":"bench","choices":[{"index":0,"delta":{"content":"some words"},"finish_reason":null}]}'
)
_DIFFERS: Final[Mapping[str, tuple[bytes, bytes]]] = {
    "gemini": (
        b'"modelVersion":',
        b'"usageMetadata":{"promptTokenCount":230,"candidatesTokenCount":%d,"totalTokenCount":%d},',
    ),
    "openai-responses": (b'"delta":', b'"obfuscation":"x%dQ%d",'),
}
"""Format → a key, and what vendors send before it."""


@attrs.frozen(kw_only=True)
class Pair:
    """What one ordered pair costs: `client` speaks to us, `upstream` is spoken to."""

    client: str
    upstream: str
    event_us: Mapping[str, float]
    """Kind of item → microseconds per event of the upstream's stream."""
    request_ms: Mapping[str, float]
    """Size of the client's body → milliseconds for its translation."""
    peak: Mapping[str, float]
    """Script → peak memory of the translation of a large body, as a multiple of its size."""

    @property
    def slowest_us(self) -> float:
        """The dearest kind of event."""
        return max(self.event_us.values())

    @property
    def growth(self) -> float:
        """The time for the large body over that for the small one."""
        return self.request_ms[LARGE] / self.request_ms[SMALL]


@attrs.frozen(kw_only=True)
class Codecs:
    """All pairs, and what tells how fast this machine was meanwhile."""

    yardstick_us: float
    """Microseconds to read a chat chunk into dicts and write a delta from a dict, with orjson."""
    pairs: Sequence[Pair]


def measured(runs: int, said: Callable[[str], None]) -> Codecs:
    """Every ordered pair of two formats; each figure is the best of that many runs, at least."""
    known = formats()
    gc.freeze()  # so that the collection before each run looks at that run's objects only
    began = yardstick()
    each = list(pairs(known, runs, said))
    return Codecs(yardstick_us=min(began, yardstick()), pairs=each)


def yardstick() -> float:
    """See `Codecs.yardstick_us`."""

    def work() -> None:
        for _ in range(EVENTS):
            text = orjson.loads(_CHUNK)["choices"][0]["delta"]["content"]
            delta = {"type": "text_delta", "text": text}
            orjson.dumps({"type": "content_block_delta", "index": 0, "delta": delta})

    return best_of(20, work) / EVENTS * 1e6


def formats() -> dict[str, WireFormat]:
    """Every format of the installed plugins that clients and upstreams speak, by name."""
    host = PluginHost()
    host.discover()
    named = host.named("ppap_wire_formats")
    return {name: wire for name, wire in sorted(named.items()) if isinstance(wire, WireFormat)}


def pairs(known: Mapping[str, WireFormat], runs: int, said: Callable[[str], None]) -> Iterator[Pair]:
    bodies = {size: dict(rendered(known, "ascii", SIZES[size])) for size in SIZES}
    large = {script: dict(rendered(known, script, SIZES[LARGE])) for script in SCRIPTS}
    for client, upstream in permutations(known.values(), 2):
        said(f"codecs: {client.name} client, {upstream.name} upstream")
        yield Pair(
            client=client.name,
            upstream=upstream.name,
            event_us={kind: event_time(client, upstream, kind, runs * 10) for kind in KINDS},
            request_ms={
                size: request_time(client, upstream, bodies[size][client.name], runs) for size in SIZES
            },
            peak={script: request_peak(client, upstream, large[script][client.name]) for script in SCRIPTS},
        )


def event_time(client: WireFormat, upstream: WireFormat, kind: ItemKind, runs: int) -> float:
    """Microseconds of CPU per event with text, its share of the stream's beginning and end included."""
    reads = _reads(streamed(upstream, kind))
    conversation = Conversation(model="bench", format=client.name, stream=True, include_usage=True)

    def translate() -> None:
        path = Translation(upstream.stream_decoder(NO_NAMES), client.stream_encoder(conversation))
        for read in reads:
            path.feed(read)
        path.close()

    return best_of(runs, translate) / EVENTS * 1e6


def request_time(client: WireFormat, upstream: WireFormat, body: bytes, runs: int) -> float:
    """Milliseconds of CPU from a client's body to an upstream's."""
    return best_of(runs, lambda: translated(client, upstream, body)) * 1e3


def request_peak(client: WireFormat, upstream: WireFormat, body: bytes) -> float:
    """Peak memory as a multiple of the body's size."""
    gc.collect()
    tracemalloc.start()
    try:
        translated(client, upstream, body)
        return tracemalloc.get_traced_memory()[1] / len(body) + 1  # the body was there before
    finally:
        tracemalloc.stop()


def translated(client: WireFormat, upstream: WireFormat, body: bytes) -> bytes:
    """As the core does it: the body and the conversation are kept to the end, for the answer."""
    read = JsonBody(body)
    client.peek(read)
    conversation = client.decode_request(read)
    return upstream.encode_request(conversation, _TARGET).body


def best_of(runs: int, work: Callable[[], object]) -> float:
    """Seconds of CPU time, the least of that many runs after one that does not count."""
    work()
    times = []
    for _ in range(runs):
        gc.collect()
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def rendered(known: Mapping[str, WireFormat], script: str, size: int) -> Iterator[tuple[str, bytes]]:
    """Format → a body of about `size` bytes with an agent's conversation."""
    source = body_of("messages", "bench", size).replace(UNUSUAL.encode(), SCRIPTS[script].encode())
    conversation = known[_SOURCE].decode_request(JsonBody(source))
    for name, wire in known.items():
        yield name, wire.encode_request(conversation, _TARGET).body


def streamed(wire: WireFormat, kind: ItemKind) -> bytes:
    """An upstream's stream with one item of that kind."""
    conversation = Conversation(model="bench", format=wire.name, stream=True, include_usage=True)
    frames = wire.stream_encoder(conversation).feed(_events(kind)).split(b"\n\n")
    return b"\n\n".join(_as_sent(frame, wire.name, place) for place, frame in enumerate(frames))


def _as_sent(frame: bytes, name: str, place: int) -> bytes:
    """With what differs in each event of the vendor's own streams, and our encoders do not write."""
    before, more = _DIFFERS.get(name, (b"", b""))
    if not before or before not in frame or b'"usageMetadata":' in frame:
        return frame
    return frame.replace(before, more % (place, place) + before, 1)


def _events(kind: ItemKind) -> Sequence[Event]:
    call = kind == "tool_call"
    first, last = ('{"text":"', '"}') if call else ("So, ", ".")
    words = [first, *["some words "] * (EVENTS - 2), last]
    return [
        Start(id="bench-0123456789", model="bench", created=1_700_000_000),
        ItemStart(0, kind, "call_1", "write_file") if call else ItemStart(0, kind),
        *(Delta(0, kind, text) for text in words),
        ItemEnd(0),
        Finish("tool_calls" if call else "stop"),
        UsageUpdate(Usage(input_total=230, output_total=EVENTS, total=230 + EVENTS)),
        End(),
    ]


def _reads(stream: bytes) -> list[bytes]:
    return [stream[start : start + _READ] for start in range(0, len(stream), _READ)]
