"""Google's two APIs: where they are called, with which headers, and what failures mean."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import quote

import attrs
import msgspec

from ppap_core.credentials import Credential, ModelEntry, credential_id
from ppap_core.errors import MalformedReply
from ppap_core.exchange import (
    REQUEST_FAULT,
    UNSUPPORTED_MODEL,
    Call,
    CountCall,
    Failure,
    ForwardCall,
    Scope,
    Verdict,
    accepted_body,
    by_status,
)
from ppap_core.models import Model
from ppap_core.upstream import Deadlines, Upstream, UpstreamReply
from ppap_core.wire import JsonBody, Target

from .catalogue import CATALOGUE
from .config import GeminiKey, VertexKey
from .generate import GEMINI
from .generate.addressed import COUNT, GENERATE, STREAM
from .generate.counting import read_count, whole_request, without_settings
from .generate.embedding import EMBEDDINGS, renamed
from .generate.request_decoder import model_of
from .vertex.account import VertexAccount
from .vertex.imagen import PREDICT, DrawnReply, draws, prediction_request
from .vertex.tokens import AccessTokens

KEY_HEADER: Final = "x-goog-api-key"

REQUEST_WORDS: Final = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE")
ACCOUNT_REASONS: Final = frozenset(
    {
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_INVALID",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "API_KEY_SERVICE_BLOCKED",
        "BILLING_DISABLED",
        "CONSUMER_INVALID",
        "CONSUMER_SUSPENDED",
        "SERVICE_DISABLED",
    }
)
ACCOUNT_PHRASES: Final = ("api key not valid", "api key expired", "user location is not supported")
"""What a key cannot do is told as the request's fault; other keys may well serve it (pain 2)."""
_KEY_REFUSED: Final = Verdict(scope=Scope.CREDENTIAL, reason="unauthorized", cooldown=1800.0)

Entry = GeminiKey | VertexKey | VertexAccount
Key = GeminiKey | VertexKey


@attrs.frozen(kw_only=True)
class Place:
    """How one of Google's two APIs is used."""

    name: str
    label: str
    operations: Container[str] = ()
    count_body: Callable[[JsonBody, Target], bytes]

    def url(self, entry: Entry, model: str, method: str) -> str:
        """The address of a method of a model."""
        query = "?alt=sse" if method == STREAM else ""
        return f"{entry.models_url}/{quote(model_of(model), safe='/@')}:{method}{query}"


GEMINI_API: Final = Place(
    name="gemini",
    label="gemini-apikey",
    operations=EMBEDDINGS,
    count_body=whole_request,
)
VERTEX_AI: Final = Place(
    name="vertex",
    label="vertex-apikey",
    count_body=without_settings,
)


@attrs.frozen
class GoogleApi:
    """The provider of every key of one section, and of every account in a file."""

    upstream: Upstream
    place: Place
    _tokens: AccessTokens = attrs.field(
        init=False, default=attrs.Factory(lambda self: AccessTokens(self.upstream), takes_self=True)
    )
    wire = GEMINI

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def operations(self) -> Container[str]:
        return self.place.operations

    async def send(self, call: Call) -> UpstreamReply:
        entry: Entry = call.credential.settings
        if draws(call.target.model):
            asked = prediction_request(call.body)
            reply = await self._post(call.credential, call.target, PREDICT, asked, call.deadlines)
            return DrawnReply(reply, call.target.model)
        method = STREAM if call.stream else GENERATE
        body = with_safety_settings(call.body, entry.safety_settings)
        return await self._post(call.credential, call.target, method, body, call.deadlines)

    def classify(self, failure: Failure) -> Verdict:
        detail = failure.detail
        if 400 <= detail.status < 500 and _is_about_the_key(failure):
            return _KEY_REFUSED
        verdict = by_status(failure)
        if verdict is not UNSUPPORTED_MODEL and detail.status == 400 and detail.type in REQUEST_WORDS:
            return REQUEST_FAULT
        return verdict

    async def count_tokens(self, call: CountCall) -> int:
        """Asks the upstream. Raises `UpstreamError`, or `UpstreamFault` when it refuses."""
        encoded = GEMINI.encode_request(call.conversation, call.target)
        asked = self.place.count_body(JsonBody(encoded.body), call.target)
        reply = await self._post(call.credential, call.target, COUNT, asked, call.deadlines)
        count = read_count(await accepted_body(GEMINI, reply))
        if count is None:
            raise MalformedReply("The upstream's token count is not `totalTokens`")
        return count

    async def forward(self, call: ForwardCall) -> UpstreamReply:
        """Raises `UpstreamError`, and `InvalidRequest`."""
        body = renamed(call.body, call.target)
        return await self._post(call.credential, call.target, call.operation, body, call.deadlines)

    async def _post(
        self, credential: Credential, target: Target, method: str, body: bytes, deadlines: Deadlines
    ) -> UpstreamReply:
        """An account's token that the upstream refuses is replaced once: it may have been revoked."""
        entry: Entry = credential.settings
        post = partial(
            self.upstream.post,
            self.place.url(entry, target.model, method),
            body,
            deadlines=deadlines,
            proxy_url=credential.proxy_url,
        )
        streams = method == STREAM
        account = entry.account if isinstance(entry, VertexAccount) else None
        if account is None:
            return await post(headers_of(entry, streams=streams))
        token = await self._tokens.token(credential, account)
        reply = await post(headers_of(entry, streams=streams, token=token.value))
        if reply.status != 401:
            return reply
        await reply.close()
        self._tokens.forget(credential, account, token)
        token = await self._tokens.token(credential, account)
        return await post(headers_of(entry, streams=streams, token=token.value))


