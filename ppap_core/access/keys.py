"""Client keys: where they may stand, and how they are compared (client API spec, 4)."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from ..errors import RequestError, Unauthorized
from ..hookspecs import hookimpl

if TYPE_CHECKING:
    from ..config import Config, KeyControl
    from ..exchange.arrival import Arrival
    from ..proxy import Proxy

_KEY_HEADERS: Final = (b"x-goog-api-key", b"x-api-key")
_KEY_PARAMETERS: Final = ("key", "auth_token")


@attrs.frozen(kw_only=True)
class Identity:
    """Who a client is. ``principal`` is safe to log and to store: never the key itself."""

    principal: str
    source: str
    """Where the key stood, e.g. ``authorization`` or ``query-key``."""


class SampleKey(RequestError):
    status = 403
    code = "unsafe_example_api_key"


class RemoteAccessOff(RequestError):
    status = 403
    code = "remote_access_off"


class ControlledKey(RequestError):
    """The key is known, and may not do this (client API spec, 6)."""

    status = 403
    type = "api_key_access_error"


def principal_of(key: str) -> str:
    """Who the owner of a client key is in logs and records."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def controls_by_principal(controls: Sequence[KeyControl]) -> dict[str, KeyControl]:
    """The rules for each key's owner; of several for a key the first."""
    return {principal_of(control.api_key): control for control in reversed(controls) if control.api_key}


class KeyRing:
    """Configured keys. Found by a hash under a random secret, so timing tells nothing of them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._secret = secrets.token_bytes(32)
        self._principals = {self._digest(key.encode()): principal_of(key) for key in keys}

    def __len__(self) -> int:
        return len(self._principals)

    def principal(self, key: bytes) -> str | None:
        """The name under which a key's owner is recorded; ``None`` for a key we do not know."""
        return self._principals.get(self._digest(key))

    def _digest(self, key: bytes) -> bytes:
        return hashlib.blake2b(key, key=self._secret, digest_size=32).digest()


class ConfiguredKeys:
    """The built-in access plugin: ``api-keys`` of config.yaml."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._config: Config | None = None
        self._ring = KeyRing(())
        self._samples = KeyRing(())
        self._disabled: Collection[str] = ()

    @hookimpl
    def ppap_authenticate(self, arrival: Arrival) -> Identity | None:
        """Any of a client's keys may be the right one: some send two (4.1)."""
        self._follow(self._proxy.config)
        presented = False
        for source, key in presented_keys(arrival):
            presented = True
            principal = self._ring.principal(key)
            if principal is not None:
                if principal in self._disabled:
                    raise ControlledKey("API key is disabled", code="api_key_disabled")
                return Identity(principal=principal, source=source)
            if self._samples.principal(key) is not None:
                raise SampleKey(
                    "This key is published in example configurations; "
                    "set a secret one under `api-keys` in config.yaml"
                )
        if len(self._ring):
            raise Unauthorized("Invalid API key" if presented else "Missing API key")
        if len(self._samples):
            raise SampleKey("`api-keys` in config.yaml holds only published example keys")
        self._refuse_strangers(arrival)
        return None

    def _follow(self, config: Config) -> None:
        if config is not self._config:
            samples = set(config.core.sample_keys)
            self._ring = KeyRing(key for key in config.core.api_keys if key not in samples)
            self._samples = KeyRing(samples)
            controls = controls_by_principal(config.core.api_key_controls)
            self._disabled = {owner for owner, control in controls.items() if not control.enabled}
            self._config = config

    def _refuse_strangers(self, arrival: Arrival) -> None:
        if self._proxy.config.core.access.allow_anonymous_remote or is_loopback(arrival.client_address):
            return
        raise RemoteAccessOff(
            "No `api-keys` are configured, so only this machine may use the proxy; add one in config.yaml"
        )


def presented_keys(arrival: Arrival) -> Iterator[tuple[str, bytes]]:
    """Every non-empty key of a request with its place, in the order in which they are tried."""
    authorization = arrival.header(b"authorization")
    if authorization:
        scheme, _, rest = authorization.partition(b" ")
        yield "authorization", rest.strip() if rest and scheme.lower() == b"bearer" else authorization
    for name in _KEY_HEADERS:
        value = arrival.header(name)
        if value:
            yield name.decode(), value
    if arrival.has_query:
        query = arrival.query
        for parameter in _KEY_PARAMETERS:
            if query.get(parameter):
                yield f"query-{parameter.replace('_', '-')}", query[parameter].encode()


def is_loopback(address: str) -> bool:
    """Also true for peers without an IP address, which only this machine can be."""
    try:
        # A socket for both families tells of IPv4 peers as ::ffff:127.0.0.1.
        return not address or ipaddress.ip_address(address.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False
