"""Passing on what is no generation: a request that some providers' upstreams take as it stands.

For the small operations of a format, such as embeddings, that no other format knows: nothing is
translated, so only providers that have the operation are asked.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Protocol, runtime_checkable

import attrs

from ..credentials import Candidate, Credential
from ..upstream import Deadlines, UpstreamReply
from ..wire.abilities import ability
from ..wire.body import JsonBody
from ..wire.format import Target
from .answer import WholeAnswer
from .asking import first_answer, narrow, not_supported
from .endpoint import Work
from .exchange import Exchange
from .failure import accepted_body
from .provider import Provider
from .response import Response
from .shaping import shaped_body


@attrs.frozen(kw_only=True)
class ForwardCall:
    """One attempt to have `operation` done. ``body`` is the client's; the rest is as in `Call`."""

    operation: str
    body: JsonBody = attrs.field(repr=False)
    credential: Credential
    target: Target
    deadlines: Deadlines = Deadlines()
    client_headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@runtime_checkable
class Forwards(Provider, Protocol):
    """A `Provider` whose upstreams do more than generate."""

    @property
    def operations(self) -> Container[str]:
        """Names of what they do, as the format calls it."""
        ...

    async def forward(self, call: ForwardCall) -> UpstreamReply:
        """As `Provider.send`: the answer, JSON, whatever its status. Raises `UpstreamError`."""
        ...


@runtime_checkable
class FitsForwarded(Protocol):
    """What a provider that `Forwards` offers if it adds to a body what operators may want to edit."""

    def fitted(self, call: ForwardCall) -> JsonBody:
        """The call's body as request shapers see it. Raises `InvalidRequest`."""
        ...


def forwarding(operation: str, *, shaping: bool = False) -> Work:
    """The work of having `operation` done by the first credential whose provider can.

    ``shaping``: its body is one of the client's format, and request shapers edit it.
    """

    async def forward(exchange: Exchange, response: Response) -> None:
        def forwarder(candidate: Candidate) -> Forwards | None:
            carrier = exchange.proxy.carriers[candidate.credential.provider]
            provider = ability(carrier.provider, Forwards)
            return provider if provider and operation in provider.operations else None

        async def forwarded(candidate: Candidate) -> WholeAnswer:
            provider = forwarder(candidate)
            assert provider is not None
            call = ForwardCall(
                operation=operation,
                body=exchange.body,
                credential=candidate.credential,
                target=candidate.targets[0],
                deadlines=exchange.snapshot.deadlines,
                client_headers=exchange.arrival.client_headers,
            )
            if fits := ability(provider, FitsForwarded):
                call = attrs.evolve(call, body=fits.fitted(call))
            if shaping and exchange.snapshot.shapers:
                body = shaped_body(exchange, call.credential, call.target, exchange.wire, call.body)
                call = attrs.evolve(call, body=body)
            reply = await provider.forward(call)
            answer = await accepted_body(provider.wire, reply)
            return WholeAnswer(body=answer, headers=exchange.snapshot.passed_through(reply.headers))

        message = f"{operation} not supported: no upstream of model {exchange.route.model} offers it"
        narrow(exchange, lambda candidate: forwarder(candidate) is not None, not_supported(message))
        answer = await first_answer(exchange, forwarded, same_dialect=True, learns=True)
        await response.whole(answer.body, answer.headers)

    return forward
