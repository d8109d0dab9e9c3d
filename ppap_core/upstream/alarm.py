"""One loop timer per connection, re-armed only when it rings too early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Rings once when the time last set has come.

    A stream moves its deadline with every read. Cancelling and making a timer each time would cost
    more than the read, so the timer is left alone and looks, when it fires, how much is left.
    """

    __slots__ = ("_at", "_loop", "_ring", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float | None) -> None:
        """Rings in so many seconds instead of whenever it was to ring; ``None``: never."""
        if seconds is None:
            self._at = None
            return
        self._at = at = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(at, self._fired)
        elif self._timer.when() > at:
            self._timer.cancel()
            self._timer = self._loop.call_at(at, self._fired)

    def close(self) -> None:
        """Never rings again."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fired(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._fired)
            return
        self._at = None
        self._ring()
