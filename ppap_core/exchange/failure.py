"""A failed attempt: what went wrong, whose fault it was, and nothing secret about it."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from types import MappingProxyType

import attrs

from ..conversation import ErrorDetail
from ..credentials import Candidate
from ..credentials.verdict import UNREACHABLE, Failure, Verdict
from ..errors import MalformedReply, UpstreamError, UpstreamFault
from ..upstream import UpstreamReply
from ..wire.abilities import RetellsErrors, ability
from ..wire.format import UpstreamWire
from .provider import AnyProvider


class AttemptFailed(Exception):
    """`verdict` says what follows. ``same_dialect``: the client could read the upstream's body.

    ``headers`` came with it.
    """

    def __init__(
        self,
        failure: Failure,
        verdict: Verdict,
        *,
        same_dialect: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(failure.detail.message)
        self.failure = failure
        self.verdict = verdict
        self.same_dialect = same_dialect
        self.headers = headers


def attempt_failed(
    provider: AnyProvider,
    candidate: Candidate,
    error: UpstreamError | UpstreamFault,
    same_dialect: bool,
) -> AttemptFailed:
    """The failure with its verdict, and without the credential's secrets."""
    if isinstance(error, UpstreamFault):
        failure = Failure(
            detail=_scrubbed(error.detail, candidate), body=_scrubbed_body(error.body, candidate)
        )
        return AttemptFailed(
            failure, provider.classify(failure), same_dialect=same_dialect, headers=error.headers
        )
    failure = Failure(detail=error.detail)
    if isinstance(error, MalformedReply):
        return AttemptFailed(failure, provider.classify(failure))
    return AttemptFailed(failure, UNREACHABLE)


async def accepted_body(wire: UpstreamWire, reply: UpstreamReply) -> bytes:
    """The whole body of a success; the reply is closed. Raises `UpstreamFault` and `UpstreamError`."""
    if not 200 <= reply.status < 300:
        raise await refusal(wire, reply)
    return await _body_of(reply)


async def refusal(wire: UpstreamWire, reply: UpstreamReply) -> UpstreamFault:
    """What an answer says that is no success; it is read to its end, and closed."""
    body = await _body_of(reply)
    detail = wire.decode_error(reply.status, body)
    if detail.retry_after is None:
        detail = attrs.evolve(detail, retry_after=retry_after(reply.headers.get("retry-after", "")))
    retelling = ability(wire, RetellsErrors)
    anew = retelling is not None and retelling.retells(reply.status, body)
    return UpstreamFault(detail, b"" if anew else body, reply.headers)


async def _body_of(reply: UpstreamReply) -> bytes:
    try:
        return await reply.body()
    finally:
        await reply.close()


def _scrubbed(detail: ErrorDetail, candidate: Candidate) -> ErrorDetail:
    message = detail.message
    for secret in candidate.credential.secrets:
        message = message.replace(secret, "[key]")
    return detail if message == detail.message else attrs.evolve(detail, message=message)


def _scrubbed_body(body: bytes, candidate: Candidate) -> bytes:
    for secret in candidate.credential.secrets:
        body = body.replace(secret.encode(), b"[key]")
    return body


def retry_after(value: str) -> float | None:
    """Seconds from a ``Retry-After`` header, which holds seconds or a date; ``None`` if it is neither."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (TypeError, ValueError):
        return None