def headers_of(entry: Entry, *, streams: bool, token: str = "") -> dict[str, str]:
    """The request's headers, in lower case. Those of the operator win over everything (auth spec, 3)."""
    bearer = token or (entry.access_token if isinstance(entry, VertexAccount) else "")
    by_key = entry.api_key or not bearer
    return {
        "content-type": "application/json",
        "accept": "text/event-stream" if streams else "application/json",
        **({KEY_HEADER: entry.api_key} if by_key else {"authorization": f"Bearer {bearer}"}),
        **entry.headers,
    }


def with_safety_settings(body: bytes, settings: Mapping[str, str]) -> bytes:
    """The body with these filters, unless it sets its own, by whichever spelling (Gemini spec, 9.3)."""
    if not settings:
        return body
    if b'"safetySettings"' in body or b'"safety_settings"' in body:
        told = JsonBody(body)
        if "safetySettings" in told or "safety_settings" in told:
            return body
    filters = [{"category": name, "threshold": threshold} for name, threshold in settings.items()]
    end = body.rindex(b"}")  # the body is a JSON object: it needs not be parsed again to be added to
    comma = b"" if body[:end].rstrip().endswith(b"{") else b","
    return b'%b%b"safetySettings":%b%b' % (body[:end], comma, msgspec.json.encode(filters), body[end:])


def _is_about_the_key(failure: Failure) -> bool:
    message = failure.detail.message.lower()
    return failure.detail.code in ACCOUNT_REASONS or any(phrase in message for phrase in ACCOUNT_PHRASES)


# --- keys and models -------------------------------------------------------------------


def gemini_credentials(entries: Sequence[GeminiKey]) -> list[Credential]:
    """One for each key and address; a repeated entry is left out (auth spec, 1.6)."""
    return _credentials(GEMINI_API, entries, lambda entry: (entry.api_key, entry.base_url))


def vertex_credentials(entries: Sequence[VertexKey]) -> list[Credential]:
    """The same; here the proxy is a part of what tells two credentials apart."""
    return _credentials(VERTEX_AI, entries, lambda entry: (entry.api_key, entry.base_url, entry.proxy_url))


def _credentials(
    place: Place, entries: Sequence[Key], parts: Callable[[Key], tuple[str, ...]]
) -> list[Credential]:
    first: dict[tuple[str, str], Key] = {}
    for entry in entries:
        if entry.api_key:
            first.setdefault((entry.api_key, entry.base_url), entry)
    return [_credential(place, entry, parts(entry)) for entry in first.values()]


def _credential(place: Place, entry: Key, parts: tuple[str, ...]) -> Credential:
    return entry.credential(
        identity=credential_id(f"{place.name}:apikey", *parts),
        provider=place.name,
        label=place.label,
        key=entry.api_key,
    )


def models_of(credential: Credential) -> list[Model]:
    """The entry's models, the first of each client name; the catalogue if it lists none (6.3)."""
    entry: Entry = credential.settings
    provider = credential.provider
    return CATALOGUE.served(provider, [model for model in entry.models if _is_usable(model, provider)])


def _is_usable(model: ModelEntry, provider: str) -> bool:
    """On Vertex AI a model counts only with an alias (config spec, 2.7)."""
    return bool(model.name and (model.alias or provider != VERTEX_AI.name))
