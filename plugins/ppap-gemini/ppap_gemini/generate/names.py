"""Function names as Gemini accepts them, and ids of calls that have none (Gemini spec, 5.2 and 5.4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from ppap_core.wire import NO_NAMES, NameMap

MAX_NAME: Final = 64
_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9_.:-]")
_GOOD_START: Final = re.compile(r"[A-Za-z_]")


def sanitised(name: str) -> str:
    """The name with every forbidden character as ``_``, at most 64 long; empty stays empty."""
    allowed = _FORBIDDEN.sub("_", name)
    if allowed and _GOOD_START.match(allowed) is None:
        allowed = "_" + allowed[: MAX_NAME - 1]
    return allowed[:MAX_NAME]


class ToolNames:
    """Client's names → names that Gemini accepts, unique; the first declared keeps the plain one."""

    def __init__(self, declared: Iterable[str]) -> None:
        self._wire: dict[str, str] = {}
        used: set[str] = set()
        for name in declared:
            if name not in self._wire:
                self._wire[name] = _unique(sanitised(name) or "_", used)

    def wire(self, name: str) -> str:
        """Of a name that no tool declares, only the characters change."""
        return self._wire.get(name) or sanitised(name) or "_"

    @property
    def back(self) -> NameMap:
        changed = {wire: name for name, wire in self._wire.items() if wire != name}
        return NameMap(changed) if changed else NO_NAMES


class Spelling:
    """Gives a client its own spelling of a tool's name back: ``Read`` for ``read`` or ``_read``."""

    def __init__(self, declared: Iterable[str]) -> None:
        names = list(declared)
        self._exact = frozenset(names)
        self._loose = {_loosely(name): name for name in reversed(names)}

    def of(self, name: str) -> str:
        return name if name in self._exact else self._loose.get(_loosely(name), name)


def minted_id(*parts: object) -> str:
    """An id for a call without one. The same for the same parts, so that prompt caches still match."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))
    return f"call_{digest.hexdigest()[:24]}"


def _loosely(name: str) -> str:
    return name.strip().lstrip("_").casefold()


def _unique(plain: str, used: set[str]) -> str:
    """`plain`, or with ``_1``, ``_2``, … if it is taken; marks it as taken."""
    name, number = plain, 0
    while name in used:
        number += 1
        suffix = f"_{number}"
        name = plain[: MAX_NAME - len(suffix)] + suffix
    used.add(name)
    return name
