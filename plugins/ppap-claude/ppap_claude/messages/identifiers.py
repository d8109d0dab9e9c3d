"""Tool names and call ids within the characters that this format allows (C.1, C.2)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Final

from ppap_core.wire import NO_NAMES, NameMap

MAX_NAME: Final = 128
_STEM: Final = MAX_NAME - 8
"""Names that are alike so far are numbered together; this leaves room for any number."""
_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9_-]")


class ToolNames:
    """Client's names → names an upstream accepts, unique; the first declared keeps the plain one."""

    def __init__(self, declared: Iterable[str]) -> None:
        self._wire: dict[str, str] = {}
        unique = _Unique()
        for name in declared:
            if name not in self._wire:
                self._wire[name] = unique.of(_allowed(name))

    def wire(self, name: str) -> str:
        """Of a name that no tool declares, only the characters change."""
        return self._wire.get(name) or _allowed(name)

    @property
    def back(self) -> NameMap:
        changed = {wire: name for name, wire in self._wire.items() if wire != name}
        return NameMap(changed) if changed else NO_NAMES


class CallIds:
    """Call ids of any origin → ids of this format, where no two calls may share one."""

    def __init__(self) -> None:
        self._latest: dict[str, str] = {}
        self._unique = _Unique()

    def of_call(self, call_id: str) -> str:
        """A new id, also when a later round of calls uses `call_id` again."""
        plain = _FORBIDDEN.sub("_", call_id) or f"toolu_{uuid.uuid4().hex}"
        wire = self._latest[call_id] = self._unique.of(plain)
        return wire

    def of_result(self, call_id: str) -> str:
        """The id given to the last call of that id."""
        return self._latest.get(call_id) or _FORBIDDEN.sub("_", call_id)


class Spelling:
    """Gives a client its own spelling of a tool's name back: ``Read`` for ``read`` or ``_read``."""

    def __init__(self, declared: Iterable[str]) -> None:
        names = list(declared)
        self._exact = frozenset(names)
        self._loose: Mapping[str, str] = {_loosely(name): name for name in reversed(names)}

    def of(self, name: str) -> str:
        return name if name in self._exact else self._loose.get(_loosely(name), name)


def new_message_id() -> str:
    """For answers of upstreams that give none."""
    return f"msg_{uuid.uuid4().hex}"


def _loosely(name: str) -> str:
    return name.lstrip("_").casefold()


def _allowed(name: str) -> str:
    return _FORBIDDEN.sub("_", name)[:MAX_NAME] or "_"


class _Unique:
    """Names, each given out once."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._numbers: dict[str, int] = {}

    def of(self, plain: str) -> str:
        """`plain`, or with ``_2``, ``_3``, … if it is taken."""
        name = plain
        stem = plain[:_STEM]
        number = self._numbers.get(stem, 1)
        while name in self._used:
            number += 1
            suffix = f"_{number}"
            name = plain[: MAX_NAME - len(suffix)] + suffix
        if name != plain:
            self._numbers[stem] = number
        self._used.add(name)
        return name
