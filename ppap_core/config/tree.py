"""YAML text → a tree whose scalars are source text with a place; what they mean, their target decides.

Built from the parser's events, not from its own composer: that one drops the first of two equal
keys, follows aliases without bound, and recurses as deep as the file says.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeAlias, final

import attrs
import yaml

from ..errors import ConfigError, ConfigProblem

MAX_DEPTH: Final = 64
MAX_NODES: Final = 250_000
"""Counted as if every alias were written out, which bounds what a file can make us build."""

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = frozenset({f"{_TAG}{name}" for name in ("int", "float", "bool", "null")})
_KNOWN_TAGS: Final = _PLAIN_TAGS | {"!", f"{_TAG}str", f"{_TAG}seq", f"{_TAG}map"}
_UNREADABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_ADVICE: Final = (
    ("mapping values are not allowed", 'a value that contains ": " must be quoted; or check the indentation'),
    ("cannot start any token", "a value that starts with @, % or ` must be quoted; indent without tabs"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("tab character", "indent with spaces, not tabs"),
    ("unknown escape", "in double quotes a backslash starts an escape; use single quotes instead"),
    ("undefined tag", 'a value that starts with "!" must be quoted'),
    ("could not find expected ':'", 'a key needs a colon and a blank after it, as in "port: 8317"'),
    ("expected", "check the indentation, and that brackets and quotes are closed"),
)
_NO_ADVICE: Final = "check indentation, quotes and colons"


@final
@attrs.frozen
class Scalar:
    """``plain``: written without quotes, so it may stand for a number or a truth value."""

    text: str = attrs.field(repr=False)
    plain: bool
    line: int
    column: int

    size = 1
    height = 1


@final
@attrs.frozen
class Items:
    """A list. ``None`` stands for a null in it."""

    nodes: tuple[Node | None, ...]
    line: int
    column: int
    size: int
    height: int


@final
@attrs.frozen
class Entry:
    """A key's value, with the key's own place. ``value`` is ``None`` for null, which means absent."""

    value: Node | None
    line: int
    column: int


@final
@attrs.frozen
class Entries:
    """A block of keys."""

    by_key: Mapping[str, Entry]
    line: int
    column: int
    size: int
    height: int


Node: TypeAlias = Scalar | Items | Entries


def parse_tree(data: bytes, path: str) -> Node | None:
    """The one document of a file; ``None`` if it is empty. Raises `ConfigError`."""
    text = _decoded(data, path)
    builder = _Builder(text, path)
    try:
        root = builder.document()
    except yaml.MarkedYAMLError as error:
        raise ConfigError([*builder.problems, _syntax_problem(error, path)]) from None
    if builder.problems:
        raise ConfigError(sorted(builder.problems, key=lambda problem: (problem.line, problem.column)))
    return root


class _Builder:
    """Consumes events. Problems that leave the rest readable are collected; others raise."""

    def __init__(self, text: str, path: str) -> None:
        self.problems: list[ConfigProblem] = []
        self._path = path
        self._events = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, Node | None] = {}
        self._size = 0

    def document(self) -> Node | None:
        root: Node | None = None
        seen = False
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    self._fail(event, "a second YAML document starts here; remove the line with ---")
                seen = True
                root = self._node(next(self._events), 1)
        return root

    def _node(self, event: Any, depth: int) -> Node | None:
        if depth > MAX_DEPTH:
            self._fail(event, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(event, 1)
        self._check_tag(event)
        node: Node | None
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._items(event, depth)
        else:
            node = self._entries(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> Node | None:
        if event.anchor not in self._anchors:
            self._fail(event, 'an alias without anchor; a value that starts with "*" must be quoted')
        node = self._anchors[event.anchor]
        if node is not None:
            self._count(event, node.size)
            if depth + node.height > MAX_DEPTH:
                self._fail(event, f"nested deeper than {MAX_DEPTH} levels through this alias")
        return node

    def _items(self, start: Any, depth: int) -> Items:
        nodes: list[Node | None] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            nodes.append(self._node(event, depth + 1))
        size, height = _measure(nodes)
        return Items(tuple(nodes), *_place(start), size, height)

    def _entries(self, start: Any, depth: int) -> Entries:
        own: dict[str, Entry] = {}
        merged: list[Entries] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, depth)
            value = self._node(next(self._events), depth + 1)
            if key.plain and key.text == "<<":
                merged += self._merged(key, value)
            elif key.text in own:
                first = own[key.text]
                earlier = f"line {first.line}, column {first.column}"
                self._problem(key, f'duplicate key "{key.text}": it is at {earlier} already')
            else:
                own[key.text] = Entry(value, key.line, key.column)
        by_key = {key: entry for block in reversed(merged) for key, entry in block.by_key.items()} | own
        size, height = _measure(entry.value for entry in by_key.values())
        return Entries(by_key, *_place(start), size, height)

    def _key(self, event: Any, depth: int) -> Scalar:
        if isinstance(event, yaml.ScalarEvent):
            self._count(event, 1)
            if event.anchor is not None:
                self._anchors[event.anchor] = _scalar(event)
            return Scalar(event.value, event.implicit[0], *_place(event))
        key = self._node(event, depth + 1)
        if isinstance(key, Scalar):
            return key
        self._problem(Scalar("", True, *_place(event)), "a key must be text, not a list or a block")
        return Scalar("", True, *_place(event))

    def _merged(self, key: Scalar, value: Node | None) -> list[Entries]:
        """The blocks behind ``<<``; the first in a list wins."""
        blocks = value.nodes if isinstance(value, Items) else (value,)
        if all(isinstance(block, Entries) for block in blocks):
            return [block for block in blocks if isinstance(block, Entries)]
        self._problem(key, '"<<" takes an alias of a block, or a list of them; quote it if it is a name')
        return []

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag not in _KNOWN_TAGS:
            line, column = _place(event)
            message = 'YAML tags are not used here; a value that starts with "!" must be quoted'
            self.problems.append(ConfigProblem(self._path, line, column, message))

    def _count(self, event: Any, nodes: int) -> None:
        self._size += nodes
        if self._size > MAX_NODES:
            self._fail(event, f"more than {MAX_NODES} values, aliases written out")

    def _problem(self, at: Scalar, message: str) -> None:
        self.problems.append(ConfigProblem(self._path, at.line, at.column, message))

    def _fail(self, event: Any, message: str) -> NoReturn:
        raise ConfigError([*self.problems, ConfigProblem(self._path, *_place(event), message)])


def _scalar(event: Any) -> Scalar | None:
    plain = (event.implicit[0] and event.tag is None) or event.tag in _PLAIN_TAGS
    if plain and event.value in NULLS:
        return None
    return Scalar(event.value, plain, *_place(event))


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _measure(nodes: Iterable[Node | None]) -> tuple[int, int]:
    """Size and height of a list or block of these."""
    size, height = 1, 0
    for node in nodes:
        size += node.size if node is not None else 1
        height = max(height, node.height if node is not None else 1)
    return size, height + 1


def _decoded(data: bytes, path: str) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        readable = "" if wide else data[: error.start].decode("utf-8-sig", "replace")
        raise ConfigError([_text_problem(readable, path, "not UTF-8 text; save the file as UTF-8")]) from None
    if unreadable := _UNREADABLE.search(text):
        name = f"U+{ord(unreadable[0]):04X}"
        problem = _text_problem(text[: unreadable.start()], path, f"control character {name}; remove it")
        raise ConfigError([problem])
    return text


def _text_problem(before: str, path: str, message: str) -> ConfigProblem:
    """A problem right behind the text ``before``."""
    lines = before.replace("\r\n", "\n").split("\n")
    return ConfigProblem(path, len(lines), len(lines[-1]) + 1, message)


def _syntax_problem(error: yaml.MarkedYAMLError, path: str) -> ConfigProblem:
    """In our own words: the parser's may quote the file, and with it a secret."""
    mark = error.problem_mark or error.context_mark
    found = error.problem or ""
    advice = next((advice for words, advice in _ADVICE if words in found), _NO_ADVICE)
    begun = error.context_mark
    since = f" in what starts at line {begun.line + 1}" if begun and mark and begun.line != mark.line else ""
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return ConfigProblem(path, line, column, f"not valid YAML{since}: {advice}")
