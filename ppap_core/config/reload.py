"""Edits of config.yaml while the proxy runs: load, compare, apply, and say what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import ConfigError
from .difference import changed_keys, restart_keys
from .load import Config, parse
from .watch import FileWatch

log = logging.getLogger("ppap.config")

Apply: TypeAlias = Callable[[Config], Awaitable[None] | None]
"""Puts a config in force, or raises and leaves the old one in force."""


class Reloader:
    """Keeps ``config`` equal to the file. A file with mistakes is reported and changes nothing.

    Nothing happens either for an empty file (editors truncate first), for a deleted one, and for
    content that is in force already.
    """

    def __init__(
        self, path: Path, sections: Mapping[str, Any], config: Config, *, watch: FileWatch | None = None
    ) -> None:
        self.config = config
        self._path = path
        self._sections = sections
        self._watch = watch or FileWatch(path)

    @asynccontextmanager
    async def following(self, apply: Apply) -> AsyncIterator[None]:
        """Runs beside the block, and ends with it."""
        task = asyncio.create_task(self.run(apply), name=f"reload {self._path}")
        task.add_done_callback(self._mourn)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def run(self, apply: Apply) -> None:
        """Follows the file until cancelled."""
        async with self._watch as watch:
            while True:
                await watch.changed()
                await self._consider(apply)

    def _mourn(self, task: asyncio.Task[None]) -> None:
        """Nothing should end the task but its cancellation; if something does, it must not go unseen."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s is not followed any more; restart to apply edits", self._path, exc_info=error)

    async def _consider(self, apply: Apply) -> None:
        try:
            config = await self._load()
            if config is None:
                return
            applied = apply(config)
            if applied is not None:
                await applied
        except ConfigError as error:
            for problem in error.problems:
                log.error("%s", problem)
            log.error("%s not reloaded; the configuration from before stays in force", self._path)
        except Exception:
            log.exception("%s not applied; the configuration from before stays in force", self._path)
        else:
            before, self.config = self.config, config
            self._report(before, config)

    async def _load(self) -> Config | None:
        """``None`` if there is nothing new. A mistake gets a second look, as the write may go on."""
        try:
            return await asyncio.to_thread(self._load_once)
        except ConfigError:
            await asyncio.sleep(self._watch.settle_seconds)
            return await asyncio.to_thread(self._load_once)

    def _load_once(self) -> Config | None:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                log.error("%s cannot be read: %s", self._path, error.strerror)
            return None
        if not data.strip() or hashlib.sha256(data).hexdigest() == self.config.digest:
            return None
        return parse(data, self._path, self._sections)

    def _report(self, old: Config, new: Config) -> None:
        changed = ", ".join(changed_keys(old, new))
        log.info("%s reloaded: %s", self._path, f"changed {changed}" if changed else "no setting changed")
        restart = restart_keys(old, new)
        if restart:
            log.warning("%s: in force only after a restart: %s", self._path, ", ".join(restart))
        for warning in new.warnings:
            log.warning("%s", warning)
        for note in new.notes:
            log.info("%s", note)
