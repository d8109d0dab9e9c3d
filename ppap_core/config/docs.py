"""docs/configuration.md from the declarations: ``python -m ppap_core.config.docs [--check] PATH``."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from .declaration import (
    Declared,
    TopLevel,
    check_section,
    declared_fields,
    is_list,
    is_map,
    is_optional,
    item_type,
    optional_type,
    section_class,
    type_name,
)
from .schema import CoreConfig

_INTRODUCTION: Final = """\
# Configuration

<!-- Generated from the declarations by `python -m ppap_core.config.docs docs/configuration.md`. -->

Everything is in one file, `config.yaml`. It is read at start and again whenever it changes. A file
with mistakes is reported, each with line and column, and the configuration from before stays in
force. A key that nothing declares is kept and does nothing; one that looks misspelt is reported.

Values are read as their key needs them: text stays as written, so `0123`, `on` and `1e5` need no
quotes. True and false may also be written `yes`, `on`, `y`, `no`, `off`, `n`, without quotes. A key
without a value counts as absent. The same key twice is a mistake.

*Applies*: **live** settings are in force for the next request; **restart** settings from the next
start on.
"""
_TABLE_HEAD: Final = "| Key | Type | Default | Applies | Meaning |\n|---|---|---|---|---|"


def render(sections: Mapping[str, Any]) -> str:
    """The page for the core's settings and those of ``sections``, by key; ends with a newline."""
    shown: dict[type, str] = {}
    parts = [_INTRODUCTION, "## Top-level keys\n", *_block(CoreConfig, "", shown)]
    if sections:
        parts.append("## Keys of plugins\n")
    for _, declared in sorted(sections.items()):
        check_section(declared)
        if isinstance(declared, TopLevel):
            parts += _block(declared.cls, "", shown)
    for key, declared in sorted(sections.items()):
        if not isinstance(declared, TopLevel):
            parts += _headed(f"{key}[]" if is_list(declared) else key, section_class(declared), shown)
    return "\n".join(parts)


def _headed(path: str, cls: type, shown: dict[type, str]) -> Iterator[str]:
    yield f"### `{path}`\n"
    yield from _block(cls, path, shown)


def _block(cls: type, path: str, shown: dict[type, str]) -> Iterator[str]:
    """A table of the fields, then the blocks within, each under its own heading, unless it has one."""
    summary = _summary(cls)
    if path and summary:
        yield f"{summary}\n"
    rows: list[str] = []
    within: dict[str, type] = {}
    for field in declared_fields(cls):
        inner, suffix = _inner_block(field.type)
        if inner is None or inner in shown:
            rows.append(_row(field, shown[inner] if inner else ""))
            continue
        rows.append(_row(field))
        where = f"{path}.{field.key}{suffix}".lstrip(".")
        within[where] = inner
        shown[inner] = where
    yield "\n".join([_TABLE_HEAD, *rows]) + "\n"
    for where, inner in within.items():
        yield from _headed(where, inner, shown)


def _row(field: Declared, like: str = "") -> str:
    """``like`` is the path of the key whose block is the same."""
    inner, _ = _inner_block(field.type)
    applies = "" if inner is not None else field.setting.reload
    secret = " Secret." if field.setting.secret else ""
    older = "".join(f" Older spelling: `{alias}`." for alias in field.setting.aliases)
    same = f" Like `{like}`." if like else ""
    meaning = " ".join(field.setting.doc.split()).replace("|", "\\|") + same + secret + older
    cells = (f"`{field.key}`", type_name(field.type), _default(field), applies, meaning.strip())
    return "| " + " | ".join(cells) + " |"


def _default(field: Declared) -> str:
    default = field.default
    if default is attrs.NOTHING:
        return "required"
    if default is None:
        return "none"
    if attrs.has(type(default)):
        return "below"
    return f"`{_yaml(default)}`"


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    return str(value)


def _inner_block(declared: Any) -> tuple[type | None, str]:
    """The settings class inside a field's type, and how a path to it ends."""
    if is_optional(declared):
        return _inner_block(optional_type(declared))
    if is_list(declared):
        inner, suffix = _inner_block(item_type(declared))
        return inner, f"[]{suffix}"
    if is_map(declared):
        inner, suffix = _inner_block(item_type(declared))
        return inner, f".*{suffix}"
    return (declared if isinstance(declared, type) and attrs.has(declared) else None), ""


def _summary(cls: type) -> str:
    """The first paragraph of the class's own docstring, in Markdown."""
    text = inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page for all installed plugins; with ``--check``, compares it. Returns the exit code."""
    # They know this package; only this command needs them the other way round.
    from ..built_in import register_built_in
    from ..plugins import PluginHost

    parser = argparse.ArgumentParser(prog="python -m ppap_core.config.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, do not write; exit code 1 if stale")
    parser.add_argument("path", type=Path, metavar="PATH", help="docs/configuration.md")
    options = parser.parse_args(arguments)
    plugins = PluginHost()
    register_built_in(plugins)
    plugins.discover()
    page = render(plugins.sections())
    if not options.check:
        options.path.write_text(page, encoding="utf-8")
        return 0
    if options.path.is_file() and options.path.read_text(encoding="utf-8") == page:
        return 0
    print(f"{options.path} is stale; run: python -m ppap_core.config.docs {options.path}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
