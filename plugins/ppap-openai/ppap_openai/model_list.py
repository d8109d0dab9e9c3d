"""``GET /v1/models`` as OpenAI's clients expect it (client API spec, 9.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.models import ListedModel, ModelList

from .chat import CHAT


def _object(model: ListedModel) -> dict[str, Any]:
    created = {"created": model.created} if model.created else {}
    return {"id": model.id, "object": "model", **created, "owned_by": model.owner}


def render(models: Sequence[ListedModel]) -> bytes:
    return msgspec.json.encode({"object": "list", "data": [_object(model) for model in models]})


def render_one(model: ListedModel) -> bytes:
    return msgspec.json.encode(_object(model))


def _unasked(headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    """Nobody asks for this shape; it is what those get who ask for no other."""
    return False


MODELS: Final = ModelList(
    path="/v1/models", wire=CHAT, applies=_unasked, render=render, render_one=render_one, fallback=True
)
