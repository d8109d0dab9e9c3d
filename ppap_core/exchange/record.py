"""What happened to one request: everything that logs, analytics and queues need, once, at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from ..conversation import Usage

Outcome = Literal["succeeded", "failed", "refused", "cancelled"]


@attrs.frozen(kw_only=True)
class Attempt:
    """One call to an upstream. ``status`` is its HTTP status, or what its in-band error stands for."""

    credential_id: str
    provider: str
    model: str
    status: int | None
    reason: str
    """The verdict's reason; empty for a success."""
    seconds: float


@attrs.frozen(kw_only=True)
class ExchangeRecord:
    """One client request from arrival to its end. Times in seconds, tokens as reported.

    ``outcome``: ``refused`` means that no upstream was called; ``cancelled`` that the client left,
    which is told as status 499 and counts against nobody.
    ``usage`` is what ``served_model`` took; ``further_usage`` what other models did, such as the one
    behind a tool that draws: pairs of model and tokens, none without any (usage spec, 1).
    ``first_byte`` runs from arrival to the first byte that went to the client; ``None``: none did.
    """

    id: str
    started_at: float
    """Unix time."""
    method: str
    path: str
    surface: str
    """Name of the wire format the client spoke; empty for routes without one."""
    client_address: str
    principal: str
    """Who the client is: a hash of its key, or empty when access is open."""
    requested_model: str
    served_model: str
    provider: str
    credential_id: str
    credential_label: str
    reasoning_effort: str
    """How much thinking was asked for, as a level, ``none`` or ``auto``; empty: nothing was said."""
    stream: bool
    status: int
    outcome: Outcome
    error: str
    usage: Usage | None
    further_usage: Sequence[tuple[str, Usage]] = ()
    queued: float
    """Seconds from arrival until the last attempt began."""
    first_byte: float | None
    total: float
    attempts: Sequence[Attempt]
    stream_violations: int = 0
    """How often a streamed answer broke the rules of the client's format, as far as a guard watched."""
