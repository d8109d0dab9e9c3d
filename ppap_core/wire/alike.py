"""Frames that differ in their text only: most of a stream, recognised without reading them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias
from zlib import crc32

import msgspec

Digest: TypeAlias = tuple[int, int]
"""Length and checksum of a JSON value: enough to tell whether another one is the same."""

_PLAIN: Final = rb'[^"\\\x00-\x1f]*'
_ESCAPE: Final = (
    rb'\\(?:["\\/bfnrt]|u(?:(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    rb"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
)
_text: Final[Callable[[bytes, int], re.Match[bytes]]] = re.compile(  # type: ignore[assignment]
    b"%b(?:%b%b)*" % (_PLAIN, _ESCAPE, _PLAIN)
).match
"""The text of a JSON string from there on. It matches always, if only an empty one."""
_NUMBER: Final = b"\0"
"""Stands in no JSON."""
_LONGEST_KEPT: Final = 1_000_000


class Heard(Protocol):
    """Where the texts of deltas go, as they stand in the JSON, without quotes."""

    def add(self, inner: bytes) -> None: ...


class Told:
    """The digest of a text that comes in pieces; nothing of it is kept."""

    __slots__ = ("_crc", "_size")

    def __init__(self) -> None:
        self._crc = crc32(b'"')
        self._size = 2

    def add(self, inner: bytes) -> None:
        if b"\\" in inner:
            inner = inner_text(msgspec.json.decode(b'"%b"' % inner, type=str))
        self._crc = crc32(inner, self._crc)
        self._size += len(inner)

    def __bool__(self) -> bool:
        return self._size > 2

    @property
    def digest(self) -> Digest:
        """As `digest` of the whole text."""
        return self._size, crc32(b'"', self._crc)


class Kept:
    """A text that comes in pieces and has to be read when it is whole; at most a megabyte of it."""

    __slots__ = ("_inner",)

    def __init__(self) -> None:
        self._inner = bytearray()

    def add(self, inner: bytes) -> None:
        if len(self._inner) < _LONGEST_KEPT:
            self._inner += inner

    def is_object(self) -> bool:
        """Whether it is the JSON text of an object; nothing, and what is too long to keep, counts as one."""
        if len(self._inner) >= _LONGEST_KEPT:
            return True
        try:
            told = msgspec.json.decode(b'"%b"' % bytes(self._inner), type=str)
            return not told.strip() or isinstance(msgspec.json.decode(told), dict)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False


class Alike:
    """What frames are like that differ from the last one in its text only, and may follow it.

    ``before`` and ``after`` are a frame's bytes around the text, the blank line included, with NUL
    for its place among the events, if it has one. Texts are ``least`` bytes long, and go to ``heard``.
    """

    __slots__ = ("_after", "_before", "_counted_after", "_counted_before", "_heard", "_least")

    def __init__(self, before: bytes, after: bytes, heard: Heard | None, least: int) -> None:
        self._before = before
        self._after = after
        self._counted_before = before.split(_NUMBER) if _NUMBER in before else None
        self._counted_after = after.split(_NUMBER) if _NUMBER in after else None
        self._heard = heard
        self._least = least

    def run(self, block: bytes, place: int, number: int) -> tuple[int, int]:
        """How many frames from `place` on are like this, and where they end.

        ``number``: of the events before them. `block` has to be UTF-8.
        """
        before, after = self._before, self._after
        counted_before, counted_after = self._counted_before, self._counted_after
        heard, least, first, size = self._heard, self._least, number, len(block)
        texts = []
        while place < size:
            if counted_before is not None:
                before = (b"%d" % number).join(counted_before)
            elif counted_after is not None:
                after = (b"%d" % number).join(counted_after)
            if not block.startswith(before, place):
                break
            start = place + len(before)
            end = _text(block, start).end()
            if end - start < least or not block.startswith(after, end):
                break
            if heard is not None:
                texts.append(block[start:end])
            place = end + len(after)
            number += 1
        if texts and heard is not None:
            heard.add(b"".join(texts))
        return number - first, place


def alike(
    frame: bytes, key: str, *, heard: Heard | None = None, least: int = 0, number_key: str = ""
) -> Alike | None:
    """What frames are like that have another text under `key`; ``None`` where that cannot be told.

    `frame` is without its blank line. Where there is a ``number_key``, its value is the frame's place
    among the events.
    """
    opening = b'"%b":"' % key.encode()
    start = frame.find(opening) + len(opening)
    if start < len(opening) or frame.find(opening, start) >= 0 or _NUMBER in frame:
        return None
    before, after = frame[:start], frame[_text(frame, start).end() :] + b"\n\n"
    if number_key:
        number = re.compile(rb'("%b":)[0-9]+' % number_key.encode())
        (before, some), (after, more) = (number.subn(rb"\1" + _NUMBER, part) for part in (before, after))
        if some + more != 1:
            return None
    return Alike(before, after, heard, least)


def inner_text(value: str) -> bytes:
    """A text as it stands in JSON, without its quotes."""
    return msgspec.json.encode(value)[1:-1]


def digest(value: object) -> Digest:
    """The same for values that differ in nothing but the order of their keys."""
    told = msgspec.json.encode(value, order="sorted")
    return len(told), crc32(told)
