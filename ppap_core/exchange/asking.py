"""Asking for what only some upstreams do, one credential after the other until one has done it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from ..conversation import ErrorDetail
from ..credentials import Candidate
from ..credentials.verdict import Scope
from ..errors import UpstreamError, UpstreamFault
from .dispatch import final_failure
from .exchange import Exchange, ExchangeFailed
from .failure import AttemptFailed, attempt_failed

T = TypeVar("T")


def narrow(exchange: Exchange, able: Callable[[Candidate], bool], missing: ErrorDetail) -> None:
    """Leaves the exchange with those of its candidates that can do it.

    Raises `ExchangeFailed`, with what is missing, if none can.
    """
    left = tuple(filter(able, exchange.route.candidates))
    if not left:
        raise ExchangeFailed(missing)
    exchange.route = attrs.evolve(exchange.route, candidates=left)


def not_supported(message: str) -> ErrorDetail:
    return ErrorDetail(message=message, status=501, code="not_supported")


async def first_answer(
    exchange: Exchange,
    ask: Callable[[Candidate], Awaitable[T]],
    *,
    same_dialect: bool,
    learns: bool,
) -> T:
    """What the first credential answers that can. `ask` raises `UpstreamError` or `UpstreamFault`.

    ``learns``: a failure says something about the credential. ``same_dialect``: the client could
    read the upstream's refusal. Raises `ExchangeFailed`, and what else `ask` raises.
    """
    pool = exchange.proxy.pool
    cooling = not exchange.snapshot.config.core.disable_cooling
    tried: set[str] = set()
    last: AttemptFailed | None = None
    while (candidate := pool.pick(exchange.route, tried)) is not None:
        credential, target = candidate.credential, candidate.targets[0]
        tried.add(credential.id)
        began = exchange.begin_attempt(candidate, target)
        try:
            answer = await ask(candidate)
        except (UpstreamError, UpstreamFault) as error:
            provider = exchange.proxy.carriers[credential.provider].provider
            last = attempt_failed(provider, candidate, error, same_dialect)
            exchange.end_attempt(began, last.failure.detail.status, last.verdict.reason)
            if learns:
                pool.failed(credential, target, last.verdict, cooling=cooling)
            if last.verdict.scope is Scope.REQUEST:
                break
            continue
        exchange.end_attempt(began, 200)
        if learns:
            pool.succeeded(credential, target)
        return answer
    raise final_failure(exchange, last)
