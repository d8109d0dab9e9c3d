"""The sections ``gemini-api-key`` and ``vertex-api-key`` of config.yaml (config spec, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.config import TopLevel, normalise, setting
from ppap_core.credentials import ModelEntry, UpstreamEntry

GEMINI_SECTION: Final = "gemini-api-key"
VERTEX_SECTION: Final = "vertex-api-key"
CLI_ENDPOINT: Final = "gemini-cli-endpoint"
CODE_ASSIST_SECTION: Final = "gemini-cli"
CODE_ASSIST_BASE: Final = "https://cloudcode-pa.googleapis.com"
GEMINI_BASE: Final = "https://generativelanguage.googleapis.com"
VERTEX_BASE: Final = "https://aiplatform.googleapis.com"
GEMINI_MODELS: Final = "v1beta/models"
VERTEX_MODELS: Final = "v1/publishers/google/models"
"""Paths of the models below the base."""

SAFETY_SETTINGS: Final[Mapping[str, str]] = {
    "HARM_CATEGORY_HARASSMENT": "OFF",
    "HARM_CATEGORY_HATE_SPEECH": "OFF",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT": "OFF",
    "HARM_CATEGORY_DANGEROUS_CONTENT": "OFF",
    "HARM_CATEGORY_CIVIC_INTEGRITY": "BLOCK_NONE",
}
"""Category → threshold (Gemini spec, 9.3)."""


@attrs.frozen(kw_only=True)
class GoogleKey(UpstreamEntry):
    """What both kinds of keys have."""

    api_key: str = setting(
        "Sent as `x-goog-api-key`. An entry without one is not used.",
        default="",
        secret=True,
        normalise=normalise.trimmed,
    )
    models: tuple[ModelEntry, ...] = setting(
        "The models it serves, and no others; none: Google's own, from the built-in catalogue.",
        default=(),
    )
    safety_settings: dict[str, str] = setting(
        "Category and threshold of each filter, for requests that set none; `{}`: leave it to Google.",
        factory=lambda: dict(SAFETY_SETTINGS),
    )


@attrs.frozen(kw_only=True)
class GeminiKey(GoogleKey):
    """One API key of the Gemini API, or of another endpoint that speaks it."""

    base_url: str = setting(
        f"Address below which `/{GEMINI_MODELS}` is found; empty: `{GEMINI_BASE}`.",
        default="",
        normalise=normalise.trimmed,
    )

    @property
    def models_url(self) -> str:
        return f"{self.base_url.rstrip('/') or GEMINI_BASE}/{GEMINI_MODELS}"


@attrs.frozen(kw_only=True)
class VertexKey(GoogleKey):
    """One API key of Vertex AI, or of another endpoint that has its paths."""

    base_url: str = setting(
        f"Address below which `/{VERTEX_MODELS}` is found; empty: `{VERTEX_BASE}`.",
        default="",
        normalise=normalise.trimmed,
    )

    @property
    def models_url(self) -> str:
        return f"{self.base_url.rstrip('/') or VERTEX_BASE}/{VERTEX_MODELS}"


@attrs.frozen(kw_only=True)
class CliEndpoint:
    """A local door for Gemini CLI."""

    enable_gemini_cli_endpoint: bool = setting(
        "Serve `/v1internal:*` to Gemini CLI after a Google login. Only programs on this machine can use "
        "it, and they need no client key.",
        default=False,
    )


@attrs.frozen(kw_only=True)
class CodeAssist:
    """The service that Gemini CLI logs in to."""

    base_url: str = setting(
        "Address that is asked what no model has to answer, such as quotas.",
        default=CODE_ASSIST_BASE,
        normalise=normalise.trimmed,
    )


SECTIONS: Final[Mapping[str, Any]] = {
    CLI_ENDPOINT: TopLevel(CliEndpoint),
    CODE_ASSIST_SECTION: CodeAssist,
    GEMINI_SECTION: list[GeminiKey],
    VERTEX_SECTION: list[VertexKey],
}
