"""The section ``claude-api-key`` of config.yaml (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.config import normalise, setting

SECTION: Final = "claude-api-key"
OFFICIAL_BASE: Final = "https://api.anthropic.com"


@attrs.frozen(kw_only=True)
class ClaudeModel:
    """One model that this key serves."""

    name: str = setting("What the upstream calls the model.", normalise=normalise.trimmed)
    alias: str = setting(
        "What clients call it; empty: as the upstream does.", default="", normalise=normalise.trimmed
    )


@attrs.frozen(kw_only=True)
class ClaudeKey:
    """One API key of Anthropic, or of another endpoint that speaks Anthropic Messages."""

    api_key: str = setting(
        "Sent as `x-api-key` to Anthropic, as `Authorization: Bearer` to any other `base-url`. "
        "An entry without one is not used.",
        default="",
        secret=True,
        normalise=normalise.trimmed,
    )
    base_url: str = setting(
        f"Address below which `/v1/messages` is found; empty: `{OFFICIAL_BASE}`.",
        default="",
        normalise=normalise.trimmed,
    )
    models: tuple[ClaudeModel, ...] = setting(
        "The models it serves, and no others; none: Anthropic's own, from the built-in catalogue.",
        default=(),
    )
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
        "Proxy for this key: http, https, socks5 or socks5h; `direct`: none; empty: as `proxy-url`.",
        default="",
        secret=True,
        normalise=normalise.proxy_url,
    )
    disable_cooling: bool = setting("Never pause this key after failures.", default=False)

    @property
    def base(self) -> str:
        """The base URL without a slash at its end."""
        return self.base_url.rstrip("/") or OFFICIAL_BASE

    @property
    def is_official(self) -> bool:
        return self.base == OFFICIAL_BASE


SECTIONS: Final[Mapping[str, Any]] = {SECTION: list[ClaudeKey]}
