"""Token counts: thoughts stand outside of the candidates, tool use outside of the prompt (spec, 13)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ppap_core.conversation import Usage

NOTHING: Final = msgspec.Raw(b"")
"""Default of a raw field that is absent."""


class Counts(msgspec.Struct, rename="camel", gc=False):
    """``usageMetadata``. A count left out is "not reported", though its neighbours take it as 0."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    total_token_count: int | None = None

    def usage(self) -> Usage | None:
        """``None`` when it has no count at all, as an object that only names the traffic type."""
        prompt, total = self.prompt_token_count, self.total_token_count
        said = (self.candidates_token_count, self.thoughts_token_count)
        if prompt is None and total is None and said == (None, None):
            return None
        output: int | None = sum(count or 0 for count in said)
        if not output and total and prompt is not None:
            output = max(0, total - prompt - (self.tool_use_prompt_token_count or 0))
        elif said == (None, None):
            output = None
        return Usage(
            input_total=None if prompt is None else prompt + (self.tool_use_prompt_token_count or 0),
            cache_read=self.cached_content_token_count,
            output_total=output,
            reasoning=self.thoughts_token_count,
            total=total,
        )


_decode: Final = msgspec.json.Decoder(Counts).decode


def read_usage(raw: msgspec.Raw | bytes) -> Usage | None:
    """The counts in a JSON value; ``None`` if there are none. Odd ones never cost an answer."""
    try:
        return _decode(raw).usage() if bytes(raw) not in (b"", b"null") else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def usage_object(usage: Usage) -> dict[str, Any]:
    """``usageMetadata`` for a client: what is not known is left out, but for the total."""
    output = usage.output_total
    written = {
        "promptTokenCount": usage.input_total,
        "candidatesTokenCount": None if output is None else max(0, output - (usage.reasoning or 0)),
        "thoughtsTokenCount": usage.reasoning or None,
        "cachedContentTokenCount": usage.cache_read or None,
        "totalTokenCount": usage.billed_total or 0,
    }
    return {name: count for name, count in written.items() if count is not None}
