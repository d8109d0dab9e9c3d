"""Passing on what is no generation: a request that some providers' upstreams take as it stands.

For the small operations of a format, such as embeddings, that no other format knows: nothing is
translated, so only providers that have the operation are asked.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Protocol, runtime_checkable

import attrs

from ..conversation import ErrorDetail
from ..credentials import Candidate, Credential
from ..credentials.verdict import Scope
from ..errors import UpstreamError, UpstreamFault
from ..upstream import Deadlines
from ..wire.body import JsonBody
from ..wire.format import Target
from .dispatch import final_failure
from .endpoint import Work
from .exchange import Exchange, ExchangeFailed
from .failure import AttemptFailed, attempt_failed
from .response import Response


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


def forwarding(operation: str) -> Work:
    """The work of having `operation` done by the first credential whose provider can."""

    async def forward(exchange: Exchange, response: Response) -> None:
        await response.whole(await _forwarded(exchange, operation))

    return forward


async def _forwarded(exchange: Exchange, operation: str) -> bytes:
    """Raises `ExchangeFailed`, and `RequestError`."""
    able = [candidate for candidate in exchange.route.candidates if _able(exchange, candidate, operation)]
    if not able:
        message = f"{operation} not supported: no upstream of model {exchange.route.model} offers it"
        raise ExchangeFailed(ErrorDetail(message=message, status=501, code="not_supported"))
    route = attrs.evolve(exchange.route, candidates=able)
    tried: set[str] = set()
    last: AttemptFailed | None = None
    while (candidate := exchange.proxy.pool.pick(route, tried)) is not None:
        tried.add(candidate.credential.id)
        try:
            return await _attempt(exchange, candidate, operation)
        except AttemptFailed as failure:
            last = failure
        if last.verdict.scope is Scope.REQUEST:
            break
    raise final_failure(exchange, last)


def _able(exchange: Exchange, candidate: Candidate, operation: str) -> bool:
    provider = exchange.proxy.carriers[candidate.credential.provider].provider
    return isinstance(provider, Forwards) and operation in provider.operations


async def _attempt(exchange: Exchange, candidate: Candidate, operation: str) -> bytes:
    provider = exchange.proxy.carriers[candidate.credential.provider].provider
    assert isinstance(provider, Forwards)
    call = ForwardCall(
        operation=operation,
        body=exchange.body,
        credential=candidate.credential,
        target=candidate.targets[0],
        deadlines=exchange.snapshot.deadlines,
        client_headers=exchange.arrival.client_headers,
    )
    began = exchange.begin_attempt(candidate, call.target)
    pool = exchange.proxy.pool
    try:
        body = await provider.forward(call)
    except (UpstreamError, UpstreamFault) as error:
        failed = attempt_failed(provider, candidate, error, same_dialect=True)
        exchange.end_attempt(began, failed.failure.detail.status, failed.verdict.reason)
        cooling = not exchange.snapshot.config.core.disable_cooling
        pool.failed(candidate.credential, call.target, failed.verdict, cooling=cooling)
        raise failed from error
    exchange.end_attempt(began, 200)
    pool.succeeded(candidate.credential, call.target)
    return body
