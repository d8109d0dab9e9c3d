"""Token usage in one normal form (translation spec, C.9; pain 30)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Usage:
    """Tokens of one answer. ``None`` means "not reported", which is not the same as ``0``.

    ``input_total`` includes ``cache_read`` and ``cache_write``; ``output_total`` includes
    ``reasoning``. Uncached input, cache-read and cache-write tokens are therefore disjoint:
    ``input_total - cache_read - cache_write`` is what was billed at the full input price.
    """

    input_total: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output_total: int | None = None
    reasoning: int | None = None
    total: int | None = None
    """As reported; ``None`` when the format has no such field. See `billed_total`."""
    server_tool_calls: int | None = None
    by_tools: tuple[ToolUsage, ...] = ()
    """What models behind tools took for this answer; in none of the counts above."""

    @property
    def uncached_input(self) -> int | None:
        """Input tokens that no cache covered; never negative; ``None`` when input is unknown."""
        if self.input_total is None:
            return None
        return max(0, self.input_total - (self.cache_read or 0) - (self.cache_write or 0))

    @property
    def billed_total(self) -> int | None:
        """The reported total, else input plus output, else ``None`` when neither is known."""
        if self.total is not None:
            return self.total
        if self.input_total is None and self.output_total is None:
            return None
        return (self.input_total or 0) + (self.output_total or 0)

    @property
    def is_nothing(self) -> bool:
        """Whether no count is known to be more than 0."""
        counts = attrs.asdict(self, recurse=False, filter=lambda field, _: field.name != "by_tools")
        return not any(counts.values())

    def updated(self, newer: Usage) -> Usage:
        """`newer` laid over this one: a field it does not report keeps the value known so far."""
        known = attrs.asdict(newer, recurse=False, filter=lambda _, value: value not in (None, ()))
        return attrs.evolve(self, **known) if known else self


@attrs.frozen(kw_only=True)
class ToolUsage:
    """Tokens that a tool's own model took. ``told`` is as the upstream wrote it."""

    model: str
    usage: Usage
    told: Mapping[str, Any]
