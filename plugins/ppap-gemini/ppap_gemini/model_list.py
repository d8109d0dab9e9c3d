"""``GET /v1beta/models`` and ``GET /v1/models`` as Google's clients expect them (client API spec, 9.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.models import ListedModel, ModelList

from .generate import GEMINI
from .generate.request_decoder import MODEL_PREFIX

PATH: Final = "/v1beta/models"
PATHS: Final = (PATH, "/v1/models")
"""Google's SDK for Python asks for version ``v1`` since 3.0; before, and in all others, it is ``v1beta``."""
METHODS: Final = ("generateContent",)
"""What is told of every model, as every model can be asked that."""


def _object(model: ListedModel) -> dict[str, Any]:
    """A limit that nobody declared is left out."""
    shown = model.display_name or model.id
    limits = {"inputTokenLimit": model.max_input_tokens, "outputTokenLimit": model.max_output_tokens}
    return {
        "name": MODEL_PREFIX + model.id.removeprefix(MODEL_PREFIX),
        "displayName": shown,
        "description": shown,
        **{name: limit for name, limit in limits.items() if limit is not None},
        "supportedGenerationMethods": METHODS,
    }


def render(models: Sequence[ListedModel]) -> bytes:
    """Everything is one page, sorted by name."""
    listed = sorted(map(_object, models), key=lambda model: str(model["name"]))
    return msgspec.json.encode({"models": listed})


def render_one(model: ListedModel) -> bytes:
    return msgspec.json.encode(_object(model))


def applies(headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    """For Google's SDKs, which name themselves and hold their key in a header of their own."""
    return "x-goog-api-client" in headers or "x-goog-api-key" in headers


def _list(path: str, *, fallback: bool) -> ModelList:
    return ModelList(
        path=path, wire=GEMINI, applies=applies, render=render, render_one=render_one, fallback=fallback
    )


MODEL_LISTS: Final = [_list(path, fallback=path == PATH) for path in PATHS]
"""On the path that is only Google's every client gets this shape."""
