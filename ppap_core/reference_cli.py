"""The ``cli-proxy-api`` command: the flags of the reference, for drop-in use (config spec, 6).

Go's flag syntax: one or two dashes, ``-flag value`` or ``-flag=value``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import click

from .cli import DEFAULT_CONFIG, plugin_commands, run
from .config import load_environment
from .errors import ConfigError

SERVED: Final = {"config": "PATH", "local-model": "", "no-browser": ""}
_USAGE: Final = """usage: cli-proxy-api [-config PATH] [-COMMAND FILE [-COMMAND-OPTION VALUE]]

Serves like `ppap serve`. Of the reference's flags:
  -config PATH   the configuration file (default: ./config.yaml)
  -local-model   accepted; model catalogues come with the plugins and are never fetched
  -no-browser    accepted; matters to logins only
  -COMMAND       a command that a plugin brings, as `ppap COMMAND`; its options follow as -COMMAND-OPTION
All others (logins, terminal client) are not served by this version and say so."""


class UsageError(Exception):
    """A flag that cannot be understood or served."""


@attrs.frozen(kw_only=True)
class Flags:
    """``command`` is run with `words` instead of serving."""

    config: Path = Path(DEFAULT_CONFIG)
    command: click.Command | None = None
    words: Sequence[str] = ()


def parse(arguments: Sequence[str]) -> Flags:
    """Raises `UsageError`."""
    config = DEFAULT_CONFIG
    command: click.Command | None = None
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name:
            raise UsageError(f"unexpected argument {word!r}")
        expected = SERVED.get(name)
        if expected is None:
            command, option = _command(name, command)
            words += [option] if option else []
            expected = "VALUE"
        if expected and not has_value:
            if not rest:
                raise UsageError(f"-{name} needs a value: -{name} {expected}")
            value = rest.pop(0)
        if name == "config":
            config = value
        elif name not in SERVED:
            words.append(value)
    return Flags(config=Path(config), command=command, words=words)


def _command(name: str, before: click.Command | None) -> tuple[click.Command, str]:
    """The plugin's command that a flag belongs to, and which option of it; empty: its argument."""
    for known, command in plugin_commands().items():
        option = name.removeprefix(known).replace("-", "--", 1)
        options = {each for parameter in command.params for each in parameter.opts}
        if name.startswith(known) and (not option or option in options) and before in (None, command):
            return command, option
    raise UsageError(f"-{name} is not served by this version")


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
        if flags.command is not None:
            flags.command.main([*flags.words, "--config", str(flags.config)])
        run(flags.config)
    except ConfigError as error:
        sys.exit(str(error))
