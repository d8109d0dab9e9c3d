"""The dispatch loop: from candidate to candidate until one answers (auth spec, 5.4 and 5.6).

A *round* tries every ready candidate once. Further rounds follow if something comes back soon
enough. All of it happens before the client got its first byte.
"""

from __future__ import annotations

import asyncio
import math
import random
from typing import Final

import attrs

from ..conversation import ErrorDetail
from ..credentials import Candidate
from ..credentials.verdict import Scope
from ..wire.format import Target
from .answer import Answer
from .exchange import Exchange, ExchangeFailed
from .failure import AttemptFailed

_BOOTSTRAP_STATUSES: Final = frozenset((401, 402, 403, 408, 429))
_FIRST_PAUSE: Final = 0.5
"""Seconds before the only credential is tried again after a passing trouble; doubles each round."""


async def dispatch(exchange: Exchange) -> Answer:
    """The first good answer. Raises `ExchangeFailed`, and `RequestError` for what cannot be asked."""
    extra = exchange.snapshot.config.core.streaming.bootstrap_retries if exchange.stream else 0
    while True:
        try:
            return await _rounds(exchange)
        except ExchangeFailed as failure:
            status = failure.detail.status
            if extra <= 0 or not exchange.attempts or (status < 500 and status not in _BOOTSTRAP_STATUSES):
                raise
            extra -= 1


async def _rounds(exchange: Exchange) -> Answer:
    number = 0
    outcome = await _round(exchange)
    while True:
        if outcome is None and exchange.proxy.pool.in_trouble(exchange.route):
            # Everybody just failed somehow; one of them may be well again, and 503 helps nobody.
            outcome = await _round(exchange, despite_trouble=True)
        if not isinstance(outcome, AttemptFailed | None):
            return outcome
        pause = _pause_before(exchange, number, outcome)
        if pause is None:
            raise final_failure(exchange, outcome)
        await asyncio.sleep(pause)
        number += 1
        outcome = await _round(exchange)


async def _round(exchange: Exchange, *, despite_trouble: bool = False) -> Answer | AttemptFailed | None:
    """An answer, or the last failure, or ``None`` if there was nobody to try."""
    pool = exchange.proxy.pool
    limit = exchange.snapshot.config.core.max_retry_credentials or math.inf
    tried: set[str] = set()
    last: AttemptFailed | None = None
    while len(tried) < limit:
        candidate = pool.pick(exchange.route, tried, despite_trouble=despite_trouble)
        if candidate is None:
            break
        tried.add(candidate.credential.id)
        for target in pool.targets(exchange.route, candidate, despite_trouble=despite_trouble):
            try:
                return await _attempt(exchange, candidate, target)
            except AttemptFailed as failure:
                last = failure
            if last.verdict.scope is Scope.REQUEST:
                raise final_failure(exchange, last)
            if last.verdict.scope is Scope.CREDENTIAL:
                break
    return last


async def _attempt(exchange: Exchange, candidate: Candidate, target: Target) -> Answer:
    began = exchange.begin_attempt(candidate, target)
    carrier = exchange.proxy.carriers[candidate.credential.provider]
    try:
        answer = await carrier.carry(exchange, candidate, target)
    except AttemptFailed as failed:
        exchange.end_attempt(began, failed.failure.detail.status, failed.verdict.reason)
        exchange.proxy.pool.failed(
            candidate.credential,
            target,
            failed.verdict,
            cooling=not exchange.snapshot.config.core.disable_cooling,
        )
        raise
    except asyncio.CancelledError:
        exchange.end_attempt(began, None, "client_cancelled")
        raise
    exchange.end_attempt(began, 200)
    return answer


def _pause_before(exchange: Exchange, number: int, last: AttemptFailed | None) -> float | None:
    """Seconds to wait before round `number` + 1; ``None``: give up."""
    core = exchange.snapshot.config.core
    patient = [
        candidate
        for candidate in exchange.route.candidates
        if (
            core.request_retry
            if candidate.credential.request_retry is None
            else candidate.credential.request_retry
        )
        > number
    ]
    if core.max_retry_interval <= 0 or not patient:
        return None
    if last is not None and last.verdict.passing and len(exchange.route.candidates) == 1:
        pause = _FIRST_PAUSE * 2.0**number * random.uniform(0.8, 1.2)
        return min(pause, core.max_retry_interval)
    recovery = exchange.proxy.pool.recovery(patient)
    if recovery is None or recovery.seconds > core.max_retry_interval:
        return None
    return recovery.seconds


def final_failure(exchange: Exchange, last: AttemptFailed | None) -> ExchangeFailed:
    """What the client is told when nobody answered."""
    if last is None:
        return ExchangeFailed(_nobody_ready(exchange))
    detail = last.failure.detail
    if last.verdict.scope is not Scope.REQUEST and detail.status in (401, 402, 403):
        # It is about the proxy's own credential; a client told so would throw away its key.
        detail = attrs.evolve(detail, status=503, type=None, code="auth_unavailable")
        return ExchangeFailed(detail)
    headers = exchange.snapshot.passed_through(last.headers)
    return ExchangeFailed(detail, last.failure.body if last.same_dialect else b"", headers)


def _nobody_ready(exchange: Exchange) -> ErrorDetail:
    model = exchange.route.model
    groups = sorted({candidate.credential.group for candidate in exchange.route.candidates})
    recovery = exchange.proxy.pool.recovery(exchange.route.candidates)
    seconds = recovery.seconds if recovery else None
    if recovery is not None and recovery.quota:
        via = f" via provider {groups[0]}" if len(groups) == 1 else ""
        return ErrorDetail(
            message=f"All credentials for model {model} are cooling down{via}",
            status=429,
            type="rate_limit_error",
            code="model_cooldown",
            retry_after=seconds,
        )
    # An account that was refused comes back when its operator mends it, not at a known time: told one,
    # some clients wait for as long as it says.
    passing = exchange.proxy.pool.in_trouble(exchange.route)
    return ErrorDetail(
        message=f"auth_unavailable: no auth available (providers={','.join(groups)}, model={model})",
        status=503,
        code="auth_unavailable",
        retry_after=seconds if passing else None,
    )
