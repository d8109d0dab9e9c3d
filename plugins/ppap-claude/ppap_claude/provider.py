"""Upstreams that are called with an API key: where, with which headers, and what failures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import msgspec

from ppap_core.credentials import Credential, credential_id
from ppap_core.errors import MalformedReply
from ppap_core.exchange import (
    REQUEST_FAULT,
    UNSUPPORTED_MODEL,
    Call,
    CountCall,
    Failure,
    Scope,
    Verdict,
    accepted_body,
    by_status,
)
from ppap_core.models import Model
from ppap_core.upstream import Upstream, UpstreamReply

from .catalogue import CATALOGUE
from .config import ClaudeKey
from .messages import MESSAGES
from .messages.counting import count_request
from .messages.request_decoder import beta_names

NAME: Final = "claude"
LABEL: Final = "claude-apikey"
API_VERSION: Final = "2023-06-01"
"""Sent where the client names no version of the API."""

_SESSION: Final = "x-claude-code-session-id"
_VENDOR_PREFIX: Final = "anthropic-"
_BETAS: Final = "anthropic-beta"

REQUEST_TYPES: Final = ("invalid_request_error", "request_too_large")
ACCOUNT_PHRASES: Final = (
    "credit balance is too low",
    "organization has been disabled",
)
"""What an account cannot do is told as the request's fault; other keys may well serve it (pain 2)."""
_ACCOUNT_EMPTY: Final = Verdict(scope=Scope.CREDENTIAL, reason="payment_required", cooldown=1800.0)


class _Count(msgspec.Struct):
    input_tokens: int


@attrs.frozen
class ClaudeApiKeys:
    """The provider of every ``claude-api-key`` entry."""

    upstream: Upstream
    name = NAME
    wire = MESSAGES

    async def send(self, call: Call) -> UpstreamReply:
        entry: ClaudeKey = call.credential.settings
        return await self.upstream.post(
            f"{entry.base}/v1/messages?beta=true",
            call.body,
            headers_of(call, entry),
            deadlines=call.deadlines,
            proxy_url=call.credential.proxy_url,
        )

    def classify(self, failure: Failure) -> Verdict:
        detail = failure.detail
        if detail.status < 500 and any(phrase in detail.message.lower() for phrase in ACCOUNT_PHRASES):
            return _ACCOUNT_EMPTY
        verdict = by_status(failure)
        if verdict is not UNSUPPORTED_MODEL and detail.status == 400 and detail.type in REQUEST_TYPES:
            return REQUEST_FAULT
        return verdict

    async def count_tokens(self, call: CountCall) -> int:
        """Asks the upstream. Raises `UpstreamError`, or `UpstreamFault` when it refuses."""
        encoded = count_request(call.conversation, call.target)
        entry: ClaudeKey = call.credential.settings
        sent = Call(
            credential=call.credential,
            target=call.target,
            body=encoded.body,
            stream=False,
            headers=encoded.headers,
            client_headers=call.client_headers,
        )
        reply = await self.upstream.post(
            f"{entry.base}/v1/messages/count_tokens?beta=true",
            encoded.body,
            headers_of(sent, entry),
            deadlines=call.deadlines,
            proxy_url=call.credential.proxy_url,
        )
        body = await accepted_body(MESSAGES, reply)
        try:
            return msgspec.json.decode(body, type=_Count).input_tokens
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise MalformedReply("The upstream's token count is not `input_tokens`") from None


def headers_of(call: Call, entry: ClaudeKey) -> dict[str, str]:
    """The request's headers, in lower case (auth spec, 3 and 3.2).

    The client's own ``anthropic-…`` headers and its session id go along; feature names of client
    and body are joined, and none is made up. Headers of the config win over everything.
    """
    headers = {"content-type": "application/json", "accept": "application/json"}
    headers |= _authorization(entry)
    headers["anthropic-version"] = API_VERSION
    headers |= {name: value for name, value in call.client_headers.items() if _goes_along(name)}
    betas = beta_names(f"{headers.get(_BETAS, '')},{call.headers.get(_BETAS, '')}")
    if betas:
        headers[_BETAS] = ",".join(dict.fromkeys(betas))
    if call.stream:
        headers["accept"] = "text/event-stream"
    headers |= entry.headers
    if call.stream:
        headers["accept-encoding"] = "identity"
    return headers


def _authorization(entry: ClaudeKey) -> Mapping[str, str]:
    """In one header, never in both."""
    if entry.is_official:
        return {"x-api-key": entry.api_key}
    return {"authorization": f"Bearer {entry.api_key}"}


def _goes_along(name: str) -> bool:
    return name.startswith(_VENDOR_PREFIX) or name == _SESSION


def credentials_of(entries: Sequence[ClaudeKey]) -> list[Credential]:
    """One for each entry that has a key (auth spec, 1.6)."""
    return [
        entry.credential(
            identity=credential_id("claude:apikey", entry.api_key, entry.base_url),
            provider=NAME,
            label=LABEL,
            key=entry.api_key,
        )
        for entry in entries
        if entry.api_key
    ]


def models_of(credential: Credential) -> list[Model]:
    """The entry's models, the first of each client name; the catalogue if it lists none (6.3)."""
    entry: ClaudeKey = credential.settings
    return CATALOGUE.served(NAME, [model for model in entry.models if model.name])
