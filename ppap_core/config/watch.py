"""Waiting for files to change, whichever way editors, containers and file systems change files.

Two senses together. Notifications from the directory are quick, and see editors that put a new file
in place of the old one. Looking at the file every two seconds sees what notifications miss: a single
file mounted into a container, network file systems, a symbolic link's far end (pain 38).
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

import attrs

log = logging.getLogger("ppap.config")

POLL_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 0.15
"""Config spec, 7.1: counted from the last event, so that a save in several steps is one change."""
_STEP_MS: Final = 50
_GROUP_MS: Final = 200

Notifications: TypeAlias = Callable[[Sequence[Path]], AsyncGenerator[set[str], None]]
"""Directories → paths in them that changed, batch by batch."""


@attrs.frozen
class _Sight:
    """What a look at the file tells without reading it. Another one: the content may be another."""

    real_path: str
    device: int
    inode: int
    modified_ns: int
    size: int


async def directory_notifications(directories: Sequence[Path]) -> AsyncGenerator[set[str], None]:
    """What the operating system says about the directories' direct children.

    Raises ``OSError`` or ``RuntimeError`` where it says nothing: too many watches, no permission.
    """
    # Slow to import, and not needed before the first request is served.
    watchfiles = await asyncio.to_thread(importlib.import_module, "watchfiles")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it would report each batch
    batches = watchfiles.awatch(
        *directories, watch_filter=None, recursive=False, step=_STEP_MS, debounce=_GROUP_MS
    )
    async with aclosing(batches):
        async for changes in batches:
            yield {path for _, path in changes}


class FileWatch:
    """Tells when a file may have got new content and has come to rest.

    ::

        async with FileWatch(path) as watch:
            while True:
                await watch.changed()  # returns at once the first time

    Deleting the file is no change; its return is one.
    """

    def __init__(
        self,
        path: Path,
        *,
        poll_seconds: float = POLL_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
        notifications: Notifications = directory_notifications,
    ) -> None:
        self.path = path
        self.settle_seconds = settle_seconds
        self._poll_seconds = poll_seconds
        self._notifications = notifications
        self._sight: Hashable | None = None
        self._named = False
        self._wake = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen(), name=f"watch {self.path}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.wait([self._listener])

    async def changed(self) -> None:
        """Returns when the file is there, may differ from what the last call saw, and is at rest."""
        while True:
            sight = self._look()
            if sight is not None and (self._named or sight != self._sight):
                self._sight = await self._rest(sight)
                if self._sight is not None:
                    return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._wake.wait()
            self._wake.clear()

    async def _rest(self, sight: Hashable | None) -> Hashable | None:
        """The sight of the file once it has stayed the same for the settling time; ``None``: it is gone."""
        while True:
            self._named = False
            await asyncio.sleep(self.settle_seconds)
            before, sight = sight, self._look()
            if sight == before and not self._named:
                return sight

    def _look(self) -> Hashable | None:
        """What there is to see now; ``None``: no file."""
        real_path = os.path.realpath(self.path)
        try:
            found = os.stat(real_path)
        except OSError:
            return None
        return _Sight(real_path, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)

    async def _listen(self) -> None:
        try:
            while await self._listen_in(self._directories()):
                pass
        except (OSError, RuntimeError, ImportError) as error:
            log.warning(
                "%s: no change notifications (%s); looking at it every %g seconds instead",
                self.path,
                error,
                self._poll_seconds,
            )

    async def _listen_in(self, directories: Sequence[Path]) -> bool:
        """Returns true when other directories matter now, false when there is no more to hear."""
        async with aclosing(self._notifications(directories)) as batches:
            async for paths in batches:
                self._named |= self._is_named(paths)
                self._wake.set()
                if self._directories() != directories:
                    return True
        return False

    def _is_named(self, paths: set[str]) -> bool:
        """Whether one is the file's. Then it is believed even if the file looks as before: some file
        systems count time in whole seconds."""
        names = {self.path.name, os.path.basename(os.path.realpath(self.path))}
        return any(os.path.basename(path) in names for path in paths)

    def _directories(self) -> list[Path]:
        """Where the path itself stands, and where the file behind symbolic links stands."""
        ends = (self.path.absolute().parent, Path(os.path.realpath(self.path)).parent)
        return list(dict.fromkeys(ends))


class FolderWatch(FileWatch):
    """The same for the JSON files right in a folder; here one that goes is a change, too.

    `folder` is asked each time, as the setting may change. The folder need not be there yet.
    """

    def __init__(self, folder: Callable[[], Path], *, notifications: Notifications = directory_notifications):
        super().__init__(folder(), notifications=notifications)
        self._folder = folder

    def _look(self) -> Hashable | None:
        if (folder := self._folder()) != self.path:
            self.path = folder
            if self._listener is not None:
                self._listener.cancel()
            self._listener = asyncio.create_task(self._listen(), name=f"watch {folder}")
        return tuple(
            (path, found.st_ino, found.st_mtime_ns, found.st_size) for path, found in json_files(folder)
        )

    def _is_named(self, paths: set[str]) -> bool:
        return any(path.lower().endswith(".json") and Path(path).parent == self.path for path in paths)

    def _directories(self) -> list[Path]:
        """The folder, or as long as there is none, what it will be in."""
        folder = self.path.absolute()
        return [next(each for each in (folder, *folder.parents) if each.is_dir())]


def json_files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The JSON files right in a folder, by name, each with its status; none if it cannot be read."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        with suppress(OSError):  # gone since it was listed
            if entry.name.lower().endswith(".json") and entry.is_file():
                yield Path(entry.path), entry.stat()
