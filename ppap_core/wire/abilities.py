"""What only some formats can do: protocols that a wire format may implement besides those of `format`."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar, runtime_checkable

from ..conversation import ErrorDetail
from .body import JsonBody
from .format import ClientWire, EncodedRequest, RelayWire, Target, UpstreamWire

T = TypeVar("T")
_known: Final[dict[tuple[type, type], bool]] = {}


def ability(thing: object, kind: type[T]) -> T | None:
    """The same wire or provider, as one that has an ability; ``None`` if it has not.

    The answer is kept for each class: every request asks, and `isinstance` of a protocol takes some
    10 µs.
    """
    key = (type(thing), kind)
    has = _known.get(key)
    if has is None:
        has = _known[key] = isinstance(thing, kind)
    return thing if has else None  # type: ignore[return-value]


# --- towards clients ---------------------------------------------------------------------------


class Framing(Protocol):
    """Turns the frames of a stream into another framing of the same words."""

    def feed(self, data: bytes) -> bytes:
        """`data` is one write: whole frames as the format's relay or encoder gave them."""
        ...

    def close(self) -> bytes:
        """What ends the stream, whether it was whole or failed."""
        ...


@runtime_checkable
class Reframed(Protocol):
    """A `ClientWire` whose streams leave in another framing than its relay and its encoder write."""

    def framing(self) -> Framing:
        """A new one, for one stream."""
        ...


@runtime_checkable
class FailsInStream(Protocol):
    """A `ClientWire` whose clients only understand some refusals if a stream tells them."""

    def fails_in_stream(self, error: ErrorDetail) -> bool:
        """Whether a client that wants a stream gets one, with nothing in it but this error."""
        ...


@runtime_checkable
class FallsShort(Protocol):
    """A `StreamEncoder` for clients to whom an answer that ended well may still be none."""

    @property
    def shortfall(self) -> ErrorDetail | None:
        """Why the one that just ended is none; the encoder has ended the stream with this error."""
        ...


# --- towards upstreams -------------------------------------------------------------------------


@runtime_checkable
class Enforces(Protocol):
    """What an `UpstreamWire` offers whose requests must hold something, whatever edited them."""

    def enforce(self, body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
        """An edited request with what must hold written back; headers that its body asks for.

        Called only if request shapers changed the body. What the target has to be asked for is
        written by then, so its ``intent`` is unset. Raises `InvalidRequest`.
        """
        ...


@runtime_checkable
class Enveloped(Protocol):
    """What an `UpstreamWire` offers whose bodies hold the request proper in one of their members."""

    @property
    def envelope(self) -> str:
        """The top-level key of that member; request shapers see nothing but its value."""
        ...


@runtime_checkable
class Mends(Protocol):
    """What an `UpstreamWire` offers whose upstreams refuse requests for parts that can be done without."""

    def mended(self, request: bytes, refusal: ErrorDetail) -> bytes | None:
        """The refused request without those parts, to be sent once more; ``None``: it has none."""
        ...


# --- between the two ---------------------------------------------------------------------------


@runtime_checkable
class ToldWhole(Protocol):
    """A `RelayWire` whose streams end with everything that was said.

    So an upstream that only streams can serve a client that wants one body, and nothing is lost.
    """

    def whole_of(self, stream: bytes) -> bytes:
        """The body in a complete stream, as this format's `StreamPath` wrote it. Raises `MalformedReply`."""
        ...


@runtime_checkable
class RelaysSiblings(Protocol):
    """What an `UpstreamWire` offers that is so like another format that bytes can pass between them."""

    def relay_from(self, client: str) -> RelayWire | None:
        """For clients that speak the format of that name, if it is such a one."""
        ...


@runtime_checkable
class RetellsErrors(Protocol):
    """A `RelayWire` whose upstreams refuse in words that its clients should not, or cannot, read."""

    def retells(self, status: int, body: bytes) -> bool:
        """Whether clients get the error as `ClientWire.encode_error` tells it, and not `body` itself."""
        ...


# --- names -------------------------------------------------------------------------------------


@runtime_checkable
class OfFamily(Protocol):
    """What a format offers that is one of several by the same makers.

    A client that speaks any of them knows what the makers' models can do, so what a model cannot
    think is refused; to others it is fitted (translation spec, D.4).
    """

    @property
    def family(self) -> str: ...


def family_of(wire: ClientWire | UpstreamWire) -> str:
    """The family of a format; one that names none is alone in its own."""
    return named.family if (named := ability(wire, OfFamily)) else wire.name


@runtime_checkable
class OfProtocol(Protocol):
    """What a format offers that operators' rules call by another word than its name."""

    @property
    def protocol(self) -> str: ...


def protocol_of(wire: ClientWire | UpstreamWire) -> str:
    """The word for a format in operators' rules, such as ``protocol`` of payload rules."""
    return named.protocol if (named := ability(wire, OfProtocol)) else wire.name
