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
from .asking import narrow
from .body import ClientGone, read_bytes
from .endpoint import (
    Addressed,
    Admit,
    ReadAddress,
    Work,
    addressed_app,
    addressed_endpoint,
    counting,
    counting_endpoint,
    endpoint,
    generate,
    relayed_only,
    respond,
)
from .exchange import ANONYMOUS, ExchangeFailed
from .failure import accepted_body
from .forwarding import FitsForwarded, ForwardCall, Forwards, forwarding
from .provider import AnyProvider, Call, CountCall, CountsTokens, EventProvider, Provider, SpeaksMore
from .record import Attempt, ExchangeRecord, Outcome
from .shaping import OutgoingRequest, RequestShaper

__all__ = [
    "ANONYMOUS",
    "REQUEST_FAULT",
    "UNREACHABLE",
    "UNSUPPORTED_MODEL",
    "Addressed",
    "Admit",
    "AnyProvider",
    "Arrival",
    "Attempt",
    "Call",
    "ClientGone",
    "ClientHeaders",
    "CountCall",
    "CountsTokens",
    "EventProvider",
    "ExchangeFailed",
    "ExchangeRecord",
    "Failure",
    "FitsForwarded",
    "ForwardCall",
    "Forwards",
    "Outcome",
    "OutgoingRequest",
    "Provider",
    "ReadAddress",
    "RequestShaper",
    "Scope",
    "SpeaksMore",
    "Verdict",
    "Work",
    "accepted_body",
    "addressed_app",
    "addressed_endpoint",
    "by_status",
    "counting",
    "counting_endpoint",
    "endpoint",
    "forwarding",
    "generate",
    "narrow",
    "read_bytes",
    "relayed_only",
    "respond",
]
