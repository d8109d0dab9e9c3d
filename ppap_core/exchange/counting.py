"""Counting a request's input tokens: by the upstream, or however its provider can."""

from __future__ import annotations

import attrs

from ..conversation import ErrorDetail
from ..credentials import Candidate
from ..errors import UpstreamError, UpstreamFault
from .dispatch import final_failure
from .exchange import Exchange, ExchangeFailed
from .failure import AttemptFailed, attempt_failed
from .provider import CountCall, CountsTokens, Provider
from .thinking import for_translation


async def count_tokens(exchange: Exchange) -> int:
    """Input tokens, from the first credential whose provider can count them.

    Counting teaches nothing about a credential's health: a failure only leads to the next one.
    Raises `ExchangeFailed`, and `RequestError`.
    """
    able = [candidate for candidate in exchange.route.candidates if _counter(exchange, candidate)]
    if not able:
        raise ExchangeFailed(
            ErrorDetail(
                message=f"No upstream of model {exchange.route.model} can count tokens",
                status=501,
                code="not_supported",
            )
        )
    route = attrs.evolve(exchange.route, candidates=able)
    tried: set[str] = set()
    last: AttemptFailed | None = None
    while (candidate := exchange.proxy.pool.pick(route, tried)) is not None:
        tried.add(candidate.credential.id)
        try:
            return await _counted(exchange, candidate)
        except AttemptFailed as failure:
            last = failure
    raise final_failure(exchange, last)


def _counter(exchange: Exchange, candidate: Candidate) -> CountsTokens | None:
    provider = exchange.proxy.carriers[candidate.credential.provider].provider
    return provider if isinstance(provider, CountsTokens) else None


async def _counted(exchange: Exchange, candidate: Candidate) -> int:
    provider = exchange.proxy.carriers[candidate.credential.provider].provider
    assert isinstance(provider, CountsTokens)
    wire = provider.wire if isinstance(provider, Provider) else None
    conversation, target = for_translation(exchange, candidate.targets[0], wire)
    call = CountCall(
        conversation=conversation,
        credential=candidate.credential,
        target=target,
        deadlines=exchange.snapshot.deadlines,
        client_headers=exchange.arrival.client_headers,
    )
    began = exchange.begin_attempt(candidate, call.target)
    try:
        count = await provider.count_tokens(call)
    except (UpstreamError, UpstreamFault) as error:
        failed = attempt_failed(provider, candidate, error, same_dialect=False)
        exchange.end_attempt(began, failed.failure.detail.status, failed.verdict.reason)
        raise failed from error
    exchange.end_attempt(began, 200)
    return count
