"""The contract of a wire format: what a codec offers to clients, and what to upstreams.

A format that only clients speak implements `ClientWire`; one that only upstreams speak,
`UpstreamWire`; most implement both and are a `WireFormat`. What only some formats can do is in
`abilities`. Everything here is pure: no I/O, no clock but for ids, no state but in the stream objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import attrs

from ..conversation import (
    Conversation,
    ErrorDetail,
    Event,
    Reply,
    ThinkingIntent,
    ThinkingSupport,
    Usage,
)
from .body import JsonBody


@attrs.frozen
class Peek:
    """What the core must know of a request before anything else; no full decode."""

    model: str
    """As sent; empty when absent."""
    stream: bool
    thinking: ThinkingIntent = ThinkingIntent()
    """As `ClientWire.decode_request` reads it; unset where the fields have the wrong type."""


@attrs.frozen(kw_only=True)
class Target:
    """The upstream model that a request is encoded for, and what is known of it.

    ``max_output_tokens`` and ``thinking`` are ``None`` where nobody declared them.

    ``intent`` is what has to be asked for instead of what the client's body says, already fitted to
    the model; unset: nothing but the body counts. A relay writes it over the body's own fields. In a
    translation it is in the conversation too, and set here only if the model's name asked for it.
    """

    model: str
    max_output_tokens: int | None = None
    thinking: ThinkingSupport | None = None
    intent: ThinkingIntent = ThinkingIntent()


@attrs.frozen
class NameMap:
    """Tool names that had to change for an upstream: wire name → the client's own name."""

    back: Mapping[str, str] = attrs.field(factory=dict)

    def client_name(self, wire_name: str) -> str:
        return self.back.get(wire_name, wire_name)


NO_NAMES = NameMap()


@attrs.frozen
class EncodedRequest:
    """A body ready to be sent. ``headers`` are what the format carries outside of the body."""

    body: bytes
    names: NameMap = NO_NAMES
    headers: Mapping[str, str] = attrs.field(factory=dict)


class StreamDecoder(Protocol):
    """Turns upstream bytes into events. Holds at most one unfinished frame."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that this read completes. Raises `MalformedStream`."""
        ...

    def close(self) -> list[Event]:
        """The upstream ended: what was still open, closed, then `End`, exactly once per stream.

        If the stream is incomplete (no `Finish` was seen), there is no `Finish` in here either.
        Raises `MalformedStream` for a last frame that is none.
        """
        ...


class StreamEncoder(Protocol):
    """Turns events into the bytes of a client's stream, for one write."""

    def feed(self, events: Sequence[Event]) -> bytes:
        """``b""`` where the events say nothing in this format. Never raises for a legal sequence.

        An `End` without a `Finish` writes nothing: `Translation` puts a `StreamError` before it.
        """
        ...


class StreamPath(Protocol):
    """One upstream stream on its way to one client: a relay or a translation.

    ``committed`` turns true with the first thing that a user will see; until then the caller may
    drop everything and try another upstream. ``complete``: the upstream said that it is done.
    ``error``: it reported a failure in-band; the bytes returned by that `feed` already tell the
    client, if the path was committed.
    """

    committed: bool
    complete: bool
    error: ErrorDetail | None
    usage: Usage | None

    def feed(self, data: bytes) -> bytes:
        """Raises `MalformedStream`."""
        ...

    def close(self) -> bytes:
        """The upstream ended. Ends the client's stream, with an error if it was cut short.

        Raises `MalformedStream`.
        """
        ...

    def fail(self, error: ErrorDetail) -> bytes:
        """Ends the client's stream with `error`. To be called on a committed path only."""
        ...


@attrs.frozen(kw_only=True)
class RelayedReply:
    """A whole answer that is passed on in its own format."""

    body: bytes
    usage: Usage | None = None


@runtime_checkable
class ClientWire(Protocol):
    """What a format offers to the clients that speak it."""

    @property
    def name(self) -> str:
        """Unique, lower case, e.g. ``parrot-lines``."""
        ...

    @property
    def stream_media_type(self) -> str:
        """Content type of a streamed answer."""
        ...

    @property
    def keep_alive(self) -> bytes:
        """A whole frame that every client of this format ignores."""
        ...

    def peek(self, body: JsonBody) -> Peek:
        """Raises `InvalidRequest` where a field that is looked at has the wrong type."""
        ...

    def decode_request(self, body: JsonBody) -> Conversation:
        """Raises `InvalidRequest`, and nothing else, whatever the body."""
        ...

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes: ...

    def stream_encoder(self, conversation: Conversation) -> StreamEncoder: ...

    def encode_error(self, error: ErrorDetail) -> bytes:
        """The body of a refusal, before the first byte of an answer."""
        ...


@runtime_checkable
class UpstreamWire(Protocol):
    """What a format offers to the providers whose upstreams speak it."""

    @property
    def name(self) -> str: ...

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        """Raises `InvalidRequest` where the format cannot ask for what the client wants."""
        ...

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        """Raises `UpstreamFault` for an error told on a 200, `MalformedReply` for anything else."""
        ...

    def stream_decoder(self, names: NameMap) -> StreamDecoder: ...

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        """What an upstream's error answer says. Never raises."""
        ...


@runtime_checkable
class RelayWire(Protocol):
    """What a format offers when client and upstream both speak it: bytes pass through."""

    @property
    def name(self) -> str: ...

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        """The client's own bytes with only what must change, changed."""
        ...

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        """Raises `UpstreamFault` and `MalformedReply` like `UpstreamWire.decode_reply`."""
        ...

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> StreamPath: ...


@runtime_checkable
class WireFormat(ClientWire, UpstreamWire, RelayWire, Protocol):
    """A format that clients and upstreams speak."""
