"""One client request, from its arrival to its record."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..access.keys import Identity
from ..conversation import Conversation, ErrorDetail, ThinkingIntent, Usage
from ..conversation.thinking import UNSET
from ..credentials import Candidate, Route
from ..errors import PpapError
from ..models import ListedModel
from ..wire.abilities import ability, family_of
from ..wire.body import JsonBody
from ..wire.format import ClientWire, Target
from .arrival import Arrival
from .outgoing import log, outline
from .provider import Provider
from .record import Attempt, ExchangeRecord, Outcome

if TYPE_CHECKING:
    from ..proxy import Proxy

_IDS_AT_ONCE: Final = 256
"""Request ids drawn from the system's randomness in one call, as each call costs some 3 µs."""
CLIENT_CLOSED = 499
ANONYMOUS = Identity(principal="", source="")


def _request_ids() -> Iterator[str]:
    """Eight hexadecimal digits each."""
    while True:
        drawn = secrets.token_hex(4 * _IDS_AT_ONCE)
        yield from (drawn[start : start + 8] for start in range(0, len(drawn), 8))


_ids: Final = _request_ids()


class ExchangeFailed(PpapError):
    """No upstream could serve the request. ``body`` is the upstream's own refusal, if the client
    speaks its dialect; otherwise empty. ``headers`` are those of it that the client gets."""

    def __init__(
        self, detail: ErrorDetail, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail.message)
        self.detail = detail
        self.body = body
        self.headers = headers


class Exchange:
    """What is known of a request while it is served. Keeps the snapshot it started with."""

    __slots__ = (
        "_conversation",
        "_error",
        "_first_violation",
        "_outcome",
        "_queued",
        "_started_at",
        "arrival",
        "attempts",
        "body",
        "first_byte",
        "id",
        "identity",
        "listed",
        "model",
        "named",
        "proxy",
        "route",
        "serving",
        "snapshot",
        "started",
        "status",
        "stream",
        "stream_violations",
        "thinking",
        "usage",
        "wire",
    )

    def __init__(self, proxy: Proxy, wire: ClientWire, arrival: Arrival) -> None:
        self.proxy = proxy
        self.snapshot = proxy.snapshot
        self.wire = wire
        self.arrival = arrival
        self.id = next(_ids)
        self.started = time.perf_counter()
        self._started_at = time.time()
        self.identity = ANONYMOUS
        self.model = ""
        self.stream = False
        self.thinking = UNSET
        """What the body asks for."""
        self.body: JsonBody
        self.listed: ListedModel
        self.named = UNSET
        """What the model's name asks for."""
        self.route: Route
        self.serving: tuple[Candidate, Target] | None = None
        self.attempts: list[Attempt] = []
        self.status = 0
        self.first_byte: float | None = None
        self.usage: Usage | None = None
        self._conversation: Conversation | None = None
        self._outcome: Outcome = "succeeded"
        self._error = ""
        self._queued = 0.0
        self.stream_violations = 0
        self._first_violation = ""

    def accept(self, body: JsonBody) -> None:
        """Looks at the body, finds out who can serve it, and whether this client may have it.

        Raises `RequestError`.
        """
        self.body = body
        peek = self.wire.peek(body)
        self.model = peek.model
        self.stream = peek.stream
        self.thinking = peek.thinking
        index = self.snapshot.index
        asked = index.resolve(peek.model, self.proxy.available, self._is_of_the_family)
        self.listed, self.named = asked.model, asked.intent
        self.route = index.able(asked.route, self.thinking if self.named == UNSET else self.named)
        self.proxy.admit(self)

    @property
    def model_names(self) -> tuple[str, ...]:
        """All that the requested model goes by; a rule for any of them is a rule for it."""
        return self.listed.names(self.named)

    def _is_of_the_family(self, route: Route) -> bool:
        """Whether somebody serves it in the client's own family of formats."""
        carriers = (self.proxy.carriers[each.credential.provider] for each in route.candidates)
        providers = (ability(each.provider, Provider) for each in carriers)
        family = family_of(self.wire)
        return any(each is not None and family_of(each.wire) == family for each in providers)

    def named_intent(self, target: Target) -> ThinkingIntent:
        """What the model's name says about thinking; the target's own name goes before the client's."""
        return target.intent if target.intent.mode != "unset" else self.named

    @property
    def conversation(self) -> Conversation:
        """The request, decoded when first asked for. Raises `InvalidRequest`."""
        if self._conversation is None:
            self._conversation = self.wire.decode_request(self.body)
        return self._conversation

    def begin_attempt(self, candidate: Candidate, target: Target) -> float:
        """Returns the time at which it began."""
        self.serving = (candidate, target)
        now = time.perf_counter()
        self._queued = now - self.started
        return now

    def end_attempt(self, began: float, status: int | None, reason: str = "") -> None:
        if self.serving is not None:
            candidate, target = self.serving
            credential = candidate.credential
            self.attempts.append(
                Attempt(
                    credential_id=credential.id,
                    provider=credential.label,
                    model=target.model,
                    status=status,
                    reason=reason,
                    seconds=time.perf_counter() - began,
                )
            )

    def mark_first_byte(self) -> None:
        if self.first_byte is None:
            self.first_byte = time.perf_counter() - self.started

    def failed(self, detail: ErrorDetail) -> None:
        """The client was, or is about to be, told of a failure."""
        self._outcome = "failed" if self.attempts else "refused"
        self._error = detail.code or detail.type or detail.message

    def note_violations(self, found: list[str], data: bytes) -> None:
        """What a guard found in the client's stream, and the bytes in which it did."""
        self._first_violation = self._first_violation or found[0]
        self.stream_violations += len(found)
        self.proxy.violations.note(self.wire.name, found)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("request %s: %s; in %s", self.id, "; ".join(found), outline(data))

    def report_violations(self) -> None:
        """One line of log, if anything was found."""
        if self.stream_violations:
            credential = self.serving[0].credential.label if self.serving else "no upstream"
            log.warning(
                "request %s: the %s stream of %s broke the rules of its format %d times, first: %s",
                self.id,
                self.wire.name,
                credential,
                self.stream_violations,
                self._first_violation,
            )

    def cancelled(self) -> None:
        """The client left: nobody's failure."""
        self._outcome = "cancelled"
        self._error = "client_cancelled"
        self.status = CLIENT_CLOSED

    def record(self) -> ExchangeRecord:
        candidate, target = self.serving or (None, None)
        credential = candidate.credential if candidate else None
        named = self.named_intent(target) if target else self.named
        return ExchangeRecord(
            id=self.id,
            started_at=self._started_at,
            method=self.arrival.method,
            path=self.arrival.path,
            surface=self.wire.name,
            client_address=self.arrival.client_address,
            principal=self.identity.principal,
            requested_model=self.model,
            served_model=target.model if target else "",
            provider=credential.provider if credential else "",
            credential_id=credential.id if credential else "",
            credential_label=credential.label if credential else "",
            reasoning_effort=named.label or self.thinking.label,
            stream=self.stream,
            status=self.status,
            outcome=self._outcome,
            error=self._error,
            usage=self.usage,
            further_usage=_by_tools(self.usage),
            queued=self._queued,
            first_byte=self.first_byte,
            total=time.perf_counter() - self.started,
            attempts=tuple(self.attempts),
            stream_violations=self.stream_violations,
        )


def _by_tools(usage: Usage | None) -> tuple[tuple[str, Usage], ...]:
    if usage is None or not usage.by_tools:
        return ()
    return tuple((tool.model, tool.usage) for tool in usage.by_tools if not tool.usage.is_nothing)
