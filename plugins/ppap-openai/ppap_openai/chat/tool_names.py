"""Tool names between a client and an upstream that speaks chat (translation spec, C.1, C.16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import Tool
from ppap_core.wire import NameMap

FREE_TEXT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
"""What a free-text tool becomes for upstreams that know functions only."""


@attrs.frozen
class ChatNames(NameMap):
    """The client's tools by name; models answer ``_read`` or ``READ`` for a tool called ``Read``.

    ``back`` is keyed by the folded name. ``free_text`` names the client's free-text tools, whose
    arguments come back wrapped in an object.
    """

    free_text: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()

    def client_name(self, wire_name: str) -> str:
        if wire_name in self.exact:
            return wire_name
        return self.back.get(folded(wire_name), wire_name)


def folded(name: str) -> str:
    return name.lstrip("_").casefold()


def names_of(tools: Iterable[Tool]) -> ChatNames:
    """Of names that fold alike, the first declared one is meant."""
    named = [tool for tool in tools if tool.name]
    return ChatNames(
        back={folded(tool.name): tool.name for tool in reversed(named)},
        free_text=free_text_names(named),
        exact=frozenset(tool.name for tool in named),
    )


def free_text_names(tools: Iterable[Tool]) -> frozenset[str]:
    return frozenset(tool.name for tool in tools if tool.kind == "custom")


def free_text_of(names: NameMap) -> frozenset[str]:
    return names.free_text if isinstance(names, ChatNames) else frozenset()


def wrapped(text: str) -> str:
    """Free text as the arguments of the function that stands for its tool."""
    return msgspec.json.encode({"input": text}).decode()


def unwrapped(arguments: str) -> str:
    """The free text in a function's arguments; the arguments themselves where there is none."""
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    text = value.get("input") if isinstance(value, dict) else None
    return text if isinstance(text, str) else arguments
