"""Tool names that are too long for this upstream, made to fit and given back (translation spec, C.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import msgspec

from ppap_core.wire import JsonBody, NameMap

LIMIT: Final = 64
"""Bytes."""
_SERVERS_TOOL: Final = "mcp__"
_KEY: Final = b'"name"'
_TOO_LONG: Final = re.compile(rb'"name"\s*:\s*"(?:[^"\\]|\\.){%d}' % (LIMIT + 1))
_NAME: Final = re.compile(rb'("name"\s*:\s*)("(?:[^"\\]|\\.)*")')
_NAMED_KINDS: Final = ("function", "custom")


def has_long_names(text: bytes | None) -> bool:
    """Whether JSON text may hold a name that has to change; sees all that do, and rarely more.

    Finding each key first takes a third of the time that searching for the whole pattern does.
    """
    place = text.find(_KEY) if text is not None else -1
    while text is not None and place >= 0:
        if _TOO_LONG.match(text, place) is not None:
            return True
        place = text.find(_KEY, place + len(_KEY))
    return False


@attrs.frozen
class ShortNames:
    """The client's own name → what this upstream is told."""

    short: Mapping[str, str] = attrs.field(factory=dict)

    def wire_name(self, name: str) -> str:
        """Also for a name that the request does not declare, which stands in its history."""
        return self.short.get(name) or candidate(name)

    @property
    def back(self) -> NameMap:
        return NameMap({short: name for name, short in self.short.items() if short != name})


def short_names(body: JsonBody) -> ShortNames:
    """The names of a request's tools; nothing if all of them fit. Raises `InvalidRequest`."""
    if not has_long_names(body.raw("tools")):
        return ShortNames()
    short: dict[str, str] = {}
    for name in _declared(body.value("tools")):
        if name not in short:
            short[name] = _unique(candidate(name), set(short.values()))
    return ShortNames(short)


def _declared(tools: Any) -> Iterable[str]:
    """Names of functions and free-text tools, in order; those in namespaces too."""
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            if tool.get("type") in _NAMED_KINDS and isinstance(tool.get("name"), str):
                yield tool["name"]
            yield from _declared(tool.get("tools"))


def candidate(name: str) -> str:
    """The name itself if it fits; of a server's tool, the part that names the tool."""
    if len(name.encode()) <= LIMIT:
        return name
    if name.startswith(_SERVERS_TOOL) and "__" in name[len(_SERVERS_TOOL) :]:
        name = _SERVERS_TOOL + name.rpartition("__")[2]
    return _cut(name, LIMIT)


def _unique(name: str, taken: set[str]) -> str:
    number, told = 0, name
    while told in taken:
        number += 1
        suffix = f"_{number}"
        told = _cut(name, LIMIT - len(suffix)) + suffix
    return told


def _cut(name: str, size: int) -> str:
    """The first `size` bytes, without half a character."""
    return name.encode()[:size].decode(errors="ignore")


def restored(data: bytes, names: NameMap) -> bytes:
    """JSON text, or frames of it, with the client's names in the place of the short ones.

    A name inside of a string is escaped there, so only members called ``name`` are touched.
    """

    def own(match: re.Match[bytes]) -> bytes:
        key, told = match.groups()
        name = names.back.get(msgspec.json.decode(told))
        return match.group() if name is None else key + msgspec.json.encode(name)

    return _NAME.sub(own, data)
