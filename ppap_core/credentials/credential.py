"""One upstream account or key, as files describe it (auth spec, 1.1 and 1.6)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs

_SHORTEST_SECRET: Final = 8


def _worth_hiding(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value for value in values if len(value) >= _SHORTEST_SECRET)


@attrs.frozen(kw_only=True)
class Credential:
    """Immutable; what is learnt at run time lives in `CredentialState`, under the same id.

    ``provider`` names the `Provider` that can use it; ``label`` is what operators and lists call
    it (several entries of one provider may differ in it). ``settings`` is the provider's own
    config entry and may hold secrets, so it never shows in a repr.
    """

    id: str
    provider: str
    label: str
    settings: Any = attrs.field(repr=False)
    secrets: Sequence[str] = attrs.field(default=(), repr=False, converter=_worth_hiding)
    """What must never show in an error, should an upstream repeat it: keys, tokens, an operator's headers.

    Values below eight characters are no secrets, such as the ``none`` of a server that wants some key;
    removing them from messages would garble those.
    """
    priority: int = 0
    """Higher first."""
    prefix: str = ""
    proxy_url: str = attrs.field(default="", repr=False)
    """Empty: inherit; ``direct`` or ``none``: no proxy."""
    channel: str = ""
    """Key of ``oauth-model-alias`` and ``oauth-excluded-models``, in lower case, whose entries hold for
    it. Empty: none do, as for API keys, whose own config entry says the like."""
    excluded_models: Sequence[str] = ()
    disabled: bool = False
    """Known, but serves nothing: its operator's wish."""
    disable_cooling: bool = False
    request_retry: int | None = None
    """Rounds of its own; ``None``: the global ``request-retry``."""

    @property
    def group(self) -> str:
        """What it is one of several of: the accounts of a channel, or the keys of a config entry."""
        return self.channel or self.label


def credential_id(kind: str, *parts: str) -> str:
    """``<kind>:<12 hex>`` over the trimmed parts: stable over restarts and list order (1.6)."""
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        digest.update(b"\0" + part.strip().encode())
    return f"{kind}:{digest.hexdigest()[:12]}"


def with_unique_ids(credentials: Sequence[Credential]) -> list[Credential]:
    """The same credentials; a repeated id gets ``-1``, ``-2``, … appended, in order."""
    seen: dict[str, int] = {}
    unique: list[Credential] = []
    for credential in credentials:
        count = seen.get(credential.id, 0)
        seen[credential.id] = count + 1
        unique.append(attrs.evolve(credential, id=f"{credential.id}-{count}") if count else credential)
    return unique
