"""The ``cli-proxy-api`` command: the flags of the reference, for drop-in use (config spec, 6).

Go's flag syntax: one or two dashes, ``-flag value`` or ``-flag=value``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs

from .cli import DEFAULT_CONFIG, run
from .config import load_environment
from .errors import ConfigError

SERVED: Final = {"config": "PATH", "local-model": "", "no-browser": ""}
_USAGE: Final = """usage: cli-proxy-api [-config PATH]

Serves like `ppap serve`. Of the reference's flags:
  -config PATH   the configuration file (default: ./config.yaml)
  -local-model   accepted; model catalogues come with the plugins and are never fetched
  -no-browser    accepted; matters to logins only
All others (logins, imports, terminal client) are not served by this version and say so."""


class UsageError(Exception):
    """A flag that cannot be understood or served."""


@attrs.frozen
class Flags:
    config: Path


def parse(arguments: Sequence[str]) -> Flags:
    """Raises `UsageError`."""
    config = DEFAULT_CONFIG
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name:
            raise UsageError(f"unexpected argument {word!r}")
        if name not in SERVED:
            raise UsageError(f"-{name} is not served by this version")
        if SERVED[name] and not has_value:
            if not rest:
                raise UsageError(f"-{name} needs a value: -{name} {SERVED[name]}")
            value = rest.pop(0)
        if name == "config":
            config = value
    return Flags(Path(config))


def main() -> None:
    """Entry point of the ``cli-proxy-api`` script."""
    arguments = sys.argv[1:]
    if any(word.lstrip("-") in ("h", "help") and word.startswith("-") for word in arguments):
        print(_USAGE)
        return
    try:
        flags = parse(arguments)
    except UsageError as error:
        sys.exit(f"cli-proxy-api: {error} (see cli-proxy-api -help)")
    load_environment()
    try:
        run(flags.config)
    except ConfigError as error:
        sys.exit(str(error))
