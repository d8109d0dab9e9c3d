"""Token usage as Chat Completions upstreams report it (translation spec, B.1.4, B.1.5, C.9).

``prompt_tokens`` contains the cached ones, ``completion_tokens`` the reasoning ones. A count that
is left out is "not reported", never 0 (pain 29).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ppap_core.conversation import Usage


class TokenDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct, gc=False):
    """Both spellings that upstreams use, and two places of their own for cached tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    prompt_tokens_details: TokenDetails | None = None
    input_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None
    output_tokens_details: TokenDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek
    cached_tokens: int | None = None  # Moonshot


_NO_DETAILS = TokenDetails()


def read_usage(wire: WireUsage) -> Usage | None:
    """Canonical usage; ``None`` when nothing is reported."""
    read = wire.prompt_tokens_details or wire.input_tokens_details or _NO_DETAILS
    written = wire.completion_tokens_details or wire.output_tokens_details or _NO_DETAILS
    usage = Usage(
        input_total=_first(wire.prompt_tokens, wire.input_tokens),
        cache_read=_first(read.cached_tokens, wire.prompt_cache_hit_tokens, wire.cached_tokens),
        cache_write=_first(read.cache_write_tokens),
        output_total=_first(wire.completion_tokens, wire.output_tokens),
        reasoning=_first(written.reasoning_tokens),
        total=_first(wire.total_tokens),
    )
    return usage if usage != _NOTHING else None


_NOTHING = Usage()


def write_usage(usage: Usage) -> dict[str, Any]:
    """The ``usage`` object; counts that nobody reported are left out."""
    written = _known(
        prompt_tokens=usage.input_total,
        completion_tokens=usage.output_total,
        total_tokens=usage.billed_total,
    )
    if read := _known(cached_tokens=usage.cache_read, cache_write_tokens=usage.cache_write):
        written["prompt_tokens_details"] = read
    if reasoned := _known(reasoning_tokens=usage.reasoning):
        written["completion_tokens_details"] = reasoned
    return written


def _known(**counts: int | None) -> dict[str, Any]:
    return {name: count for name, count in counts.items() if count is not None}


def _first(*counts: int | None) -> int | None:
    """The first count that is one: a negative number is not."""
    return next((count for count in counts if count is not None and count >= 0), None)
