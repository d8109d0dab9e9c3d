"""The contract of a provider: how one kind of upstream is called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

from ..conversation import Conversation, Event
from ..credentials.credential import Credential
from ..credentials.verdict import Failure, Verdict
from ..upstream import Deadlines, UpstreamReply
from ..wire.format import RelayWire, Target, UpstreamWire


@attrs.frozen(kw_only=True)
class Call:
    """One attempt at an upstream.

    ``body`` is in the provider's wire format and ready to be sent; or in ``wire``, if that names one
    of those that the provider speaks besides. ``headers`` are what the format carries outside the
    body. ``client_headers`` are the client's own, lower-case names, without those that hold keys or
    belong to its connection: a provider passes on the ones it knows.
    """

    credential: Credential
    target: Target
    body: bytes = attrs.field(repr=False)
    stream: bool
    deadlines: Deadlines = Deadlines()
    headers: Mapping[str, str] = attrs.field(factory=dict)
    client_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    wire: str = ""


@runtime_checkable
class Provider(Protocol):
    """A provider whose upstream speaks a wire format over HTTP."""

    @property
    def name(self) -> str: ...

    @property
    def wire(self) -> UpstreamWire: ...

    async def send(self, call: Call) -> UpstreamReply:
        """Sends the call and returns when the answer's head is here, whatever its status.

        Raises `UpstreamError`. Must not retry: that is the core's business.
        """
        ...

    def classify(self, failure: Failure) -> Verdict:
        """What a failure means; `ppap_core.exchange.by_status` is the common answer."""
        ...


@runtime_checkable
class SpeaksMore(Protocol):
    """A `Provider` whose upstreams take requests of other formats, too, as clients write them."""

    @property
    def also(self) -> Sequence[RelayWire]:
        """Those formats. Whoever speaks one of them is relayed."""
        ...


@runtime_checkable
class EventProvider(Protocol):
    """A provider without a wire: it is handed the conversation and yields events.

    ``generate`` may raise `UpstreamFault` or `UpstreamError`; the events follow the contract of
    `ppap_core.conversation.events` and end with `End`.
    """

    @property
    def name(self) -> str: ...

    def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]: ...

    def classify(self, failure: Failure) -> Verdict: ...


AnyProvider: TypeAlias = Provider | EventProvider


@attrs.frozen(kw_only=True)
class CountCall:
    """The question how many input tokens a conversation has; the fields are those of `Call`."""

    conversation: Conversation
    credential: Credential
    target: Target
    deadlines: Deadlines = Deadlines()
    client_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@runtime_checkable
class CountsTokens(Protocol):
    """A provider that can say how many input tokens a conversation has."""

    async def count_tokens(self, call: CountCall) -> int:
        """Raises `UpstreamError`, or `UpstreamFault` when the upstream refuses."""
        ...
