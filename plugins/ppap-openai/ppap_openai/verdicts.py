"""What a failure means, by OpenAI's words for it (auth spec, 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from ppap_core.exchange import REQUEST_FAULT, UNSUPPORTED_MODEL, Failure, Scope, Verdict, by_status

REQUEST_WORDS: Final = (
    "context_length_exceeded",
    "context_too_large",
    "previous_response_not_found",
    "content_policy_violation",
    "content_filter",
)
"""Codes of failures that lie in the request itself, whatever their status (auth spec, 5.1)."""
REQUEST_PHRASES: Final = ("items are not persisted when `store` is set to false",)
ACCOUNT_WORDS: Final = ("insufficient_quota", "billing_not_active", "account_deactivated")
"""Codes of limits that hold for the whole account, not for one model (pain 2)."""
DISCONNECTED: Final = (
    "stream disconnected before completion",
    "stream closed before response.completed",
)
DISCONNECT_MISHAP: Final = Verdict(scope=Scope.NOTHING, reason="disconnected")


def verdict_of(failure: Failure) -> Verdict:
    """The verdict on a failure of an upstream that speaks one of OpenAI's formats."""
    verdict = by_status(failure)
    if verdict is UNSUPPORTED_MODEL:
        return verdict
    if _is_request_fault(failure):
        return REQUEST_FAULT
    if verdict.quota and failure.detail.code in ACCOUNT_WORDS:
        return attrs.evolve(verdict, scope=Scope.CREDENTIAL)
    if failure.detail.status == 408 and _says(failure, DISCONNECTED):
        return DISCONNECT_MISHAP
    return verdict


def _is_request_fault(failure: Failure) -> bool:
    detail = failure.detail
    words = (detail.type, detail.code)
    if detail.status == 400 and "invalid_request_error" in words:
        return True
    if detail.status < 500 and any(word in REQUEST_WORDS for word in words):
        return True
    return _says(failure, REQUEST_PHRASES)


def _says(failure: Failure, phrases: Sequence[str]) -> bool:
    text = failure.detail.message.lower()
    return any(phrase in text for phrase in phrases)
