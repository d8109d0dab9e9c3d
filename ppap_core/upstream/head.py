"""What stands before a request's body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from ..errors import ConnectFailed
from .address import Origin, Target

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNSENDABLE: Final = re.compile(r"[\r\n\0]|[^\0-\xff]")
_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}
)
"""Ours to say, whatever the caller passes: two lengths would let a request be read in two ways."""


def _own_version() -> str:
    try:
        return version("ppap-core")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"


USER_AGENT: Final = f"ppap/{_own_version()}"
_DEFAULTS: Final = {"accept-encoding": "identity", "user-agent": USER_AGENT}


def request_fields(
    method: str, target: Target, headers: Iterable[tuple[str, str]], size: int
) -> list[tuple[str, str]]:
    """All header fields in the order they are sent, names spelt as the caller did.

    Raises `ConnectFailed` for a name or value that cannot be sent; the value is not shown.
    """
    fields = _fields(target, headers)
    if _tells_length(method, size):
        fields.append(("content-length", str(size)))
    return fields


def request_head(method: str, target: Target, headers: Iterable[tuple[str, str]], size: int) -> bytes:
    """The bytes before the body. Raises `ConnectFailed` like `request_fields`."""
    start = _start_of_head(method, target, tuple(headers))
    return start + (b"content-length: %d\r\n\r\n" % size if _tells_length(method, size) else b"\r\n")


@lru_cache(maxsize=512)
def _start_of_head(method: str, target: Target, headers: tuple[tuple[str, str], ...]) -> bytes:
    """All but the length: the same for every request that one credential makes of one URL."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in _fields(target, headers)])
    return f"{method} {target.path} HTTP/1.1\r\n{lines}".encode("latin-1")


def _fields(target: Target, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    fields = {"host": ("host", target.host)}
    for name, value in headers:
        key = _checked_name(name)
        if key is None:
            raise ConnectFailed(f"{target.origin}: not sent: a header's name is not an HTTP token")
        if key not in _OF_THE_CONNECTION:
            fields[key] = (name, value)
    for name, value in _DEFAULTS.items():
        if name not in fields:
            fields[name] = (name, value)
    found = list(fields.values())
    if _UNSENDABLE.search("".join([value for _, value in found])):
        raise _unsendable(target.origin, fields)
    return found


def _tells_length(method: str, size: int) -> bool:
    return bool(size) or method not in _BODILESS


_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


@lru_cache(maxsize=1024)
def _checked_name(name: str) -> str | None:
    return name.lower() if _TOKEN.fullmatch(name) else None


def _unsendable(origin: Origin, fields: Mapping[str, tuple[str, str]]) -> ConnectFailed:
    name = next(name for name, value in fields.values() if _UNSENDABLE.search(value))
    return ConnectFailed(
        f"{origin}: not sent: the value of header `{name}` has a line break, a NUL or a character"
        " beyond Latin-1; remove it where the header or key is configured"
    )
