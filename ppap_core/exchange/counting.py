"""Counting a request's input tokens: by the upstream, or however its provider can."""

from __future__ import annotations

from ..conversation import ErrorDetail
from ..errors import UpstreamError, UpstreamFault
from .carrier import AttemptFailed, attempt_failed
from .exchange import Exchange, ExchangeFailed
from .provider import CountsTokens


async def count_tokens(exchange: Exchange) -> int:
    """Input tokens, from the first credential whose provider can count them.

    Counting teaches nothing about a credential's health: a failure only leads to the next one.
    Raises `ExchangeFailed`, and `RequestError`.
    """
    last: AttemptFailed | None = None
    tried: set[str] = set()
    while (candidate := exchange.proxy.pool.pick(exchange.route, tried)) is not None:
        tried.add(candidate.credential.id)
        provider = exchange.proxy.carriers[candidate.credential.provider].provider
        if not isinstance(provider, CountsTokens):
            continue
        target = candidate.targets[0]
        began = exchange.begin_attempt(candidate, target)
        try:
            count = await provider.count_tokens(exchange.conversation, candidate.credential, target)
        except (UpstreamError, UpstreamFault) as error:
            last = attempt_failed(provider, candidate, error, same_dialect=False)
            exchange.end_attempt(began, last.failure.detail.status, last.verdict.reason)
            continue
        exchange.end_attempt(began, 200)
        return count
    if last is not None:
        raise ExchangeFailed(last.failure.detail)
    raise ExchangeFailed(
        ErrorDetail(
            message=f"No upstream of model {exchange.route.model} can count tokens now",
            status=501,
            code="not_supported",
        )
    )
