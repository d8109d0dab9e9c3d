"""Noticing that a file changed, on real files and real notifications (pain 38)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import pytest

from ppap_core.config.watch import FileWatch, directory_notifications

PATIENCE = 20.0
"""Seconds after which a change that nobody noticed fails the test."""
SETTLE = 0.03
NEVER = 3600.0


async def silence(directories: Sequence[Path]) -> AsyncGenerator[set[str], None]:
    """The notifications of a file mounted into a container: none."""
    await asyncio.Event().wait()
    yield set()


async def refusal(directories: Sequence[Path]) -> AsyncGenerator[set[str], None]:
    """The notifications of a system whose watches are used up."""
    raise OSError(28, "no space left on device")
    yield set()


class Overheard:
    """Real notifications; tells the test which names the watch was told of."""

    def __init__(self) -> None:
        self._names: asyncio.Queue[set[str]] = asyncio.Queue()

    async def notifications(self, directories: Sequence[Path]) -> AsyncGenerator[set[str], None]:
        async with aclosing(directory_notifications(directories)) as batches:
            async for paths in batches:
                yield paths
                self._names.put_nowait({Path(path).name for path in paths})

    async def hear(self, path: Path) -> None:
        """Touches a file until the watch has dealt with a notification of its name.

        Once would not do: the system does not say when it starts to watch.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                touch(path)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        while path.name not in await self._names.get():
                            pass
                    return


@asynccontextmanager
async def notified(path: Path) -> AsyncIterator[FileWatch]:
    """Waiting for notifications alone: it would look at the file by itself only in an hour."""
    overheard = Overheard()
    watch = FileWatch(path, settle_seconds=SETTLE, poll_seconds=NEVER, notifications=overheard.notifications)
    async with watch:
        await noticed(watch)
        await overheard.hear(path.parent / "probe")
        yield watch


@asynccontextmanager
async def polled(path: Path) -> AsyncIterator[FileWatch]:
    """Looking alone."""
    async with FileWatch(path, settle_seconds=SETTLE, poll_seconds=0.02, notifications=silence) as watch:
        await noticed(watch)
        yield watch


Watching: TypeAlias = Callable[[Path], AbstractAsyncContextManager[FileWatch]]
both_senses = pytest.mark.parametrize("watching", [notified, polled])


async def noticed(watch: FileWatch) -> None:
    async with asyncio.timeout(PATIENCE):
        await watch.changed()


async def begun(watch: FileWatch) -> asyncio.Task[None]:
    """A wait for a change that goes on, having looked at the file once."""
    waiting = asyncio.create_task(noticed(watch))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


def touch(path: Path) -> None:
    path.touch()


