"""The section ``claude-api-key`` of config.yaml (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.config import normalise, setting
from ppap_core.credentials import ModelEntry, UpstreamEntry

SECTION: Final = "claude-api-key"
OFFICIAL_BASE: Final = "https://api.anthropic.com"


@attrs.frozen(kw_only=True)
class ClaudeKey(UpstreamEntry):
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
    models: tuple[ModelEntry, ...] = setting(
        "The models it serves, and no others; none: Anthropic's own, from the built-in catalogue.",
        default=(),
    )

    @property
    def base(self) -> str:
        """The base URL without a slash at its end."""
        return self.base_url.rstrip("/") or OFFICIAL_BASE

    @property
    def is_official(self) -> bool:
        return self.base == OFFICIAL_BASE


SECTIONS: Final[Mapping[str, Any]] = {SECTION: list[ClaudeKey]}
