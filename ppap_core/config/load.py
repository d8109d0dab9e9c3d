"""config.yaml → `Config`: the one immutable value that says what the operator wants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ..errors import ConfigError, ConfigProblem
from .declaration import check_section, is_list, section_class
from .schema import CoreConfig
from .structure import Structurer
from .tree import Entries, Items, Node, parse_tree


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
    tree: Entries | None = attrs.field(default=None, eq=False, repr=False)
    """What was read, with places."""

    def __getitem__(self, key: str) -> Any:
        """Raises ``KeyError`` for a key that no plugin declares."""
        return self.sections[key]

    def problem(self, steps: Sequence[str | int], message: str) -> ConfigProblem:
        """A problem with what stands at the end of ``steps``, which are keys and places in lists."""
        node: Node | None = self.tree
        line, column, name = 0, 0, ""
        for step in steps:
            name += f"[{step}]" if isinstance(step, int) else f"{'.' if name else ''}{step}"
            node = _inside(node, step)
            if node is not None:
                line, column = node.line, node.column
        return ConfigProblem(str(self.path), line, column, f"{name}: {message}")


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
        tree=root,
    )


def _inside(node: Node | None, step: str | int) -> Node | None:
    """A list's places count without its nulls, as those of the value made from it do."""
    if isinstance(node, Items) and isinstance(step, int):
        items = [item for item in node.nodes if item is not None]
        return items[step] if step < len(items) else None
    entry = node.by_key.get(step) if isinstance(node, Entries) and isinstance(step, str) else None
    return entry.value if entry is not None else None


def _absent(declared: Any) -> Any:
    """The value of a section whose key is absent."""
    return [] if is_list(declared) else section_class(declared)()


def _notes(name: str, unused: list[str]) -> tuple[str, ...]:
    if not unused:
        return ()
    return (f"{name}: kept, but nothing installed uses them: {', '.join(unused)}",)
