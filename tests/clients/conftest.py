"""Says loudly which real clients were not driven."""

from __future__ import annotations

import pytest

from .runs import HOW_TO, missing


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One loud line for each client that is not installed."""
    for name in sorted(missing):
        terminalreporter.write_line(f"REAL CLIENT NOT TESTED: {name}; {HOW_TO}", yellow=True, bold=True)
