"""Runs of command-line clients: each made once, however many tests look at it, and several at a time."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from .clients import CLIENTS
from .roads import DIRECT

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 150.0
"""Seconds for a run with all that belongs to it."""
HOW_TO: Final = "tests/clients/install.sh installs it (needs Node and npm)"
missing: Final[set[str]] = set()
"""Clients that tests asked for and that are not installed."""


@attrs.frozen
class Run:
    """A client that takes a road, and what befalls it there."""

    client: str
    road: str
    scenario: str = "marker"

    def __str__(self) -> str:
        return f"{self.client}-{self.road}-{self.scenario}".removesuffix("-marker")

    def direct(self, scenario: str | None = None) -> Run:
        """The same without the proxy."""
        return Run(self.client, DIRECT, scenario or self.scenario)

    def start(self) -> None:
        """Begins with the run, if its client is there, as soon as there is room for it."""
        if CLIENTS[self.client].path.exists():
            _started(self)

    def result(self) -> Any:
        """A `round_trip.Result`, decoded. Skips the test that asks if the client is not installed."""
        require_installed(CLIENTS[self.client].path)
        return _started(self).result()


def require_installed(path: Path) -> None:
    """Skips the test if a client is not installed; where ``CI`` is set, it fails instead."""
    if path.exists():
        return
    missing.add(path.name)
    told = f"the client {path.name} is not installed; {HOW_TO}"
    pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)


def cells(*rows: tuple[str, Iterable[str]], scenario: str = "marker") -> list[Run]:
    """Of rows of a client and its roads: the runs."""
    return [Run(client, road, scenario) for client, roads in rows for road in roads]


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """A client often waits, so there is room for one more than can compute."""
    return ThreadPoolExecutor((os.cpu_count() or 1) + 1)


@functools.cache
def _started(run: Run) -> Future[Any]:
    return _pool().submit(_made, run)


def _made(run: Run) -> Any:
    command = [
        *_alone(),
        sys.executable,
        "-m",
        "tests.clients.round_trip",
        run.client,
        run.road,
        run.scenario,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@functools.cache
def _alone() -> list[str]:
    """The start of a command that runs with nothing but loopback; empty where that is not allowed."""
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    found = shutil.which("unshare") is not None
    return (
        unshare if found and subprocess.run([*unshare, "true"], capture_output=True).returncode == 0 else []
    )
