"""``GET /v1/models`` as Anthropic's clients expect it (client API spec, 9.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from ppap_core.models import ListedModel, ModelList

from .messages import MESSAGES

UNKNOWN_INPUT_LIMIT: Final = 200000
UNKNOWN_OUTPUT_LIMIT: Final = 64000
"""In tokens, for models that nobody declared limits for: clients want numbers."""


def _object(model: ListedModel) -> dict[str, Any]:
    """An unknown date is told as the epoch, as the vendor does."""
    created = datetime.fromtimestamp(model.created or 0, UTC)
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name or model.id,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "max_input_tokens": model.max_input_tokens or UNKNOWN_INPUT_LIMIT,
        "max_tokens": model.max_output_tokens or UNKNOWN_OUTPUT_LIMIT,
        "object": "model",
        "owned_by": model.owner,
    }


def render(models: Sequence[ListedModel]) -> bytes:
    """Everything is one page; a client that asks for less of it gets all."""
    ids = [model.id for model in models] or [""]
    listed = [_object(model) for model in models]
    return msgspec.json.encode({"data": listed, "has_more": False, "first_id": ids[0], "last_id": ids[-1]})


def render_one(model: ListedModel) -> bytes:
    return msgspec.json.encode(_object(model))


def applies(headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    """For Anthropic's SDKs, which name their API version, and for Claude Code."""
    return "anthropic-version" in headers or headers.get("user-agent", "").startswith("claude-cli")


MODELS: Final = ModelList(
    path="/v1/models", wire=MESSAGES, applies=applies, render=render, render_one=render_one
)
