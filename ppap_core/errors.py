"""Everything this package raises on purpose.

    PpapError
    ├── ConfigError              config.yaml cannot be used; carries file, line and column
    ├── PluginError              a plugin broke the contract; carries its name
    ├── CredentialFileError      a credential file cannot be used; carries its name
    ├── RequestError             the client's request is refused; has an HTTP status
    │   ├── InvalidRequest       400
    │   ├── Unauthorized         401
    │   ├── ModelNotFound        404
    │   ├── BodyTooLarge         413
    │   └── UnsupportedEncoding  415
    ├── UpstreamError            an upstream could not be used; nothing is wrong with the request
    │   ├── ConnectFailed        no connection: refused, unknown host, TLS, proxy
    │   ├── UpstreamTimeout      a deadline passed: first byte, between bytes
    │   │   └── ConnectTimeout   the same while connecting: nothing was sent
    │   ├── UpstreamBroken       the connection ended in the middle of an answer
    │   └── MalformedReply       what it sent is not HTTP, or not its own wire format
    │       └── MalformedStream  the same, inside a stream
    └── UpstreamFault            the upstream answered with an error, by status or in-band

Messages never hold a secret, nor bytes that an upstream sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

import attrs

from .conversation.reply import ErrorDetail


class PpapError(Exception):
    """Root of all errors raised on purpose."""


@attrs.frozen
class ConfigProblem:
    """One thing wrong in a config file. ``line`` and ``column`` count from 1; 0: the file as a whole."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.path}{place}: {self.message}"


class ConfigError(PpapError):
    """A config file cannot be used. ``problems`` has at least one entry, in the file's order."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        super().__init__("failed to parse config file: " + "\n".join(map(str, problems)))
        self.problems = tuple(problems)

    @property
    def path(self) -> str:
        return self.problems[0].path

    @property
    def line(self) -> int:
        """Of the first problem, from 1; 0 if it concerns the file as a whole."""
        return self.problems[0].line

    @property
    def column(self) -> int:
        return self.problems[0].column


class PluginError(PpapError):
    """A plugin broke the contract of a hook."""

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(f"plugin {plugin}: {message}")
        self.plugin = plugin


class CredentialFileError(PpapError):
    """A file in ``auth-dir`` cannot be used; the message says what is wrong with it."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class RequestError(PpapError):
    """The request is refused; `detail` is what the client is told, in its own dialect."""

    status: ClassVar[int] = 400
    type: ClassVar[str | None] = None
    code: ClassVar[str | None] = None

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.detail = ErrorDetail(
            message=message, status=self.status, type=self.type, code=code or self.code, param=param
        )


class InvalidRequest(RequestError):
    """The body cannot be understood, or asks for what cannot be."""


class Unauthorized(RequestError):
    status = 401
    code = "invalid_api_key"


class ModelNotFound(RequestError):
    status = 404
    code = "model_not_found"


class BodyTooLarge(RequestError):
    status = 413
    code = "request_too_large"


class UnsupportedEncoding(RequestError):
    status = 415


class UpstreamError(PpapError):
    """An upstream could not be used. ``status`` is what the client is told if nothing else helps."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "upstream_error"

    @property
    def detail(self) -> ErrorDetail:
        return ErrorDetail(message=str(self), status=self.status, code=self.code)


class ConnectFailed(UpstreamError):
    code = "upstream_connect_failed"


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"


class ConnectTimeout(UpstreamTimeout):
    """No connection in time. As with `ConnectFailed`, the upstream has not seen the request."""


class UpstreamBroken(UpstreamError):
    code = "upstream_disconnected"


class MalformedReply(UpstreamError):
    code = "upstream_malformed"


class MalformedStream(MalformedReply):
    """An upstream's stream breaks the rules of its own wire format."""


class UpstreamFault(PpapError):
    """An upstream answered with an error. ``body`` is its own words, as they came, under ``headers``."""

    def __init__(
        self, detail: ErrorDetail, body: bytes = b"", headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(detail.message)
        self.detail = detail
        self.body = body
        self.headers = headers
