"""A command-line client: how it is pointed at an address, started, and what it says at its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import attrs

PROMPT: Final = "Print the marker with the shell tool."
PATIENCE: Final = 90.0
"""Seconds; a client that asks again for ever is stopped then."""
INSTALLED: Final = Path(__file__).parents[2] / "build" / "clients" / "node_modules"


@attrs.frozen(kw_only=True)
class Place:
    """Where a client runs and what it talks to. ``url`` has no ``/v1``; ``home`` is empty at first."""

    url: str
    key: str
    model: str
    home: Path


@attrs.frozen(kw_only=True)
class Tokens:
    """What the client counted over a whole run; ``input`` is without what the cache covered."""

    input: int
    cache_read: int
    output: int


@attrs.frozen(kw_only=True)
class Outcome:
    """What is left of a run. ``text`` is the final answer as the client shows it.

    ``tokens`` is ``None`` where the client told none. ``output`` is all that it printed.
    """

    exit_code: int
    text: str
    tokens: Tokens | None
    output: str


@attrs.frozen(kw_only=True)
class CommandLine:
    """A client: the dialect it speaks, how it is set up and started, how its output is read.

    ``program`` is where it lies among the installed packages. ``config`` is what it needs in the proxy's
    config.yaml. The readers get all that was printed,
    and raise ``ValueError`` or ``LookupError`` where no answer is in it.
    """

    program: str
    speaks: str
    arguments: Callable[[Place], list[str]]
    environment: Callable[[Place], dict[str, str]]
    text: Callable[[str], str]
    tokens: Callable[[str], Tokens]
    set_up: Callable[[Place], None] = lambda place: None
    config: str = ""

    @property
    def path(self) -> Path:
        return INSTALLED / self.program


async def run(client: CommandLine, place: Place) -> Outcome:
    """Runs a client in an empty environment. Raises `TimeoutError` after `PATIENCE`."""
    client.set_up(place)
    work = place.home / "work"
    work.mkdir()
    process = await asyncio.create_subprocess_exec(
        client.path,
        *client.arguments(place),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=work,
        env=_environment(place) | client.environment(place),
        start_new_session=True,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # with all that it started
            await process.wait()
    told = "\n".join(part.decode(errors="replace") for part in (output, errors))
    return Outcome(
        exit_code=process.returncode or 0,
        text=_read(client.text, told) or "",
        tokens=_read(client.tokens, told),
        output=told,
    )


def _environment(place: Place) -> dict[str, str]:
    node = Path(shutil.which("node") or "/usr/bin/node").parent
    return {
        "HOME": str(place.home),
        "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "CI": "1",
    }


Value = TypeVar("Value")


def _read(reader: Callable[[str], Value], output: str) -> Value | None:
    try:
        return reader(output)
    except (ValueError, LookupError):
        return None
