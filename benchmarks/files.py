"""Open files: each held stream takes two in the proxy."""

from __future__ import annotations

import resource
from typing import Final

from .journal import Journal

_PER_STREAM: Final = 2
_OTHER: Final = 500


def raise_open_files(streams: int, journal: Journal) -> int:
    """Raises this process's limit, which the others inherit; how many streams it then allows.

    A hard limit that is too low is reported, not an error.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams * _PER_STREAM + _OTHER
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        journal.note(f"open files are limited to {hard} here: fewer streams are held than {streams}")
    return max(1, (allowed - _OTHER) // _PER_STREAM)
