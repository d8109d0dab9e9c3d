"""Who runs where: the proxy on one core, stub, generator and runner on another; and who else was there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import attrs

from .process_tree import AVAILABLE

_STAT: Final = Path("/proc/stat")
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")


@attrs.frozen
class Placement:
    """Core numbers; None where a process is left to the operating system."""

    proxy: int | None
    load: int | None
    note: str = ""
    """What the reader of the figures must know; empty if all is as it should be."""


def place() -> Placement:
    """The first two cores this process may use."""
    if not (AVAILABLE and hasattr(os, "sched_setaffinity")):
        return Placement(None, None, "not Linux: nothing is pinned, CPU and memory are not measured")
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) == 1:
        only = allowed[0]
        return Placement(only, only, "one core only: proxy, stub and generator share it, all rates are low")
    return Placement(allowed[0], allowed[1])


def pin(pid: int, core: int | None) -> None:
    """Binds a process, and what it will start, to a core. A pid of 0 means this process."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


def busy_seconds(core: int | None) -> float:
    """Time the core has spent in programs (user, nice, system) since the machine started; 0 for None."""
    if core is None:
        return 0.0
    for line in _STAT.read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            return sum(map(int, fields[:3])) * _TICK
    return 0.0
