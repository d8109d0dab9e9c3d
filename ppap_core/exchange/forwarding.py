"""Passing on what is no generation: a request that some providers' upstreams take as it stands.

For the small operations of a format, such as embeddings, that no other format knows: nothing is
translated, so only providers that have the operation are asked.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Protocol, runtime_checkable

import attrs

from ..credentials import Candidate, Credential
from ..upstream import Deadlines
from ..wire.body import JsonBody
from ..wire.format import Target
from .asking import first_answer, narrow, not_supported
from .endpoint import Work
from .exchange import Exchange
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
class Forwards(Protocol):
    """A provider whose upstreams do more than generate."""

    @property
    def operations(self) -> Container[str]:
        """Names of what they do, as the format calls it."""
        ...

    async def forward(self, call: ForwardCall) -> bytes:
        """The upstream's JSON answer. Raises `UpstreamError`, or `UpstreamFault` for a refusal."""
        ...


def forwarding(operation: str, *, shaping: bool = False) -> Work:
    """The work of having `operation` done by the first credential whose provider can.

    ``shaping``: its body is one of the client's format, and request shapers edit it.
    """

    async def forward(exchange: Exchange, response: Response) -> None:
        def forwarder(candidate: Candidate) -> Forwards | None:
            provider = exchange.proxy.carriers[candidate.credential.provider].provider
            return provider if isinstance(provider, Forwards) and operation in provider.operations else None

        async def forwarded(candidate: Candidate) -> bytes:
            provider = forwarder(candidate)
            assert provider is not None
            credential, target, body = candidate.credential, candidate.targets[0], exchange.body
            if shaping and exchange.snapshot.shapers:
                body = shaped_body(exchange, credential, target, exchange.wire, body)
            call = ForwardCall(
                operation=operation,
                body=body,
                credential=credential,
                target=target,
                deadlines=exchange.snapshot.deadlines,
                client_headers=exchange.arrival.client_headers,
            )
            return await provider.forward(call)

        message = f"{operation} not supported: no upstream of model {exchange.route.model} offers it"
        narrow(exchange, lambda candidate: forwarder(candidate) is not None, not_supported(message))
        await response.whole(await first_answer(exchange, forwarded, same_dialect=True, learns=True))

    return forward
