"""The list of models that Codex asks for (client API spec, 9.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

import msgspec
from ppap_openai.responses import FAILING

from ppap_core.conversation import ThinkingSupport
from ppap_core.models import ListedModel, ModelList

from .catalogue import CATALOGUE, LARGEST_PLAN

BACKEND_PATH: Final = "/backend-api/codex"
"""Where Codex has its own backend."""
INSTRUCTIONS: Final = resources.files(__package__).joinpath("instructions.md").read_text(encoding="utf-8")
"""What the client tells a model of its work.

Codex 0.169 refuses a list without such a text, takes an empty one for none, and has none of its own
for a model that is listed here.
"""
EFFORTS: Final[Mapping[str, str]] = {
    "none": "Answers without thinking",
    "minimal": "Thinks as little as it can",
    "low": "Thinks little, and answers fast",
    "medium": "Thinks as much as most work needs",
    "high": "Thinks long, for hard problems",
    "xhigh": "Thinks longest, for the hardest problems",
}
"""Level → what it is for. The client refuses a list with a level that it does not know."""
_UNDECLARED: Final = ThinkingSupport(levels=("low", "medium", "high"))
_OTHERS: Final = 100
"""Priority of the first model that is not in our catalogue; a lower one stands higher in the list."""
_KNOWN: Final = {name: place for place, name in enumerate(CATALOGUE.sections[LARGEST_PLAN])}


def _entry(model: ListedModel, priority: int) -> dict[str, Any]:
    levels = _levels(model.thinking or _UNDECLARED)
    known = model.id in _KNOWN
    return {
        "slug": model.id,
        "display_name": model.display_name or model.id,
        "description": f"Served by {model.owner}" if model.owner else "",
        "default_reasoning_level": "medium" if "medium" in levels else next(iter(levels), None),
        "supported_reasoning_levels": [{"effort": level, "description": EFFORTS[level]} for level in levels],
        "shell_type": "shell_command",
        "visibility": "hide" if model.base or model.image_only else "list",
        "supported_in_api": True,
        "priority": priority,
        "upgrade": None,
        "base_instructions": INSTRUCTIONS,
        "supports_reasoning_summaries": bool(levels),
        "support_verbosity": known,
        "default_verbosity": None,
        "apply_patch_tool_type": "freeform" if known else None,
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "supports_parallel_tool_calls": True,
        "context_window": model.max_input_tokens,
        "max_context_window": model.max_input_tokens,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"],
        "prefer_websockets": False,
    }


def _levels(thinking: ThinkingSupport) -> list[str]:
    """Those that the client knows; a model that is told in tokens takes the usual ones too."""
    levels = thinking.levels or (_UNDECLARED.levels if thinking.by_budget else ())
    return [level for level in levels if level in EFFORTS]


def render(models: Sequence[ListedModel]) -> bytes:
    """Known models first, in the order of the catalogue, then the others by name."""
    ranked = sorted(models, key=lambda model: (_KNOWN.get(model.id, _OTHERS), model.display_name or model.id))
    others = (model for model in ranked if model.id not in _KNOWN)
    priorities = {model.id: _OTHERS + rank for rank, model in enumerate(others)}
    return msgspec.json.encode(
        {"models": [_entry(model, _KNOWN.get(model.id, priorities.get(model.id, 0))) for model in ranked]}
    )


def render_one(model: ListedModel) -> bytes:
    return msgspec.json.encode(_entry(model, _KNOWN.get(model.id, _OTHERS)))


def _asks(headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    return "client_version" in query


MODEL_LISTS: Final = [
    ModelList(path=path, wire=FAILING, applies=_asks, render=render, render_one=render_one)
    for path in ("/v1/models", f"{BACKEND_PATH}/models")
]
