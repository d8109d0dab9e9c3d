"""What a run says while it goes on, and what it has to say at the end."""

from __future__ import annotations

import sys
import time

import attrs


@attrs.define
class Journal:
    """Progress goes to standard error, with the seconds since the start; notes are kept as well."""

    notes: list[str] = attrs.Factory(list)
    _began: float = attrs.field(factory=time.monotonic, init=False)

    def progress(self, line: str) -> None:
        print(f"{time.monotonic() - self._began:5.0f} s  {line}", file=sys.stderr, flush=True)

    def note(self, line: str) -> None:
        """Something a reader of the figures must know."""
        self.notes.append(line)
        self.progress(line)
