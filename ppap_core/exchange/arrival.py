"""The head of a client's request, as it arrived; looked at without decoding what nobody asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

PRIVATE_HEADERS: Final = frozenset(
    {
        # keys and cookies are for us, never for an upstream
        b"authorization",
        b"proxy-authorization",
        b"x-api-key",
        b"x-goog-api-key",
        b"cookie",
        # about the connection between the client and us
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"host",
        b"content-length",
        b"content-encoding",
        b"expect",
        b"accept-encoding",
    }
)


class ClientHeaders(Mapping[str, str]):
    """A client's headers that may go on to an upstream: lower-case name → value."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        raw_name = name.encode("latin-1")
        if raw_name in PRIVATE_HEADERS:
            raise KeyError(name)
        return self._raw[raw_name].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw if name not in PRIVATE_HEADERS)

    def __len__(self) -> int:
        return sum(1 for name in self._raw if name not in PRIVATE_HEADERS)


class Arrival:
    """Method, path, headers and peer of a request. Built from an ASGI scope."""

    __slots__ = ("_scope", "headers", "method", "path")

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._scope = scope
        self.method: str = scope.get("method", "GET")
        # A router may have rewritten "path"; "raw_path" is as the client sent it.
        raw_path = scope.get("raw_path")
        self.path: str = raw_path.decode("latin-1") if raw_path else scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    def header(self, name: bytes) -> bytes:
        """The value of a header by its lower-case name; ``b""`` when absent."""
        return self.headers.get(name, b"")

    @property
    def client_headers(self) -> ClientHeaders:
        return ClientHeaders(self.headers)

    @property
    def query(self) -> dict[str, str]:
        """Query parameters, URL-decoded; of a repeated one, the first value."""
        text = self._scope.get("query_string", b"").decode("latin-1")
        pairs = parse_qsl(text, keep_blank_values=True) if text else []
        return dict(reversed(pairs))

    @property
    def has_query(self) -> bool:
        return bool(self._scope.get("query_string"))

    @property
    def client_address(self) -> str:
        """The peer's IP address; empty for sockets that have none."""
        client = self._scope.get("client")
        return client[0] if client else ""
