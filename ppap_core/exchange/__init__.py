"""From a client's request to its answer: endpoints, the dispatch loop, and the record of it all."""

from ..credentials.verdict import (
    REQUEST_FAULT,
    UNREACHABLE,
    UNSUPPORTED_MODEL,
    Failure,
    Scope,
    Verdict,
    by_status,
)
from .arrival import Arrival, ClientHeaders
from .carrier import AnyProvider
from .endpoint import counting_endpoint, endpoint
from .provider import Call, CountCall, CountsTokens, EventProvider, Provider
from .record import Attempt, ExchangeRecord, Outcome

__all__ = [
    "REQUEST_FAULT",
    "UNREACHABLE",
    "UNSUPPORTED_MODEL",
    "AnyProvider",
    "Arrival",
    "Attempt",
    "Call",
    "ClientHeaders",
    "CountCall",
    "CountsTokens",
    "EventProvider",
    "ExchangeRecord",
    "Failure",
    "Outcome",
    "Provider",
    "Scope",
    "Verdict",
    "by_status",
    "counting_endpoint",
    "endpoint",
]
