"""Settings about single clients (client API spec, 6)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from . import normalise
from .setting import setting


def _patterns(texts: Sequence[str]) -> tuple[str, ...]:
    """Trimmed, in lower case. A blank one is kept: a list of nothing but that allows nothing."""
    return tuple(text.strip().lower() for text in texts)


@attrs.frozen(kw_only=True)
class KeyControl:
    """What one client key may do. Of several entries for a key the first counts; a key without one
    may do everything.
    """

    api_key: str = setting(
        "The client's key, as in `api-keys`.",
        default="",
        secret=True,
        normalise=normalise.trimmed,
        aliases=("key",),
    )
    name: str = setting("Whose key it is, for your own eyes.", default="", normalise=normalise.trimmed)
    enabled: bool = setting("Whether the key may be used at all.", default=True)
    models: tuple[str, ...] = setting(
        "Models it may use; `*` stands for any characters; empty: all. A rule for a model also holds for "
        "its names with a prefix or a level.",
        default=(),
        normalise=_patterns,
    )
    excluded_models: tuple[str, ...] = setting(
        "Models it may not use, whatever `models` says.", default=(), normalise=_patterns
    )
