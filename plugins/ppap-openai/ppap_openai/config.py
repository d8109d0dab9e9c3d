"""The section ``openai-compatibility`` of config.yaml (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.config import ThinkingRange, normalise, setting
from ppap_core.conversation import ThinkingSupport
from ppap_core.credentials import ModelEntry, UpstreamEntry

from . import image_tool

SECTION: Final = "openai-compatibility"
DEFAULT_LEVELS: Final = ("low", "medium", "high")


@attrs.frozen(kw_only=True)
class CompatibleModel(ModelEntry):
    """One model of the upstream."""

    thinking: ThinkingRange | None = setting(
        "What it can think; absent: the levels low, medium and high.", default=None
    )

    @property
    def support(self) -> ThinkingSupport:
        return (self.thinking or ThinkingRange(levels=DEFAULT_LEVELS)).support


@attrs.frozen(kw_only=True)
class KeyEntry:
    """One key of the upstream."""

    api_key: str = setting(
        "Sent as `Authorization: Bearer`; empty: without that header.",
        default="",
        secret=True,
        normalise=normalise.trimmed,
    )
    proxy_url: str = setting(
        "Proxy for this key: http, https, socks5 or socks5h; `direct`: none; empty: as `proxy-url`.",
        default="",
        secret=True,
        normalise=normalise.proxy_url,
    )


@attrs.frozen(kw_only=True)
class CompatibleUpstream(UpstreamEntry):
    """One upstream that speaks Chat Completions."""

    name: str = setting("What it is called here, in lists and logs.", default="", normalise=normalise.trimmed)
    base_url: str = setting(
        "Address below which `/chat/completions` is found, e.g. `https://api.example.com/v1`. An entry "
        "without one is left out.",
        default="",
        normalise=normalise.trimmed,
    )
    api_key_entries: tuple[KeyEntry, ...] = setting(
        "Its keys; requests spread over them. None: it is called without a key.", default=()
    )
    models: tuple[CompatibleModel, ...] = setting(
        "The models it serves; none: it serves nothing. Several under one alias are a pool that takes turns.",
        default=(),
    )
    disabled: bool = setting("Keep the entry and do not use it.", default=False)
    proxy_url: str = setting(
        "Proxy for all keys that name none of their own.",
        default="",
        secret=True,
        normalise=normalise.proxy_url,
    )
    request_retry: int | None = setting(
        "Rounds of retries for this entry; absent: as the global `request-retry`.", default=None
    )

    @property
    def label(self) -> str:
        return self.name.lower() or SECTION


SECTIONS: Final[Mapping[str, Any]] = {SECTION: list[CompatibleUpstream], **image_tool.SECTIONS}
