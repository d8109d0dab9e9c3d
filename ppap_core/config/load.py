"""config.yaml → `Config`: the one immutable value that says what the operator wants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..errors import ConfigError, ConfigProblem
from .declaration import check_section, is_list, section_class
from .schema import CoreConfig
from .structure import Structurer
from .tree import Entries, parse_tree


@attrs.frozen(kw_only=True)
class Config:
    """One reading of the file.

    ``config[key]`` is a plugin's section: an object of the declared class, with defaults if the key
    is absent, or a list of them. Warnings need the operator's eye; notes are merely worth knowing.
    """

    core: CoreConfig = attrs.field(factory=CoreConfig)
    sections: Mapping[str, Any] = attrs.field(factory=dict)
    path: Path = Path("config.yaml")
    digest: str = ""
    """SHA-256 of the file's bytes, in hex."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> Any:
        """Raises ``KeyError`` for a key that no plugin declares."""
        return self.sections[key]


def load(path: Path, sections: Mapping[str, Any]) -> Config:
    """Reads the file; ``sections`` are top-level keys → attrs class, or ``list[…]`` of one.

    Raises `ConfigError` with all that is wrong in it; ``TypeError`` for a wrong declaration.
    """
    return parse(read(path), path, sections)


def read(path: Path) -> bytes:
    """The bytes of the file. Raises `ConfigError`."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        reason = "there is no such file; `ppap init` writes one"
    except IsADirectoryError:
        reason = "this is a directory, not a file; a container makes one when the file to mount is missing"
    except (OSError, ValueError) as error:
        reason = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    raise ConfigError([ConfigProblem(str(path), 0, 0, reason)])


def parse(data: bytes, path: Path, sections: Mapping[str, Any]) -> Config:
    """As `load`, from bytes; ``path`` is what messages call them."""
    for declared in sections.values():
        check_section(declared)
    name = str(path)
    root = parse_tree(data, name)
    warnings: list[str] = []
    if root is None:
        warnings.append(f"{name}: the file sets nothing, so every setting has its default")
        root = Entries({}, 1, 1, 1, 1)
    if not isinstance(root, Entries):
        message = 'expected "key: value" lines, such as "port: 8317"'
        raise ConfigError([ConfigProblem(name, root.line, root.column, message)])
    structurer = Structurer(name)
    core, built = structurer.build_file(root, CoreConfig, sections)
    if structurer.problems:
        raise ConfigError(sorted(structurer.problems, key=lambda problem: (problem.line, problem.column)))
    return Config(
        core=core,
        sections={key: built[key] if key in built else _absent(kind) for key, kind in sections.items()},
        path=path,
        digest=hashlib.sha256(data).hexdigest(),
        warnings=(*warnings, *structurer.warnings),
        notes=_notes(name, structurer.unused),
    )


def _absent(declared: Any) -> Any:
    """The value of a section whose key is absent."""
    return [] if is_list(declared) else section_class(declared)()


def _notes(name: str, unused: list[str]) -> tuple[str, ...]:
    if not unused:
        return ()
    return (f"{name}: kept, but nothing installed uses them: {', '.join(unused)}",)
