"""CPU time and memory of a process and its descendants, from Linux's /proc (see `man 5 proc`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
AVAILABLE: Final = (PROC / "self/stat").exists()
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
_RESET_PEAK: Final = "5"


def members(pid: int) -> Iterator[int]:
    """The process itself, then its descendants; one that ends meanwhile is left out."""
    yield pid
    for children in PROC.glob(f"{pid}/task/*/children"):
        for child in _read(children).split():
            yield from members(int(child))


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree, ended children included, in seconds."""
    return sum(map(own_cpu_seconds, members(pid)))


def resident_bytes(pid: int) -> int:
    """Resident memory of the tree; pages shared by its processes count once for each."""
    return sum(_status(member, "VmRSS") for member in members(pid))


def peak_bytes(pid: int) -> int:
    """The largest resident memory of each process since `reset_peak`, added up."""
    return sum(_status(member, "VmHWM") for member in members(pid))


def reset_peak(pid: int) -> None:
    """Lets `peak_bytes` start again from what is resident now."""
    for member in members(pid):
        (PROC / str(member) / "clear_refs").write_text(_RESET_PEAK)


def own_cpu_seconds(pid: int) -> float:
    """User and system time of one process and of its ended children, in seconds; 0 if it is gone."""
    stat = _read(PROC / str(pid) / "stat")
    fields = stat.rpartition(")")[2].split()  # a program's name may hold spaces and parentheses
    return sum(map(int, fields[11:15])) * _TICK  # utime, stime, cutime, cstime


def _status(pid: int, key: str) -> int:
    for line in _read(PROC / str(pid) / "status").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # ended meanwhile
