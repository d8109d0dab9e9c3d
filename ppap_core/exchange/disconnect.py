"""Noticing that the client has gone, and cancelling its work (pain 16)."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Final

from .body import Receive

HEAD_START: Final = 0.25
"""Seconds before the watch begins: most short requests are done by then and pay one timer, no task."""


class DisconnectWatch:
    """Within it, the current task is cancelled when the client disconnects; then ``gone`` is true.

    The cancellation ends at this block: what follows it runs as usual. `stop` must be called before
    the last of the response is sent: a server may call a finished request disconnected, too.
    """

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self.gone = False
        self._receive = receive
        self._loop = loop
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> DisconnectWatch:
        self._work = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(HEAD_START, self._begin)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.stop()
        if not self.gone:
            return False
        work = self._work
        remaining = work.uncancel() if work is not None else 0
        return kind is asyncio.CancelledError and remaining == 0

    def stop(self) -> None:
        """From now on the client may leave without anybody noticing. Idempotent."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _begin(self) -> None:
        self._watcher = self._loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._work is not None:
            self._work.cancel()
