"""Edits of config.yaml while the proxy runs (config spec, 7.2; pain 38)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from ppap_core.config import Config, ConfigError, ConfigProblem, Reloader, load, setting
from ppap_core.config.watch import FileWatch

PATIENCE = 20.0


@attrs.frozen(kw_only=True)
class Nest:
    """Inside a section."""

    place: str = setting("Where.", default="", reload="restart")


@attrs.frozen(kw_only=True)
class Parrot:
    """A section."""

    word: str = setting("A word.", default="")
    nest: Nest = setting("Its nest.", factory=Nest)


SECTIONS: dict[str, Any] = {"parrot": Parrot, "parrots": list[Parrot]}


class Steps(FileWatch):
    """A watch that tells when the change before has been dealt with: by the next wait for one."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, settle_seconds=0.05, poll_seconds=0.5)
        self._steps: asyncio.Queue[None] = asyncio.Queue()

    async def changed(self) -> None:
        self._steps.put_nowait(None)
        await super().changed()

    async def step(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._steps.get()


@attrs.define
class Following:
    """A running reloader, and what it put in force."""

    path: Path
    reloader: Reloader
    watch: Steps
    applied: list[Config] = attrs.field(factory=list)

    def apply(self, config: Config) -> None:
        if config.core.routing.strategy == "unknown":
            raise ConfigError([ConfigProblem(str(self.path), 1, 1, "no such strategy")])
        if config.core.routing.strategy == "broken":
            raise ZeroDivisionError
        self.applied.append(config)

    @property
    def ports(self) -> list[int]:
        return [config.core.port for config in self.applied]


@asynccontextmanager
async def following(path: Path, sections: dict[str, Any] = SECTIONS) -> AsyncIterator[Following]:
    watch = Steps(path)
    run = Following(path, Reloader(path, sections, load(path, SECTIONS), watch=watch), watch)
    async with run.reloader.following(run.apply):
        await watch.step()
        await watch.step()  # the first look finds what is in force already
        yield run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("port: 1\napi-keys: [secret-a]\n")
    return path


class Told(logging.Handler):
    """What the operator reads."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def told() -> Iterator[list[str]]:
    handler = Told()
    logger = logging.getLogger("ppap.config")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield handler.lines
    logger.setLevel(level)
    logger.removeHandler(handler)


def write(path: Path, text: str) -> None:
    path.write_text(text)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def save_again(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def delete_then_write(path: Path, text: str) -> None:
    path.unlink()
    path.with_name("other").touch()
    path.write_text(text)


async def test_an_edit_is_applied_and_reported(path: Path, told: list[str]) -> None:
    """With the names of what changed, never with values (pain 38)."""
    async with following(path) as run:
        write(path, "port: 1\napi-keys: [secret-a, secret-b]\nparrots: [{word: secret}]\nparrot: {word: x}\n")
        await run.watch.step()
        assert run.applied[0].core.api_keys == ("secret-a", "secret-b")
        assert run.reloader.config is run.applied[0]
    assert told == [f"{path} reloaded: changed api-keys (2 entries), parrot, parrots (1 entry)"]


async def test_settings_that_need_a_restart_are_named(path: Path, told: list[str]) -> None:
    """At any depth, core and plugins; those that apply at once are not."""
    async with following(path) as run:
        write(
            path,
            "port: 2\napi-keys: [secret-a]\ndebug: on\ntls: {cert: x}\nparrot: {word: a, nest: {place: b}}\n",
        )
        await run.watch.step()
    assert told == [
        f"{path} reloaded: changed port, tls, debug, parrot",
        f"{path}: in force only after a restart: port, tls.cert, parrot.nest.place",
    ]


async def test_a_mistake_is_reported_and_changes_nothing(path: Path, told: list[str]) -> None:
    """Every mistake with its place; the next good edit is applied."""
    async with following(path) as run:
        write(path, "port: x\ndebug: 1\n")
        await run.watch.step()
        assert run.applied == []
        assert run.reloader.config.core.port == 1
        write(path, "port: 2\n")
        await run.watch.step()
        assert run.ports == [2]
    assert told[:3] == [
        f'{path}:1:7: port: expected a whole number, found "x"',
        f'{path}:2:8: debug: expected true or false, found "1"',
        f"{path} not reloaded; the configuration from before stays in force",
    ]


async def test_what_cannot_be_applied_changes_nothing(path: Path, told: list[str]) -> None:
    """Whether it is refused with a reason or breaks; following goes on."""
    async with following(path) as run:
        write(path, "routing: {strategy: unknown}\n")
        await run.watch.step()
        write(path, "routing: {strategy: broken}\n")
        await run.watch.step()
        assert run.reloader.config.core.port == 1
        write(path, "port: 2\n")
        await run.watch.step()
        assert run.ports == [2]
    assert told[:3] == [
        f"{path}:1:1: no such strategy",
        f"{path} not reloaded; the configuration from before stays in force",
        f"{path} not applied; the configuration from before stays in force",
    ]


async def test_an_empty_file_is_ignored(path: Path, told: list[str]) -> None:
    """Editors truncate first; the text that follows is what counts."""
    async with following(path) as run:
        os.truncate(path, 0)
        await run.watch.step()
        write(path, "\n  \n")
        await run.watch.step()
        assert (run.applied, told) == ([], [])
        write(path, "port: 2\n")
        await run.watch.step()
        assert run.ports == [2]


async def test_a_deleted_file_is_ignored(path: Path, told: list[str]) -> None:
    """The running config stays, and the file may come back."""
    async with following(path) as run:
        delete_then_write(path, "port: 2\n")
        await run.watch.step()
        assert run.ports == [2]
    assert len(told) == 2


async def test_the_same_content_is_not_reloaded(path: Path, told: list[str]) -> None:
    """Saving without an edit is no edit (config spec, 10)."""
    async with following(path) as run:
        save_again(path)
        await run.watch.step()
        assert (run.applied, told) == ([], [])


async def test_an_edit_of_comments_is_reported_as_such(path: Path, told: list[str]) -> None:
    """So that nobody wonders whether it was seen."""
    async with following(path) as run:
        append(path, "# a comment\n")
        await run.watch.step()
        assert len(run.applied) == 1
    assert told == [f"{path} reloaded: no setting changed"]


async def test_two_edits_in_a_moment_are_one_reload(path: Path) -> None:
    """The settling time starts anew with each (config spec, 10)."""
    async with following(path) as run:
        write(path, "port: 2\n")
        write(path, "port: 3\n")
        await run.watch.step()
        assert run.ports == [3]


class CompletedByTheFirstLook(dict[str, Any]):
    """Sections that, when first used to read a file, let its writer finish."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(SECTIONS)
        self._finish = iter([lambda: path.write_text(text)])

    def values(self) -> Any:
        for finish in self._finish:
            finish()
            break
        return super().values()


async def test_a_half_written_file_is_read_again_before_it_is_reported(path: Path, told: list[str]) -> None:
    """A slow writer is no mistake of the operator's."""
    async with following(path, CompletedByTheFirstLook(path, "port: 2\n")) as run:
        write(path, "port: [")
        await run.watch.step()
        assert run.ports == [2]
    assert told[0] == f"{path} reloaded: changed port, api-keys (0 entries)"


async def test_an_edit_before_the_watch_began_is_seen(path: Path) -> None:
    """Between reading the file at start and following it, nothing is lost."""
    watch = Steps(path)
    run = Following(path, Reloader(path, SECTIONS, load(path, SECTIONS), watch=watch), watch)
    write(path, "port: 2\n")
    async with run.reloader.following(run.apply):
        await watch.step()
        await watch.step()
        assert run.ports == [2]


async def test_warnings_of_the_new_file_are_told(path: Path, told: list[str]) -> None:
    """Misspellings, and keys that nothing uses."""
    async with following(path) as run:
        write(path, "prot: 1\nampcode: {}\n")
        await run.watch.step()
    assert told[2:] == [
        f'{path}:1:1: unknown key "prot" (did you mean "port"?)',
        f"{path}: kept, but nothing installed uses them: ampcode",
    ]


async def test_a_waiting_apply_is_awaited(path: Path) -> None:
    """Applying may take its time; the config counts as in force afterwards."""
    watch = Steps(path)
    reloader = Reloader(path, SECTIONS, load(path, SECTIONS), watch=watch)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def apply(config: Config) -> None:
        begun.set()
        await go_on.wait()

    async with reloader.following(apply):
        write(path, "port: 2\n")
        async with asyncio.timeout(PATIENCE):
            await begun.wait()
        assert reloader.config.core.port == 1
        go_on.set()
        await watch.step()
        await watch.step()
        assert reloader.config.core.port == 2


async def test_following_ends_with_its_block(path: Path) -> None:
    """No task is left, and an exception of the block comes out as it is."""
    before = asyncio.all_tasks()
    with pytest.raises(KeyError):
        async with following(path):
            raise KeyError
    assert asyncio.all_tasks() == before


async def test_a_watch_that_breaks_is_not_silent(path: Path, told: list[str]) -> None:
    """The proxy serves on, and says that edits are not seen any more."""
    ended = asyncio.Event()

    class Broken(FileWatch):
        async def changed(self) -> None:
            raise ZeroDivisionError

        async def __aexit__(self, *error: Any) -> None:
            await super().__aexit__(*error)
            ended.set()

    async with Reloader(path, SECTIONS, load(path, SECTIONS), watch=Broken(path)).following(lambda _: None):
        await ended.wait()
    assert told == [f"{path} is not followed any more; restart to apply edits"]
