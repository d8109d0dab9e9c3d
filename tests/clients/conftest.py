"""Says loudly which real clients were not driven, and why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .command_line import CLIENTS

HOW_TO = "tests/clients/install.sh installs it (needs Node and npm)"
_missing: set[str] = set()


def require_installed(program: Path) -> None:
    """Skips the test if a client is not installed; where ``CI`` is set, it fails instead."""
    if program.exists():
        return
    _missing.add(program.name)
    if os.environ.get("CI"):
        pytest.fail(f"the client {program.name} is not installed; {HOW_TO}")
    pytest.skip(f"the client {program.name} is not installed; {HOW_TO}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One loud line for each client that is not installed."""
    for name in sorted(_missing):
        terminalreporter.write_line(f"REAL CLIENT NOT TESTED: {name}; {HOW_TO}", yellow=True, bold=True)


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> str:
    """The name of a command-line client, given indirectly, that is known to be installed."""
    require_installed(CLIENTS[request.param].path)
    return str(request.param)