def replace(path: Path, text: str) -> None:
    """As editors and our own management API do."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.rename(path)


def write_in_place(path: Path, text: str) -> None:
    """Into the same inode, which is all that a single-file mount lets through."""
    path.write_text(text)


def truncate_then_write(path: Path, text: str) -> None:
    """In two steps."""
    os.truncate(path, 0)
    path.write_text(text)


def delete_then_create(path: Path, text: str) -> None:
    """As some deployment tools do."""
    path.unlink()
    path.write_text(text)


def delete(path: Path) -> None:
    path.unlink()


def set_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


WAYS = [replace, write_in_place, truncate_then_write, delete_then_create]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("port: 1\n")
    return path


@both_senses
@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_change_a_file_is_noticed(
    path: Path, way: Callable[[Path, str], None], watching: Watching
) -> None:
    """By notifications alone, and by looking alone."""
    async with watching(path) as watch:
        waiting = await begun(watch)
        way(path, "port: 2\n")
        await waiting


@both_senses
async def test_a_swapped_directory_link_is_noticed(tmp_path: Path, watching: Watching) -> None:
    """Kubernetes mounts: config.yaml → ..data/config.yaml, and ..data is swapped for another version."""
    for version in ("..v1", "..v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "config.yaml").write_text(f"host: {version}\n")
    (tmp_path / "..data").symlink_to("..v1")
    path = tmp_path / "config.yaml"
    path.symlink_to("..data/config.yaml")
    async with watching(path) as watch:
        waiting = await begun(watch)
        (tmp_path / "..data_tmp").symlink_to("..v2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        await waiting


async def test_the_far_end_of_a_link_is_watched(tmp_path: Path) -> None:
    """An edit of the file that the link leads to, in another directory."""
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
    target = tmp_path / "there" / "real.yaml"
    target.write_text("port: 1\n")
    path = tmp_path / "here" / "config.yaml"
    path.symlink_to(target)
    async with notified(path) as watch:
        waiting = await begun(watch)
        target.write_text("port: 2\n")
        await waiting


async def test_a_link_turned_elsewhere_is_followed(tmp_path: Path) -> None:
    """From then on the new directory is listened to."""
    for place in ("here", "there", "elsewhere"):
        (tmp_path / place).mkdir()
    for place in ("there", "elsewhere"):
        (tmp_path / place / "real.yaml").write_text("port: 1\n")
    path = tmp_path / "here" / "config.yaml"
    path.symlink_to(tmp_path / "there" / "real.yaml")
    overheard = Overheard()
    watch = FileWatch(path, settle_seconds=SETTLE, poll_seconds=NEVER, notifications=overheard.notifications)
    async with watch:
        await noticed(watch)
        await overheard.hear(tmp_path / "here" / "probe")
        waiting = await begun(watch)
        (tmp_path / "here" / "new").symlink_to(tmp_path / "elsewhere" / "real.yaml")
        (tmp_path / "here" / "new").rename(path)
        await waiting
        await overheard.hear(tmp_path / "elsewhere" / "new-probe")
        waiting = await begun(watch)
        (tmp_path / "elsewhere" / "real.yaml").write_text("port: 2\n")
        await waiting


@both_senses
async def test_a_deleted_file_is_no_change_but_its_return_is(path: Path, watching: Watching) -> None:
    """Waiting goes on while it is away."""
    async with watching(path) as watch:
        delete(path)
        waiting = await begun(watch)
        write_in_place(path, "port: 2\n")
        await waiting


async def test_other_files_of_the_directory_do_not_matter(path: Path) -> None:
    """A log that grows beside the file wakes nobody."""
    overheard = Overheard()
    watch = FileWatch(path, settle_seconds=SETTLE, poll_seconds=NEVER, notifications=overheard.notifications)
    async with watch:
        await noticed(watch)
        await overheard.hear(path.parent / "probe")
        waiting = await begun(watch)
        await overheard.hear(path.with_name("main.log"))
        assert not waiting.done()
        replace(path, "port: 2\n")
        await waiting


async def test_a_change_that_looks_like_none_is_believed_when_it_is_named(path: Path) -> None:
    """Same size, and a time stamp of a whole second: only the notification tells."""
    set_time(path, 1_000_000)
    async with notified(path) as watch:
        waiting = await begun(watch)
        write_in_place(path, "port: 2\n")
        set_time(path, 1_000_000)
        await waiting


async def test_without_notifications_the_file_is_looked_at(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the system gives no watch, that is a warning, and changes are seen a little later."""
    async with FileWatch(path, settle_seconds=SETTLE, poll_seconds=0.02, notifications=refusal) as watch:
        await noticed(watch)
        waiting = await begun(watch)
        write_in_place(path, "port: 22\n")
        await waiting
    (record,) = caplog.records
    assert "no change notifications" in record.getMessage()
    assert "no space left on device" in record.getMessage()


async def test_nothing_is_left_running(path: Path) -> None:
    """The listening task ends with the block."""
    before = asyncio.all_tasks()
    async with notified(path) as watch:
        waiting = await begun(watch)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert asyncio.all_tasks() == before
