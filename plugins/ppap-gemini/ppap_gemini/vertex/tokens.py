"""Access tokens of service accounts: the JWT grant of RFC 7523, as Google serves it (Gemini spec, 18.3)."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import attrs
import msgspec

from ppap_core.conversation import ErrorDetail
from ppap_core.credentials import Credential
from ppap_core.errors import MalformedReply, UpstreamFault
from ppap_core.upstream import Deadlines, Upstream

from .account import ServiceAccount
from .private_key import loaded

log = logging.getLogger("ppap.gemini")

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME: Final = 3600
"""Seconds; the most that Google grants."""
MARGIN: Final = 300.0
"""Seconds before its end from which on a token is not used any more."""
_DEADLINES: Final = Deadlines(first_byte=30.0, between=30.0)
_FORM: Final = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float = LIFETIME


class _Refused(msgspec.Struct):
    error: str = ""
    error_description: str = ""


@attrs.frozen
class Token:
    """``until``: the time from which on it is not used any more."""

    value: str = attrs.field(repr=False)
    until: float


class AccessTokens:
    """Tokens by account: minted when first needed, by one request for all that wait, and then kept."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float] = time.time) -> None:
        self._upstream = upstream
        self._clock = clock
        self._held: dict[tuple[str, ServiceAccount], Token] = {}
        self._minting: dict[tuple[str, ServiceAccount], asyncio.Task[Token]] = {}

    async def token(self, credential: Credential, account: ServiceAccount) -> Token:
        """One that can be used now. Raises `UpstreamError`, and `UpstreamFault` if there is none to have."""
        key = (credential.id, account)
        held = self._held.get(key)
        if held is not None and self._clock() < held.until:
            return held
        task = self._minting.get(key)
        if task is None:
            task = self._minting[key] = asyncio.create_task(self._mint(credential, account))
            task.add_done_callback(lambda done: self._minted(key, done))
        return await asyncio.shield(task)

    def forget(self, credential: Credential, account: ServiceAccount, token: Token) -> None:
        """An upstream refused this token; a newer one stays."""
        key = (credential.id, account)
        if self._held.get(key) == token:
            del self._held[key]

    def _minted(self, key: tuple[str, ServiceAccount], task: asyncio.Task[Token]) -> None:
        del self._minting[key]
        if not task.cancelled() and task.exception() is None:
            self._held[key] = task.result()

    async def _mint(self, credential: Credential, account: ServiceAccount) -> Token:
        now = self._clock()
        signed = await asyncio.to_thread(assertion, account, int(now))
        form = urlencode({"grant_type": GRANT, "assertion": signed}).encode()
        reply = await self._upstream.post(
            account.token_uri, form, _FORM, deadlines=_DEADLINES, proxy_url=credential.proxy_url
        )
        try:
            body = await reply.body()
        finally:
            await reply.close()
        if not 200 <= reply.status < 300:
            raise _refusal(credential, reply.status, body)
        try:
            granted = msgspec.json.decode(body, type=_Granted)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise MalformedReply("The token endpoint's answer has no access_token") from None
        lifetime = granted.expires_in
        return Token(granted.access_token, now + max(lifetime - MARGIN, lifetime / 2))


def assertion(account: ServiceAccount, now: int) -> str:
    """The signed JWT that asks for a token; `now` in Unix seconds."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # slow to import
    from cryptography.hazmat.primitives.hashes import SHA256

    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": account.token_uri,
        "iat": now,
        "exp": now + LIFETIME,
    }
    unsigned = b".".join((_part({"alg": "RS256", "typ": "JWT"}), _part(claims)))
    signature = loaded(account.private_key).sign(unsigned, PKCS1v15(), SHA256())
    return b".".join((unsigned, _base64(signature))).decode()


def _part(value: dict[str, Any]) -> bytes:
    return _base64(msgspec.json.encode(value))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _refusal(credential: Credential, status: int, body: bytes) -> UpstreamFault:
    """The reason goes to the log; the client learns only that the account could not be used."""
    try:
        told = msgspec.json.decode(body, type=_Refused)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = _Refused()
    reason = " ".join(filter(None, (told.error, told.error_description)))
    log.warning("%s: no access token (status %d): %s", credential.label, status, reason or "no reason given")
    theirs = status if status == 429 or status >= 500 else 401
    return UpstreamFault(
        ErrorDetail(message="Signing in to the upstream failed", status=theirs, code="sign_in_failed")
    )
