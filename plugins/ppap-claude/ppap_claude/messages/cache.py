"""Prompt-cache breakpoints: at most four, long-lived ones first, and some where a client set none.

All on JSON text, so that whatever needs no change keeps its bytes (translation spec, C.15; pain 25).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Final

import attrs
import msgspec

from ppap_core.wire import JsonArray, JsonBody

MAX_BREAKPOINTS: Final = 4
KEY: Final = b'"cache_control"'
_EPHEMERAL: Final = b'{"type":"ephemeral"}'
_LONG: Final = "1h"
_SECTIONS: Final = ("tools", "system", "messages")
"""In the order in which the cache is keyed; lifetimes must not grow along it."""


@attrs.frozen(kw_only=True, slots=False)
class Sections:
    """The cacheable parts of a request as JSON text; ``None`` or null where absent."""

    tools: bytes | None = None
    system: bytes | None = None
    messages: bytes | None = None

    def with_breakpoints(self) -> Sections:
        """Some breakpoints if the client set none anywhere; else its own, within limits."""
        if self._controls:
            return self.within_limits()
        return Sections(
            tools=_tools_marked(self.tools),
            system=_system_marked(self.system),
            messages=_messages_marked(self.messages),
        )

    def within_limits(self) -> Sections:
        """At most `MAX_BREAKPOINTS`, and no long-lived one behind a short-lived one."""
        count = len(self._controls)
        if count <= MAX_BREAKPOINTS and (count <= 1 or not any(map(_may_outlive, self._controls))):
            return self
        points = list(self._breakpoints())
        edits = _edits(points)
        return self._edited(edits) if edits else self

    def texts(self) -> tuple[bytes | None, ...]:
        return self.tools, self.system, self.messages

    @cached_property
    def _controls(self) -> list[bytes]:
        """The text of each breakpoint, at least; one for each breakpoint at most."""
        return [control for text in self.texts() if text for control in _controls_in(text)]

    def _breakpoints(self) -> Iterator[_Breakpoint]:
        for section in ("tools", "system"):
            for index, raw in enumerate(_elements(getattr(self, section), section)):
                if (control := _control(raw)) is not None:
                    yield _Breakpoint(section, index, 0, control)
        for index, raw in enumerate(_elements(self.messages, "messages")):
            if KEY in raw:
                for inner, block in enumerate(_elements(bytes(_fields(raw).content), "content")):
                    if (control := _control(block)) is not None:
                        yield _Breakpoint("messages", index, inner, control)

    def _edited(self, edits: Mapping[_Breakpoint, bytes | None]) -> Sections:
        changed: dict[str, bytes] = {}
        for section in _SECTIONS:
            own = [(point, text) for point, text in edits.items() if point.section == section]
            if own:
                changed[section] = _section_edited(getattr(self, section), section, own)
        return attrs.evolve(self, **changed)


@attrs.frozen(eq=False)
class _Breakpoint:
    """``inner`` is the block within a message; 0 elsewhere."""

    section: str
    index: int
    inner: int
    control: Mapping[str, Any]

    @property
    def long_lived(self) -> bool:
        return self.control.get("ttl") == _LONG


class _Cached(msgspec.Struct):
    cache_control: dict[str, Any] | None = None


class _Message(msgspec.Struct):
    role: str = ""
    content: msgspec.Raw = msgspec.Raw(b"")


_cached: Final = msgspec.json.Decoder(_Cached).decode
_message: Final = msgspec.json.Decoder(_Message).decode


def _control(raw: bytes) -> Mapping[str, Any] | None:
    try:
        return _cached(raw).cache_control if KEY in raw else None
    except msgspec.MsgspecError:
        return None  # the upstream says best what is wrong with it


def _fields(raw: bytes) -> _Message:
    try:
        return _message(raw)
    except msgspec.MsgspecError:
        return _Message()


def _elements(text: bytes | None, name: str) -> JsonArray:
    """The elements of an array; nothing for an absent value or a plain string."""
    return JsonArray(text if text and text.lstrip().startswith(b"[") else b"[]", name)


def _controls_in(text: bytes) -> Iterator[bytes]:
    """From each key to the end of an object. A string that holds the word has its quotes escaped."""
    place = text.find(KEY)
    while place >= 0:
        yield text[place : text.find(b"}", place)]
        place = text.find(KEY, place + len(KEY))


def _may_outlive(control: bytes) -> bool:
    return b'"1h"' in control or control.count(b"{") > 1


# --- too many, or in the wrong order ----------------------------------------------------------


def _edits(points: Sequence[_Breakpoint]) -> dict[_Breakpoint, bytes | None]:
    """New ``cache_control`` values for breakpoints that must change; ``None``: it goes."""
    excess = max(0, len(points) - MAX_BREAKPOINTS)
    edits: dict[_Breakpoint, bytes | None] = dict.fromkeys(_first_to_go(points)[:excess])
    short_seen = False
    for point in points:
        if point in edits:
            continue
        if not point.long_lived:
            short_seen = True
        elif short_seen:
            kept = {key: value for key, value in point.control.items() if key != "ttl"}
            edits[point] = msgspec.json.encode(kept)
    return edits


def _first_to_go(points: Sequence[_Breakpoint]) -> list[_Breakpoint]:
    """System from the front but its last, tools likewise, messages from the front, then the rest."""
    tools, system, messages = ([point for point in points if point.section == name] for name in _SECTIONS)
    return [*system[:-1], *tools[:-1], *messages, *system[-1:], *tools[-1:]]


def _section_edited(text: bytes, name: str, edits: Sequence[tuple[_Breakpoint, bytes | None]]) -> bytes:
    array = JsonArray(text, name)
    elements = list(array)
    for point, control in edits:
        element = elements[point.index]
        if name != "messages":
            elements[point.index] = JsonBody(element).edited({"cache_control": control})
            continue
        body = JsonBody(element)
        blocks = JsonArray(body.raw("content") or b"[]", "content")
        block = JsonBody(blocks[point.inner]).edited({"cache_control": control})
        elements[point.index] = body.edited({"content": blocks.edited({point.inner: block})})
    return array.edited({point.index: elements[point.index] for point, _ in edits})


# --- none at all ------------------------------------------------------------------------------


def _tools_marked(tools: bytes | None) -> bytes | None:
    """The last tool; one that is loaded later must not have a breakpoint."""
    array = _elements(tools, "tools")
    for index in reversed(range(len(array))):
        tool = array[index]
        if b'"defer_loading"' not in tool and tool.startswith(b"{"):
            return array.edited({index: _marked(tool)})
    return tools


def _system_marked(system: bytes | None) -> bytes | None:
    return system and _content_marked(system, "system")


def _messages_marked(messages: bytes | None) -> bytes | None:
    """The second to last user message: the next turn finds everything up to there in the cache."""
    array = _elements(messages, "messages")
    users = (index for index in reversed(range(len(array))) if _fields(array[index]).role == "user")
    index = next(islice(users, 1, None), None)
    if index is None:
        return messages
    body = JsonBody(array[index])
    content = _content_marked(body.raw("content") or b"[]", "content")
    return array.edited({index: body.edited({"content": content})})


def _content_marked(content: bytes, name: str) -> bytes:
    """Content with a breakpoint on its last block; a text becomes a block. Blank ones are left alone."""
    if content.startswith(b'"'):
        text = msgspec.json.decode(content, type=str)
        block = b'[{"type":"text","text":%b,"cache_control":%b}]' % (content, _EPHEMERAL)
        return block if text.strip() else content
    array = JsonArray(content, name) if content.startswith(b"[") else None
    if not array or not array[-1].startswith(b"{"):
        return content
    return array.edited({len(array) - 1: _marked(array[-1])})


def _marked(raw: bytes) -> bytes:
    return JsonBody(raw).edited({"cache_control": _EPHEMERAL})
