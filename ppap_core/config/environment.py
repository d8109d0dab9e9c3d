"""The ``.env`` file beside the working directory's other files (config spec, 5)."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Final

import attrs

log = logging.getLogger("ppap.config")

_LINE: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)")
_SINGLE_QUOTED: Final = re.compile(r"'([^']*)'\s*(?:#.*)?")
_DOUBLE_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


@attrs.frozen
class Assignment:
    """``value`` is ``None`` if the line cannot be understood, and so is ``name`` mostly."""

    line: int
    name: str
    value: str | None = attrs.field(repr=False)


def load_environment(path: Path = Path(".env"), environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets what the file assigns and the environment lacks; blank counts as lacking, in both.

    A missing file is fine; an unreadable one, or a line that is no assignment, is only a warning.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        log.warning("%s: not read: %s", path, getattr(error, "strerror", None) or "it is not UTF-8 text")
        return
    for assignment in assignments(text):
        if assignment.value is None:
            log.warning("%s:%d: ignored; expected NAME=value", path, assignment.line)
        elif assignment.value.strip() and not environment.get(assignment.name, "").strip():
            environment[assignment.name] = assignment.value


def assignments(text: str) -> Iterator[Assignment]:
    """``NAME=value`` lines, with or without ``export``, quotes, and comments behind a blank."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            yield Assignment(number, "", None)
        else:
            yield Assignment(number, match[1], _value(match[2]))


def _value(written: str) -> str | None:
    if written.startswith("'"):
        single = _SINGLE_QUOTED.fullmatch(written)
        return single[1] if single else None
    if written.startswith('"'):
        double = _DOUBLE_QUOTED.fullmatch(written)
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), double[1]) if double else None
    return re.split(r"(?:^|\s)#", written, maxsplit=1)[0].strip()
