"""A model that a credential can serve (auth spec, 6.3)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..conversation import ThinkingSupport


@attrs.frozen(kw_only=True)
class Model:
    """``id`` is what clients ask for, before prefixes; ``upstream`` what is sent, in pool order.

    An upstream's name may end in a level or a budget, as in ``m(high)`` or ``m(8192)``: then that is
    what it is always asked for (translation spec, D.3).
    ``created`` is in Unix seconds. A limit in tokens is ``None`` where nobody declared it, and so is
    ``thinking``: such a model is asked to think just as the client says.
    """

    id: str
    upstream: Sequence[str]
    owner: str = ""
    display_name: str = ""
    created: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    thinking: ThinkingSupport | None = None
    image_only: bool = False
    """It makes images and nothing else: it is no use on routes where clients want text."""
    configured: bool = False
    """An operator listed it by hand, and with it all that its credential serves."""
