"""OpenAI's models as far as they are known; the sections are the plans of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ppap_core.credentials import ModelEntry
from ppap_core.models import Catalogue, Model

CATALOGUE: Final = Catalogue.read(__name__.partition(".")[0])
LARGEST_PLAN: Final = "codex-pro"
"""What is served where no plan is known, as with API keys (auth spec, 6.3)."""
IMAGES: Final = "gpt-image-2"
"""Served beside whatever an entry lists (auth spec, 6.1)."""


def served(configured: Sequence[ModelEntry], plan: str = LARGEST_PLAN) -> list[Model]:
    """The models that an entry lists, or those of the plan; and the one that draws."""
    listed = [model for model in configured if model.name]
    models = CATALOGUE.served(plan, listed)
    drawing = CATALOGUE.sections[plan][IMAGES]
    return [*(model for model in models if model.id.casefold() != IMAGES), drawing]
