"""Errors on the border to httpx, in both directions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import httpx

from ..errors import (
    ConnectFailed,
    ConnectTimeout,
    MalformedReply,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
)
from .connection import why_not

OUR_ERRORS: Final[Mapping[type[Exception], type[UpstreamError]]] = {
    httpx.ConnectError: ConnectFailed,
    httpx.ProxyError: ConnectFailed,
    httpx.UnsupportedProtocol: ConnectFailed,
    httpx.InvalidURL: ConnectFailed,
    httpx.LocalProtocolError: ConnectFailed,
    httpx.ConnectTimeout: ConnectTimeout,
    httpx.ReadTimeout: UpstreamTimeout,
    httpx.WriteTimeout: UpstreamTimeout,
    httpx.PoolTimeout: ConnectTimeout,
    httpx.TimeoutException: UpstreamTimeout,
    httpx.ReadError: UpstreamBroken,
    httpx.WriteError: UpstreamBroken,
    httpx.CloseError: UpstreamBroken,
    httpx.NetworkError: UpstreamBroken,
    httpx.StreamError: UpstreamBroken,
    httpx.StreamClosed: UpstreamBroken,
    httpx.StreamConsumed: UpstreamBroken,
    httpx.ResponseNotRead: UpstreamBroken,
    httpx.RequestNotRead: UpstreamBroken,
    httpx.TransportError: UpstreamBroken,
    httpx.RequestError: UpstreamBroken,
    httpx.HTTPError: UpstreamBroken,
    httpx.RemoteProtocolError: MalformedReply,
    httpx.ProtocolError: MalformedReply,
    httpx.DecodingError: MalformedReply,
    httpx.TooManyRedirects: MalformedReply,
    httpx.HTTPStatusError: MalformedReply,
    httpx.CookieConflict: MalformedReply,
}
"""Theirs → ours; a test sees to it that none of httpx's is missing."""

_DISCONNECTED: Final = ("Server disconnected", "peer closed connection", "peer unexpectedly closed")
"""How httpcore and h11 begin the message of a `RemoteProtocolError` that is an early end."""

_PROXY_STATUS: Final = re.compile(r"[1-5]\d\d\b")

_TEXTS: Final[Mapping[type[UpstreamError], str]] = {
    ConnectTimeout: "no connection in time",
    UpstreamTimeout: "no answer, or no more of it, in time",
    UpstreamBroken: "closed the connection before its answer was complete",
    MalformedReply: "its answer is not HTTP/1.1",
}


def ours(error: Exception, peer: object) -> UpstreamError:
    """What an exception of httpx means. Its own text is not passed on: it may quote the upstream."""
    kind = next(OUR_ERRORS[base] for base in type(error).__mro__ if base in OUR_ERRORS)
    if kind is MalformedReply and str(error).startswith(_DISCONNECTED):
        kind = UpstreamBroken
    if isinstance(error, httpx.ProxyError):
        return ConnectFailed(f"{peer}: {_refused_by_proxy(str(error))}")
    return kind(f"{peer}: {_TEXTS.get(kind) or why_not(_root_cause(error))}")


def _refused_by_proxy(text: str) -> str:
    status = _PROXY_STATUS.match(text)
    if status is None:
        return "the proxy refused to connect, or to let us in; check proxy-url"
    hint = "; check user and password in proxy-url" if status[0] == "407" else ""
    return f"the proxy answered with status {status[0]}{hint}"


def _root_cause(error: BaseException) -> BaseException:
    """The deepest `OSError`, which says most; else the error itself."""
    found, cause = error, error.__cause__ or error.__context__
    while cause is not None:
        found = cause if isinstance(cause, OSError) else found
        cause = cause.__cause__ or cause.__context__
    return found


HTTPX_ERRORS: Final[Mapping[type[UpstreamError], type[httpx.TransportError]]] = {
    ConnectFailed: httpx.ConnectError,
    ConnectTimeout: httpx.ConnectTimeout,
    UpstreamTimeout: httpx.ReadTimeout,
    UpstreamBroken: httpx.RemoteProtocolError,
    MalformedReply: httpx.RemoteProtocolError,
}
"""Ours → theirs, for httpx clients that run on our connections."""


def theirs(error: UpstreamError, request: httpx.Request) -> httpx.TransportError:
    return HTTPX_ERRORS[type(error)](str(error), request=request)
