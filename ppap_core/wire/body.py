"""A client's JSON body: looked at without a full decode, edited without re-serialising.

The body is split into its top-level values once, by msgspec, without looking into them (about
0.4 µs per KB). Editing cuts the changed value out of the client's own bytes, so key order,
white space, number spelling and string escapes of everything else survive (translation spec, 0.4).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
import orjson

from ..errors import InvalidRequest

_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_KEY: Final = re.compile(rb'[\s,]*("(?:[^"\\]|\\.)*")\s*:\s*')
_OPEN: Final = re.compile(rb"\s*\{")
_COLON: Final = re.compile(rb"\s*:\s*")
_SMALL: Final = 16 * 1024
"""Bytes up to which searching for a key is cheaper than walking to it."""
_SLICE: Final = 512 * 1024

Kind: TypeAlias = Literal["a list", "an object", "a string or a list"]
_OPENINGS: Final[Mapping[Kind, Container[bytes]]] = {
    "a list": (b"[",),
    "an object": (b"{",),
    "a string or a list": (b'"', b"["),
}


class _Member(NamedTuple):
    """Offsets of a key's opening quote, of its value, and of the value's end."""

    key: int
    value: int
    end: int


class JsonBody:
    """Raises `InvalidRequest` when `data` is not a JSON object, or names a top-level key twice.

    A key given twice is refused because two readers would pick different ones: the value that was
    checked must be the value that is sent.
    """

    __slots__ = ("_decoded", "_fields", "_members", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._decoded: dict[str, Any] | None = None
        self._members: dict[str, _Member] | None = None
        try:
            self._fields = _decode_fields(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(_not_an_object(data, error)) from None

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def __iter__(self) -> Iterator[str]:
        """The top-level keys, in the client's order."""
        return iter(self._fields)

    def raw(self, key: str) -> bytes | None:
        """The JSON text of a top-level value as the client wrote it; ``None`` when absent."""
        value = self._fields.get(key)
        return None if value is None else bytes(value)

    def value(self, key: str) -> Any:
        """A top-level value, decoded; ``None`` when absent or null. Raises `InvalidRequest`."""
        value = self._fields.get(key)
        if value is None:
            return None
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(f"Invalid request: `{key}`: {error}", param=key) from None

    def text(self, key: str) -> str:
        """A top-level string; empty when absent or null. Raises `InvalidRequest` for other types."""
        value = self.value(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise InvalidRequest(f"Invalid request: `{key}` must be a string", param=key)
        return value

    def check(self, kinds: Mapping[str, Kind]) -> None:
        """Raises `InvalidRequest` for a top-level value of another kind. Absent and null ones pass."""
        for key, kind in kinds.items():
            value = self._fields.get(key)
            if value is not None:
                first = memoryview(value)[:1].tobytes()
                if first not in _OPENINGS[kind] and first != b"n":
                    raise InvalidRequest(f"Invalid request: `{key}` must be {kind}", param=key)

    def decoded(self) -> dict[str, Any]:
        """The whole body. Decoded once; do not change it. Raises `InvalidRequest`."""
        if self._decoded is None:
            try:
                self._decoded = orjson.loads(self.data)
            except orjson.JSONDecodeError as error:
                raise InvalidRequest(f"Invalid request: body must be valid JSON: {error}") from None
        return self._decoded

    def edited(self, changes: Mapping[str, bytes | None]) -> bytes:
        """The body with top-level values replaced (JSON text), added at the end, or removed (``None``).

        With nothing to change it is the very bytes object the client sent.
        """
        if len(self.data) <= _SMALL and (quickly := self._quickly_edited(changes)) is not None:
            return quickly
        members = self._located()
        if not any(self._differs(key, text) for key, text in changes.items()):
            return self.data
        view = memoryview(self.data)
        opening = _OPEN.match(self.data)
        position = opening.end() if opening else 0
        parts: list[bytes | memoryview] = [view[:position]]
        for key, member in members.items():
            text: bytes | memoryview | None = (
                changes[key] if key in changes else view[member.value : member.end]
            )
            if text is not None:
                separator = self.data[position : member.key]
                parts.append(separator if len(parts) > 1 else separator.replace(b",", b"", 1))
                parts += (view[member.key : member.value], text)
            position = member.end
        for key, text in changes.items():
            if text is not None and key not in members:
                parts += (b"," if len(parts) > 1 else b"", msgspec.json.encode(key), b":", text)
        parts.append(view[position:])
        return b"".join(parts)

    def _differs(self, key: str, text: bytes | None) -> bool:
        value = self._fields.get(key)
        return text != (None if value is None else bytes(value))

    def _quickly_edited(self, changes: Mapping[str, bytes | None]) -> bytes | None:
        """The same for the edit that nearly all requests need: the model, and something at the end."""
        data, added = self.data, b""
        for key, text in changes.items():
            if text is None:
                return None
            if key not in self._fields:
                added += b",%b:%b" % (msgspec.json.encode(key), text)
            elif (member := self._found_early(key)) is None or data is not self.data:
                return None
            elif data[member.value : member.end] != text:
                data = b"".join((data[: member.value], text, data[member.end :]))
        if not added:
            return data if changes else None
        end = data.rindex(b"}")
        return b"".join((data[:end], added if self._fields else added[1:], data[end:]))

    def _found_early(self, key: str) -> _Member | None:
        """A key that stands once, and before anything nested, where clients put the model.

        Found by searching, which for a small body costs a fifth of `_located`.
        """
        data, quoted = self.data, b'"%b"' % key.encode()
        start = data.find(quoted)
        value = self._fields.get(key)
        if start < 0 or value is None or data.find(quoted, start + 1) >= 0:
            return None
        colon = _COLON.match(data, start + len(quoted))
        before = data[:start]
        if colon is None or before.count(b"{") != 1 or b"[" in before:
            return None
        member = _Member(start, colon.end(), colon.end() + len(value))
        return member if data[member.value : member.end] == bytes(value) else None

    def _located(self) -> dict[str, _Member]:
        """Where each member stands: found by walking along the lengths msgspec gave."""
        if self._members is None:
            members: dict[str, _Member] = {}
            opening = _OPEN.match(self.data)
            position = opening.end() if opening else 0
            while (match := _KEY.match(self.data, position)) is not None:
                key = orjson.loads(match.group(1))
                value = self._fields[key]
                start, position = match.end(), match.end() + len(value)
                if key in members or not _same(memoryview(self.data)[start:position], memoryview(value)):
                    raise InvalidRequest(f"Invalid request: the key `{key}` stands twice", param=key)
                members[key] = _Member(match.start(1), start, position)
            self._members = members
        return self._members


def _same(one: memoryview, other: memoryview) -> bool:
    """Equality in slices: comparing views directly is slow, and copies of a large body are large."""
    return len(one) == len(other) and all(
        bytes(one[start : start + _SLICE]) == bytes(other[start : start + _SLICE])
        for start in range(0, len(one), _SLICE)
    )


def _not_an_object(data: bytes, error: Exception) -> str:
    if not data.strip():
        return "Invalid request: the body is empty; it must be a JSON object"
    return f"Invalid request: body must be valid JSON, and an object: {error}"
