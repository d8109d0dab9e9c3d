"""Tree → declared settings. Says everything that is wrong with a file, not only the first mistake.

The conversion is cattrs'; its hooks here take tree nodes, so that each mistake has its place. A hook
that cannot build its value notes the problem and raises `_Unusable`; the list or block around it
goes on with its other members, and then gives up too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import attrs
import cattrs

from ..errors import ConfigProblem
from .declaration import (
    Declared,
    TopLevel,
    choices,
    declared_fields,
    is_list,
    is_literal,
    is_map,
    is_optional,
    item_type,
    keys_of,
    optional_type,
    section_keys,
)
from .scalars import SCALAR_TYPES, NotA, free_value
from .setting import InvalidSetting, LeftOut
from .spelling import nearest
from .tree import Entries, Entry, Items, Node, Scalar

_LONGEST_QUOTE: Final = 60
_LIST_ADVICE: Final = 'write each entry on its own line, after "- "'
_BLOCK_ADVICE: Final = 'write each as "key: value" on its own, indented line'
_NODE_NAMES: Final[Mapping[type, str]] = {Items: "a list", Entries: "a block of keys"}


class _Unusable(Exception):
    """There is no value; why, is noted already."""


class _LeftOut(_Unusable):
    """The same for an item that its list can do without."""


class Structurer:
    """Builds settings objects from the tree of one file.

    ``problems`` make the file unusable. ``warnings`` are likely misspellings, each with its place.
    ``unused`` are paths of other keys that nothing declares, in the file's order.
    """

    def __init__(self, path: str) -> None:
        self.problems: list[ConfigProblem] = []
        self.warnings: list[str] = []
        self.unused: list[str] = []
        self._path = path
        self._trail: list[str] = []
        self._secrecy = 0
        self._converter = self._new_converter()

    def build_file(
        self, root: Entries, core: type, sections: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """The core's own object, and one per section that is there. ``None`` stands for unusable ones."""
        keys = [key for name, declared in sections.items() for key in section_keys(name, declared)]
        self._check_keys(root, [*keys_of(core), *keys])
        values = {}
        for key, declared in sections.items():
            if isinstance(declared, TopLevel):
                values[key] = self._attempt(self._build_fields, root, declared.cls)
                continue
            entry = root.by_key.get(key)
            if entry is not None and entry.value is not None:
                with self._inside(key):
                    values[key] = self._attempt(self._converter.structure, entry.value, declared)
        return self._attempt(self._build_fields, root, core), values

    def _attempt(self, build: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return build(*arguments)
        except _Unusable:
            return None

    def _check_keys(self, block: Entries, known: Collection[str]) -> None:
        """Notes the keys that are not known."""
        absent = [key for key in known if key not in block.by_key]
        for key, entry in block.by_key.items():
            if key in known:
                continue
            meant = nearest(key, absent)
            if meant is None:
                self.unused.append(self._name(key))
            else:
                where = f" in {self._name()}" if self._trail else ""
                self._warn(entry, f'unknown key "{_quoted(key)}"{where} (did you mean "{meant}"?)')

    def _build_fields(self, block: Entries, cls: type) -> Any:
        """An object of the class from the block's entries; other entries are not looked at.

        Raises `_Unusable`.
        """
        arguments: dict[str, Any] = {}
        usable = True
        for field in declared_fields(cls):
            try:
                value = self._field(block, field)
            except _LeftOut:
                raise
            except _Unusable:
                usable = False
            else:
                if value is not attrs.NOTHING:
                    arguments[field.name] = value
        if not usable:
            raise _Unusable
        with self._checks(block):
            return cls(**arguments)

    def _new_converter(self) -> cattrs.BaseConverter:
        converter = cattrs.BaseConverter()
        for scalar_type, convert in SCALAR_TYPES.items():
            converter.register_structure_hook(scalar_type, self._scalar_hook(convert))
        hooks: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]], ...] = (
            (lambda declared: declared is Any, lambda node, _: free_value(node)),
            (attrs.has, self._block),
            (is_list, self._list),
            (is_map, self._map),
            (is_literal, self._choice),
            (is_optional, lambda node, declared: converter.structure(node, optional_type(declared))),
        )
        for applies, hook in hooks:
            converter.register_structure_hook_func(applies, hook)
        return converter

    def _scalar_hook(self, convert: Callable[[Scalar], Any]) -> Callable[[Any, Any], Any]:
        def hook(node: Node, declared: Any) -> Any:
            if not isinstance(node, Scalar):
                raise self._mismatch(node, _EXPECTED[declared])
            try:
                return convert(node)
            except NotA as error:
                raise self._mismatch(node, error.expected, error.advice) from None

        return hook

    def _choice(self, node: Node, declared: Any) -> str:
        allowed = choices(declared)
        if isinstance(node, Scalar) and node.text in allowed:
            return node.text
        raise self._mismatch(node, "one of " + ", ".join(allowed))

    def _list(self, node: Node, declared: Any) -> Any:
        if not isinstance(node, Items):
            raise self._mismatch(node, "a list", _LIST_ADVICE)
        values = []
        usable = True
        for index, item in enumerate(node.nodes):
            if item is None:
                continue
            with self._inside(f"[{index}]"):
                try:
                    values.append(self._converter.structure(item, item_type(declared)))
                except _LeftOut:
                    continue
                except _Unusable:
                    usable = False
        if not usable:
            raise _Unusable
        return values if getattr(declared, "__origin__", None) is list else tuple(values)

    def _map(self, node: Node, declared: Any) -> dict[str, Any]:
        if not isinstance(node, Entries):
            raise self._mismatch(node, "a block of keys", _BLOCK_ADVICE)
        values = {}
        usable = True
        for key, entry in node.by_key.items():
            if entry.value is None:
                continue
            with self._inside(key):
                try:
                    values[key] = self._converter.structure(entry.value, item_type(declared))
                except _Unusable:
                    usable = False
        if not usable:
            raise _Unusable
        return values

    def _block(self, node: Node, cls: type) -> Any:
        if not isinstance(node, Entries):
            raise self._mismatch(node, "a block of keys", _BLOCK_ADVICE)
        self._check_keys(node, keys_of(cls))
        return self._build_fields(node, cls)

    def _field(self, block: Entries, field: Declared) -> Any:
        """The raw value, known to pass the field's checks; ``NOTHING`` for an absent key."""
        entry = self._entry(block, field)
        if entry is None or entry.value is None:
            if field.required:
                raise self._problem(block, f'the key "{field.key}" is missing{_hint(block, field)}')
            return attrs.NOTHING
        with self._inside(field.key, secret=field.setting.secret):
            value = self._converter.structure(entry.value, field.type)
            with self._checks(entry.value):
                _check(field, value)
            return value

    def _entry(self, block: Entries, field: Declared) -> Entry | None:
        """By key, else by an older spelling, which is worth a warning."""
        found = block.by_key.get(field.key)
        for alias in field.setting.aliases:
            old = block.by_key.get(alias)
            if old is None:
                continue
            verdict = f'"{field.key}" is there too and wins' if found else f'write "{field.key}" instead'
            self._warn(old, f"{self._name(alias)} is an old spelling; {verdict}")
            found = found or old
        return found

    @contextmanager
    def _inside(self, step: str, *, secret: bool = False) -> Iterator[None]:
        self._trail.append(step)
        self._secrecy += secret
        try:
            yield
        finally:
            self._secrecy -= secret
            self._trail.pop()

    @contextmanager
    def _checks(self, node: Node) -> Iterator[None]:
        """Turns what validators and normalisers raise into a problem at the node."""
        try:
            yield
        except LeftOut as error:
            name = self._name()
            self._warn(node, f"{name}: {error}; this entry is left out")
            raise _LeftOut from None
        except InvalidSetting as error:
            raise self._problem(node, str(error)) from None
        except (ValueError, TypeError) as error:
            reason = str(error.args[0]) if error.args else "the value is not accepted"
            raise self._problem(node, "the value is not accepted" if self._secrecy else reason) from None

    def _warn(self, entry: Entry | Node, message: str) -> None:
        self.warnings.append(f"{self._path}:{entry.line}:{entry.column}: {message}")

    def _mismatch(self, node: Node, expected: str, advice: str = "") -> _Unusable:
        found = self._found(node)
        return self._problem(node, f"expected {expected}, found {found}" + (f"; {advice}" if advice else ""))

    def _found(self, node: Node) -> str:
        if not isinstance(node, Scalar):
            return _NODE_NAMES[type(node)]
        if self._secrecy:
            return "a value that is kept secret"
        return f'"{_quoted(node.text)}"' if node.plain else f'the quoted text "{_quoted(node.text)}"'

    def _problem(self, node: Node, message: str) -> _Unusable:
        name = self._name()
        text = f"{name}: {message}" if name else message
        self.problems.append(ConfigProblem(self._path, node.line, node.column, text))
        return _Unusable()

    def _name(self, key: str = "") -> str:
        """The path of the key inside the file, e.g. ``api-key-entries[0].proxy-url``."""
        name = ""
        for step in (*self._trail, key):
            name += f".{_quoted(step)}" if name and step and not step.startswith("[") else _quoted(step)
        return name


_EXPECTED: Final[Mapping[Any, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


def _check(field: Declared, value: Any) -> None:
    """Runs a setting's normaliser and validator here, where the place in the file is known.

    The constructor runs them again; those of plain attrs fields, which may need the instance, only
    run there.
    """
    if field.setting.doc:
        normalise: Any = field.attribute.converter
        if normalise is not None:
            value = normalise(value)
        if field.attribute.validator is not None:
            field.attribute.validator(None, field.attribute, value)


def _hint(block: Entries, field: Declared) -> str:
    """What helps to write a missing key: the misspelt one, or else its meaning."""
    misspelt = nearest(field.key, block.by_key)
    if misspelt is not None:
        return f'; is it meant by "{_quoted(misspelt)}" at line {block.by_key[misspelt].line}?'
    return f": {field.setting.doc}" if field.setting.doc else ""


def _quoted(text: str) -> str:
    """Short, and on one line."""
    short = text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
    return short.replace("\r", " ").replace("\n", " ")
