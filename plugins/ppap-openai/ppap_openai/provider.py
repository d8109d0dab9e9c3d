"""Upstreams that speak Chat Completions: how they are called, and what their failures mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from ppap_core.credentials import Credential, credential_id, models_by_client_name
from ppap_core.exchange import Call, CountCall, Failure, ForwardCall, Verdict
from ppap_core.models import Model
from ppap_core.upstream import Upstream, UpstreamReply

from .chat import CHAT
from .config import SECTION, CompatibleUpstream
from .embeddings import EMBEDDINGS, PATH
from .images import EDITS, GENERATIONS
from .responses import OPERATION, compact_body
from .tokens import estimate
from .verdicts import verdict_of

CHAT_PATH: Final = "/chat/completions"
OTHER_PATHS: Final[Mapping[str, str]] = {
    EMBEDDINGS.name: PATH,
    GENERATIONS.name: GENERATIONS.action.path,
    EDITS.name: EDITS.action.path,
}
"""Where requests go, below the base URL."""


@attrs.frozen
class Account:
    """What a credential of this provider knows of its upstream."""

    entry: CompatibleUpstream
    api_key: str = attrs.field(repr=False)

    def url_of(self, path: str) -> str:
        return f"{self.entry.base_url.rstrip('/')}{path}"


@attrs.frozen
class OpenAICompatible:
    """The provider of every ``openai-compatibility`` entry."""

    upstream: Upstream
    name = SECTION
    wire = CHAT
    also = (EMBEDDINGS, GENERATIONS, EDITS)
    operations = (OPERATION,)

    async def send(self, call: Call) -> UpstreamReply:
        return await self._post(call, OTHER_PATHS.get(call.wire, CHAT_PATH))

    async def forward(self, call: ForwardCall) -> UpstreamReply:
        sent = Call(
            credential=call.credential,
            target=call.target,
            body=compact_body(call.body, call.target),
            stream=False,
            deadlines=call.deadlines,
        )
        return await self._post(sent, call.operation)

    async def _post(self, call: Call, path: str) -> UpstreamReply:
        account: Account = call.credential.settings
        return await self.upstream.post(
            account.url_of(path),
            call.body,
            headers_of(call, account),
            deadlines=call.deadlines,
            proxy_url=call.credential.proxy_url,
        )

    def classify(self, failure: Failure) -> Verdict:
        return verdict_of(failure)

    async def count_tokens(self, call: CountCall) -> int:
        """An estimate: these upstreams offer no count (translation spec, C.20)."""
        return estimate(call.conversation)


def headers_of(call: Call, account: Account) -> Mapping[str, str]:
    """The request's headers; those of the config win over all (auth spec, 3)."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    if call.stream:
        headers |= {"accept": "text/event-stream", "cache-control": "no-cache"}
    if account.api_key:
        headers["authorization"] = f"Bearer {account.api_key}"
    headers |= call.headers
    return headers | account.entry.headers


def credentials_of(entries: Sequence[CompatibleUpstream]) -> list[Credential]:
    """One for each key; one without a key for an entry that has none (auth spec, 1.6)."""
    return [
        credential
        for entry in entries
        if entry.base_url and not entry.disabled
        for credential in _credentials_of_entry(entry)
    ]


def _credentials_of_entry(entry: CompatibleUpstream) -> Iterator[Credential]:
    kind = f"{SECTION}:{entry.label}"
    if not entry.api_key_entries:
        yield _credential(entry, credential_id(kind, entry.base_url), "", entry.proxy_url)
    for key in entry.api_key_entries:
        identity = credential_id(kind, key.api_key, entry.base_url, key.proxy_url)
        yield _credential(entry, identity, key.api_key, key.proxy_url or entry.proxy_url)


def _credential(entry: CompatibleUpstream, identity: str, api_key: str, proxy_url: str) -> Credential:
    credential = entry.credential(
        identity=identity,
        provider=SECTION,
        label=entry.label,
        key=api_key,
        settings=Account(entry, api_key),
    )
    return attrs.evolve(credential, proxy_url=proxy_url, request_retry=entry.request_retry)


def models_of(credential: Credential) -> list[Model]:
    """The entry's models by client name; several upstream names under one are a pool (6.5)."""
    account: Account = credential.settings
    configured = [model for model in account.entry.models if model.name]
    pools = models_by_client_name(configured)
    by_name = {model.name: model for model in reversed(configured)}
    return [
        Model(
            id=client_name,
            upstream=tuple(pool),
            owner=account.entry.name or SECTION,
            display_name=pool[0],
            thinking=by_name[pool[0]].support,
            configured=True,
        )
        for client_name, pool in pools.items()
    ]
