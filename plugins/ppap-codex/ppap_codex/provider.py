"""Upstreams that speak the dialect: where they are, with which headers, and what failures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import msgspec
from ppap_openai.responses import OPERATION
from ppap_openai.tokens import estimate
from ppap_openai.verdicts import verdict_of

from ppap_core.credentials import Credential, credential_id
from ppap_core.exchange import (
    REQUEST_FAULT,
    Call,
    CountCall,
    Failure,
    ForwardCall,
    Scope,
    Verdict,
)
from ppap_core.models import Model
from ppap_core.upstream import Upstream, UpstreamReply
from ppap_core.wire import JsonBody, Target

from .catalogue import IMAGES, served
from .config import CodexKey
from .dialect import CODEX
from .dialect.compact import compact_body, offering_drawing
from .dialect.errors import AUTH_UNAVAILABLE, KINDS, USAGE_LIMIT
from .dialect.wire import SESSION

NAME: Final = "codex"
LABEL: Final = "codex-apikey"
BACKEND: Final = "https://chatgpt.com/backend-api/codex"
"""The address of accounts that name none."""

PASSED_ON: Final = frozenset(
    {
        "originator",
        "session-id",
        "session_id",
        "thread-id",
        "thread_id",
        "user-agent",
        "version",
        "x-client-request-id",
        "x-codex-beta-features",
        "x-codex-turn-metadata",
        "x-codex-window-id",
    }
)
"""What a client says of itself and of its conversation (auth spec, 3.1). Nothing is made up for one
that says less."""
SESSIONS: Final = ("session_id", "session-id")

_ACCOUNT_REFUSED: Final = Verdict(scope=Scope.CREDENTIAL, reason="unauthorized", cooldown=1800.0)
_REQUEST_CODES: Final = frozenset(kind.code for kind in KINDS) - {AUTH_UNAVAILABLE}


@attrs.frozen(kw_only=True)
class Account:
    """What a credential of this provider knows of its upstream."""

    base_url: str = BACKEND
    token: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """By names in lower case; they win over all others."""
    models: Sequence[Model] = ()

    def url_of(self, path: str) -> str:
        return f"{self.base_url.rstrip('/')}{path}"


@attrs.frozen
class Codex:
    """The provider of every account that speaks the dialect."""

    upstream: Upstream
    name = NAME
    wire = CODEX
    operations = (OPERATION,)

    def draws_images(self, credential: Credential, target: Target) -> bool:
        """`ppap_openai.images.DrawsImages`."""
        return target.model == IMAGES

    async def send(self, call: Call) -> UpstreamReply:
        return await self._post(call, "/responses", with_cache_key(call))

    def fitted(self, call: ForwardCall) -> JsonBody:
        return offering_drawing(call.body, call.target)

    async def forward(self, call: ForwardCall) -> UpstreamReply:
        sent = Call(
            credential=call.credential,
            target=call.target,
            body=compact_body(call.body, call.target),
            stream=False,
            deadlines=call.deadlines,
            client_headers=call.client_headers,
        )
        return await self._post(sent, call.operation, sent.body)

    async def _post(self, call: Call, path: str, body: bytes) -> UpstreamReply:
        account: Account = call.credential.settings
        return await self.upstream.post(
            account.url_of(path),
            body,
            headers_of(call, account, streams=path != OPERATION),
            deadlines=call.deadlines,
            proxy_url=call.credential.proxy_url,
        )

    def classify(self, failure: Failure) -> Verdict:
        detail = failure.detail
        if detail.code == AUTH_UNAVAILABLE:
            return _ACCOUNT_REFUSED
        if detail.code in _REQUEST_CODES and detail.status < 500:
            return REQUEST_FAULT
        verdict = verdict_of(failure)
        if verdict.quota and USAGE_LIMIT in (detail.type, detail.code):
            return attrs.evolve(verdict, scope=Scope.CREDENTIAL)
        return verdict

    async def count_tokens(self, call: CountCall) -> int:
        """An estimate: these upstreams offer no count (translation spec, C.20)."""
        return estimate(call.conversation)


def headers_of(call: Call, account: Account, *, streams: bool) -> dict[str, str]:
    """The request's headers, in lower case (auth spec, 3 and 3.1)."""
    own = {name: value for name, value in call.client_headers.items() if name in PASSED_ON}
    session = next((own[name] for name in SESSIONS if own.get(name)), "")
    return {
        "content-type": "application/json",
        "accept": "text/event-stream" if streams else "application/json",
        "authorization": f"Bearer {account.token}",
        **call.headers,
        **({SESSION: session} if session else {}),
        **own,
        **account.headers,
    }


def with_cache_key(call: Call) -> bytes:
    """The body; if it has no cache key, the client's own session is one (auth spec, 3.1)."""
    if SESSION in call.headers:
        return call.body
    session = next((call.client_headers[name] for name in SESSIONS if name in call.client_headers), "")
    if not session:
        return call.body
    return JsonBody(call.body).edited({"prompt_cache_key": msgspec.json.encode(session)})


# --- credentials ------------------------------------------------------------------------------


def credentials_of(entries: Sequence[CodexKey]) -> list[Credential]:
    """One for each entry that has a key and an address (auth spec, 1.6)."""
    return [_credential(entry) for entry in entries if entry.api_key and entry.base_url]


def _credential(entry: CodexKey) -> Credential:
    return entry.credential(
        identity=credential_id("codex:apikey", entry.api_key, entry.base_url),
        provider=NAME,
        label=LABEL,
        key=entry.api_key,
        settings=Account(
            base_url=entry.base_url,
            token=entry.api_key,
            headers=entry.headers,
            models=served(entry.models),
        ),
    )
