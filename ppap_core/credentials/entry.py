"""What the entries of config.yaml have in common that bring upstream keys (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ..config import normalise, setting
from .credential import Credential


@attrs.frozen(kw_only=True)
class ModelEntry:
    """One model that an entry serves."""

    name: str = setting("What the upstream calls the model.", normalise=normalise.trimmed)
    alias: str = setting(
        "What clients call it; empty: as the upstream does.", default="", normalise=normalise.trimmed
    )

    @property
    def client_name(self) -> str:
        return self.alias or self.name


@attrs.frozen(kw_only=True)
class UpstreamEntry:
    """One upstream. Plugins add what theirs has besides: its key, its address, its models."""

    headers: dict[str, str] = setting(
        "Sent with every request; they win over all others, also over those that carry the key.",
        factory=dict,
        secret=True,
        normalise=normalise.headers,
    )
    prefix: str = setting(
        "Its models are also served as `prefix/model`, by this entry only.",
        default="",
        normalise=normalise.prefix,
    )
    priority: int = setting("Used before entries of a lower priority.", default=0)
    excluded_models: tuple[str, ...] = setting(
        "Models not to serve; `*` stands for any characters.", default=(), normalise=normalise.patterns
    )
    proxy_url: str = setting(
        "Proxy for this entry: http, https, socks5 or socks5h; `direct`: none; empty: as `proxy-url`.",
        default="",
        secret=True,
        normalise=normalise.proxy_url,
    )
    disable_cooling: bool = setting("Never pause its keys after failures.", default=False)

    def credential(
        self, *, identity: str, provider: str, label: str, key: str, settings: Any = None
    ) -> Credential:
        """The credential of one of its keys. Its ``settings`` are the entry itself, unless given."""
        return Credential(
            id=identity,
            provider=provider,
            label=label,
            settings=self if settings is None else settings,
            secrets=(key, *self.headers.values()),
            priority=self.priority,
            prefix=self.prefix,
            proxy_url=self.proxy_url,
            excluded_models=self.excluded_models,
            disable_cooling=self.disable_cooling,
        )


def models_by_client_name(models: Iterable[ModelEntry]) -> Mapping[str, list[str]]:
    """Client name → upstream names, in config order: several under one alias are a pool (6.5)."""
    pools: dict[str, list[str]] = {}
    spelling: dict[str, str] = {}
    for model in models:
        shown = spelling.setdefault(model.client_name.casefold(), model.client_name)
        pool = pools.setdefault(shown, [])
        if model.name not in pool:
            pool.append(model.name)
    return pools
