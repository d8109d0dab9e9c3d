"""The section ``codex-api-key`` of config.yaml (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.config import normalise, setting
from ppap_core.credentials import ModelEntry, UpstreamEntry

SECTION: Final = "codex-api-key"


@attrs.frozen(kw_only=True)
class CodexKey(UpstreamEntry):
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
    models: tuple[ModelEntry, ...] = setting(
        "The models it serves, and no others but `gpt-image-2`; none: OpenAI's own, from the built-in "
        "catalogue.",
        default=(),
    )
    websockets: bool = setting(
        "Whether the upstream takes websockets. Read and kept; every request goes over HTTP.",
        default=False,
    )


SECTIONS: Final[Mapping[str, Any]] = {SECTION: list[CodexKey]}
