"""What a request must look like for this upstream (translation spec, 0.3, B.3.1, A.2.5, C.19).

Two sets of rules: `fitted_changes` makes a request one that the upstream takes, before the
operator's own rules have their say; `enforced_changes` is what must hold whatever those rules did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from ppap_core.wire import JsonBody, Target

from ..catalogue import IMAGES
from .input_items import fitted_input
from .tool_names import ShortNames
from .tools import fitted_choice, fitted_tools

Changes: TypeAlias = dict[str, bytes | None]

REFUSED: Final = (
    "max_output_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "truncation",
    "context_management",
    "user",
    "prompt_cache_options",
)
"""Parameters that the upstream answers with "Unsupported parameter"."""
FORCED: Final[Mapping[str, bytes]] = {"store": b"false", "include": b'["reasoning.encrypted_content"]'}
"""Which other values of ``include`` the upstream takes is not known, so the list is replaced."""
TIERS: Final[Mapping[str, str]] = {"priority": "priority", "fast": "priority"}
"""Service tiers in any spelling → what the upstream is told; others are left out (T-TIER)."""

HOLDS_THE_TOOL: Final = "gpt-5.4-mini"
"""Who is asked where only a picture is wanted."""

ALWAYS_REFUSED: Final = (
    "previous_response_id",
    "prompt_cache_retention",
    "safety_identifier",
    "stream_options",
)


def enforced_changes(body: JsonBody, target: Target) -> Changes:
    """What must hold of every request over HTTP, as `JsonBody.edited` takes it."""
    changes: Changes = {"stream": b"true", "model": msgspec.json.encode(target.model)}
    changes |= {key: None for key in ALWAYS_REFUSED if key in body}
    return changes | with_instructions(body)


def asked_target(target: Target) -> Target:
    """Whoever is asked: a model that only draws is the tool of another (client API spec, 10.7)."""
    return Target(model=HOLDS_THE_TOOL) if target.model == IMAGES else target


def with_instructions(body: JsonBody) -> Changes:
    """``instructions`` must be a text; none is made up (C.13)."""
    return {"instructions": b'""'} if body.raw("instructions") in (None, b"null") else {}


def fitted_changes(body: JsonBody, target: Target, names: ShortNames) -> Changes:
    """What makes a request one that this upstream takes. Raises `InvalidRequest`."""
    changes: Changes = dict(FORCED)
    changes |= {key: None for key in REFUSED if key in body}
    if body.raw("parallel_tool_calls") in (None, b"null"):
        changes["parallel_tool_calls"] = b"true"
    if "service_tier" in body:
        tier = _tier(body.value("service_tier"))
        changes["service_tier"] = msgspec.json.encode(tier) if tier else None
    texts = {key: body.raw(key) for key in ("input", "tool_choice", "tools")}
    fitted = {
        "input": fitted_input(texts["input"], names),
        "tool_choice": fitted_choice(texts["tool_choice"], names),
        "tools": fitted_tools(texts["tools"], target.model, names),
    }
    # By identity: texts as long as a conversation are not compared.
    return changes | {key: text for key, text in fitted.items() if text is not texts[key]}


def _tier(value: object) -> str | None:
    return TIERS.get(value.strip().lower()) if isinstance(value, str) else None
