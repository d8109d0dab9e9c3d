"""Installs the core by itself, then each plugin alone beside it, and starts the command each time.

Shows that the core needs no plugin, and no plugin one that it does not declare. Uses a new virtual
environment and runtime dependencies only, so an import of something that only the tests install is
found out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = {
    "openai": ROOT / "plugins" / "ppap-openai",
    "claude": ROOT / "plugins" / "ppap-claude",
    "gemini": ROOT / "plugins" / "ppap-gemini",
    "codex": ROOT / "plugins" / "ppap-codex",
    "demo": ROOT / "examples" / "custom-provider",
}
NEEDS = {"codex": ["openai"]}
"""Plugins that others are built on."""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        python = place / "venv" / "bin" / "python"
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
        pinned = ("-c", ROOT / "constraints.txt")

        run(*pip, "install", *pinned, ROOT, cwd=place)
        check(python, place, [])
        for name, source in PLUGINS.items():
            needed = NEEDS.get(name, [])
            run(*pip, "install", *pinned, *(PLUGINS[other] for other in needed), source, cwd=place)
            check(python, place, [*needed, name])
            run(*pip, "uninstall", "--yes", *(f"ppap-{each}" for each in (*needed, name)), cwd=place)


def check(python: Path, place: Path, expected: list[str]) -> None:
    """The command starts, and lists exactly the installed plugins; the core's own have no version."""
    run(python, "-m", "ppap_core", "--help", cwd=place)
    run(python.with_name("cli-proxy-api"), "-help", cwd=place)
    rows = run(python, "-m", "ppap_core", "plugins", cwd=place).splitlines()[1:]
    found = {row.split()[0]: row for row in rows if row.strip() and row.split()[1] != "loaded"}
    if sorted(found) != sorted(expected) or any("loaded" not in row for row in found.values()):
        sys.exit(f"expected the plugins {expected}, found:\n" + "\n".join(rows))
    print(f"core with {', '.join(expected) or 'no plugin'}: ok")


if __name__ == "__main__":
    main()
