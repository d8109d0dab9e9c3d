"""Token counts: input, cache writes and cache reads are disjoint here (translation spec, C.9; pain 30)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ppap_core.conversation import Usage

NOTHING: Final = msgspec.Raw(b"")
"""Default of a raw field that is absent."""


class _OutputDetails(msgspec.Struct, gc=False):
    thinking_tokens: int | None = None


class Counts(msgspec.Struct, gc=False):
    """The ``usage`` object. A field left out or null is "not reported", never 0."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: dict[str, int | None] | None = None

    def updated(self, newer: Counts) -> Counts:
        """`newer` laid over this: ``message_delta`` leaves out what ``message_start`` has said."""
        fields = ((name, getattr(newer, name)) for name in self.__struct_fields__)
        return msgspec.structs.replace(self, **{name: value for name, value in fields if value is not None})

    def usage(self) -> Usage:
        parts = (self.input_tokens, self.cache_creation_input_tokens, self.cache_read_input_tokens)
        details, tools = self.output_tokens_details, self.server_tool_use
        return Usage(
            input_total=None if self.input_tokens is None else sum(part or 0 for part in parts),
            cache_read=self.cache_read_input_tokens,
            cache_write=self.cache_creation_input_tokens,
            output_total=self.output_tokens,
            reasoning=details.thinking_tokens if details else None,
            server_tool_calls=sum(count or 0 for count in tools.values()) if tools else None,
        )


_decode: Final = msgspec.json.Decoder(Counts).decode


def read_counts(raw: msgspec.Raw) -> Counts | None:
    """The counts in a JSON value; ``None`` if there are none. Odd ones never cost an answer."""
    try:
        return _decode(raw) if bytes(raw) not in (b"", b"null") else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def usage_object(usage: Usage | None) -> dict[str, Any]:
    """The ``usage`` object for a client. Clients expect all four numbers, so unknown ones are 0."""
    if usage is None:
        usage = Usage()
    written: dict[str, Any] = {
        "input_tokens": usage.uncached_input or 0,
        "cache_creation_input_tokens": usage.cache_write or 0,
        "cache_read_input_tokens": usage.cache_read or 0,
        "output_tokens": usage.output_total or 0,
    }
    if usage.reasoning is not None:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return written
