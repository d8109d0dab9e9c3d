"""What a failed attempt means: for this request, and for the credential (auth spec, 5.1).

The table is what holds for every upstream. A provider whose upstream says more in its error body
reads that first and falls back to `by_status`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from ..conversation import ErrorDetail


class Scope(enum.Enum):
    """What is at fault, and so what cools down."""

    REQUEST = "request"
    """The client's own mistake: nobody is to blame, nobody else is tried."""
    MODEL = "model"
    """This model on this credential."""
    CREDENTIAL = "credential"
    """The whole account or key."""
    NOTHING = "nothing"
    """A mishap: the next candidate is tried, nothing is remembered."""


@attrs.frozen(kw_only=True)
class Failure:
    """One failed attempt. ``body`` is the upstream's own words, if it said any."""

    detail: ErrorDetail
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Verdict:
    """``cooldown`` in seconds; ``None`` means none.

    ``backoff``: no fixed time, but double the last one each time, from ``cooldown`` seconds up to
    ``ceiling``. ``quota``: the account is healthy and has used up its share (429).
    ``lasting``: cools down even where ``disable-cooling`` is set.
    """

    scope: Scope
    reason: str
    cooldown: float | None = None
    backoff: bool = False
    ceiling: float = 1800.0
    quota: bool = False
    lasting: bool = False
    passing: bool = False
    """The upstream itself is in trouble; worth another try in a moment on the same credential."""


MINUTE: Final = 60.0
HALF_HOUR: Final = 1800.0
HALF_DAY: Final = 43200.0
MAX_HINT: Final = 7 * 86400.0
"""An upstream's "try again in" beyond this is not believed (pain 1)."""

REQUEST_FAULT: Final = Verdict(scope=Scope.REQUEST, reason="request")
UNSUPPORTED_MODEL: Final = Verdict(
    scope=Scope.MODEL, reason="model_not_supported", cooldown=HALF_DAY, lasting=True
)
UNREACHABLE: Final = Verdict(
    scope=Scope.CREDENTIAL,
    reason="unreachable",
    cooldown=10.0,
    backoff=True,
    ceiling=MINUTE,
    passing=True,
)
_TROUBLE: Final = Verdict(scope=Scope.MODEL, reason="upstream_error", cooldown=MINUTE, passing=True)
_QUOTA: Final = Verdict(scope=Scope.MODEL, reason="quota", cooldown=1.0, backoff=True, quota=True)
_MISHAP: Final = Verdict(scope=Scope.NOTHING, reason="error")

BY_STATUS: Final[Mapping[int, Verdict]] = {
    401: Verdict(scope=Scope.CREDENTIAL, reason="unauthorized", cooldown=HALF_HOUR),
    402: Verdict(scope=Scope.CREDENTIAL, reason="payment_required", cooldown=HALF_HOUR),
    403: Verdict(scope=Scope.MODEL, reason="forbidden", cooldown=HALF_HOUR),
    404: Verdict(scope=Scope.MODEL, reason="not_found", cooldown=HALF_DAY),
    408: _TROUBLE,
    413: REQUEST_FAULT,
    422: REQUEST_FAULT,
    429: _QUOTA,
    **dict.fromkeys((500, 502, 503, 504, 529, *range(520, 525)), _TROUBLE),
}

UNSUPPORTED_PHRASES: Final = (
    "model_not_supported",
    "requested model is not supported",
    "requested model is unsupported",
    "requested model is unavailable",
    "model is not supported",
    "model not supported",
    "unsupported model",
    "model unavailable",
    "not available for your plan",
    "not available for your account",
)


def by_status(failure: Failure) -> Verdict:
    """The verdict that the status and a few phrases common to all upstreams call for."""
    status = failure.detail.status
    if status in (400, 422) and _says_unsupported(failure):
        return UNSUPPORTED_MODEL
    verdict = BY_STATUS.get(status, _MISHAP)
    hint = failure.detail.retry_after
    if verdict.quota and hint is not None and 0 < hint <= MAX_HINT:
        return attrs.evolve(verdict, cooldown=hint, backoff=False)
    return verdict


def _says_unsupported(failure: Failure) -> bool:
    text = f"{failure.detail.code} {failure.detail.message}".lower()
    return any(phrase in text for phrase in UNSUPPORTED_PHRASES)
