"""The section ``codex-api-key`` of config.yaml (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.config import normalise, setting

SECTION: Final = "codex-api-key"


@attrs.frozen(kw_only=True)
class CodexModel:
    """One model that this key serves."""

    name: str = setting("What the upstream calls the model.", normalise=normalise.trimmed)
    alias: str = setting(
        "What clients call it; empty: as the upstream does.", default="", normalise=normalise.trimmed
    )


@attrs.frozen(kw_only=True)
class CodexKey:
    """One API key of an endpoint that speaks Responses as Codex does."""

    api_key: str = setting(
        "Sent as `Authorization: Bearer`. An entry without one is not used.",
        default="",
        secret=True,
        normalise=normalise.trimmed,
    )
    base_url: str = setting(
        "Address below which `/responses` is found. An entry without one is left out.",
        default="",
        normalise=normalise.trimmed,
    )
    models: tuple[CodexModel, ...] = setting(
        "The models it serves, and no others but `gpt-image-2`; none: OpenAI's own, from the built-in "
        "catalogue.",
        default=(),
    )
    headers: dict[str, str] = setting(
        "Sent with every request; they win over all others, also over the one that carries the key.",
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
    websockets: bool = setting(
        "Whether the upstream takes websockets. Read and kept; every request goes over HTTP.",
        default=False,
    )


SECTIONS: Final[Mapping[str, Any]] = {SECTION: list[CodexKey]}
