"""A model that a credential can serve (auth spec, 6.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs


@attrs.frozen(kw_only=True)
class Model:
    """``id`` is what clients ask for, before prefixes; ``upstream`` what is sent, in pool order.

    ``created`` is in Unix seconds. A limit in tokens is ``None`` where nobody declared it.
    """

    id: str
    upstream: Sequence[str]
    owner: str = ""
    display_name: str = ""
    created: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    thinking: Mapping[str, object] | None = None
