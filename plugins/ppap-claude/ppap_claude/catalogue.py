"""Anthropic's models as far as they are known."""

from __future__ import annotations

from typing import Final

from ppap_core.models import Catalogue

CATALOGUE: Final = Catalogue.read(__name__.partition(".")[0])
