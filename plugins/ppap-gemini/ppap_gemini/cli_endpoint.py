"""``POST /v1internal:{method}``: Gemini CLI after a Google login (client API spec, 10.9).

It sends the token of that login instead of a client key, so only programs on this machine are
served, and none unless the operator wants it. Models are served by whoever has them; every other
method, such as those about quotas, is passed to Google.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
from litestar import Request, post
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from ppap_core.access import Identity, KeyRing, is_loopback, presented_keys
from ppap_core.conversation import ErrorDetail
from ppap_core.errors import RequestError, UpstreamError
from ppap_core.exchange import (
    ANONYMOUS,
    Addressed,
    Arrival,
    ClientGone,
    ExchangeFailed,
    addressed_app,
    generate,
    read_bytes,
)
from ppap_core.proxy import Proxy
from ppap_core.snapshot import OWN_HEADERS
from ppap_core.wire import ClientWire

from .config import CLI_ENDPOINT, CODE_ASSIST_SECTION
from .generate import CODE_ASSIST
from .generate.addressed import GENERATE, STREAM
from .generate.code_assist import STREAMING_CODE_ASSIST

PREFIX: Final = "/v1internal:"
GENERATING: Final[Mapping[str, ClientWire]] = {GENERATE: CODE_ASSIST, STREAM: STREAMING_CODE_ASSIST}
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_KEYS_IN_QUERY: Final = frozenset({"key", "auth_token"})
_PASSED_ON: Final = (b"authorization", b"content-encoding")
"""What the core keeps from upstreams, but is between Gemini CLI and Google here."""


def cli_endpoint(proxy: Proxy) -> HTTPRouteHandler:
    """The route for all methods; it stands beside other routes of one segment, which go first."""

    def admit(arrival: Arrival) -> Identity:
        return _admitted(proxy, arrival)

    models = addressed_app(proxy, CODE_ASSIST, _read_address, admit)

    async def google(scope: Any, receive: Any, send: Any) -> None:
        arrival = Arrival(scope)
        try:
            admit(arrival)
            body = await read_bytes(arrival, receive, proxy.snapshot.max_body)
            await _pass_on(proxy, arrival, body, send)
        except ClientGone:
            return
        except ExchangeFailed as refused:
            await _answer(send, refused.detail.status, refused.body)
        except (RequestError, UpstreamError) as error:
            await _answer(send, error.detail.status, CODE_ASSIST.encode_error(error.detail))

    @post("/{method:str}", name=CODE_ASSIST.name)
    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        path = unquote(Arrival(request.scope).path)
        if not path.startswith(PREFIX):
            raise NotFoundException
        return models if path.removeprefix(PREFIX) in GENERATING else google

    return handle


def _read_address(arrival: Arrival) -> Addressed:
    return Addressed(GENERATING[unquote(arrival.path).removeprefix(PREFIX)], generate)


# --- who may come in --------------------------------------------------------------------------


def _admitted(proxy: Proxy, arrival: Arrival) -> Identity:
    """Nobody from elsewhere: not over the network, and not a web page in a browser on this machine.

    Such a page names itself as the origin, or reaches us under a name of its own. Raises
    `ExchangeFailed`.
    """
    if not proxy.snapshot.config[CLI_ENDPOINT].enable_gemini_cli_endpoint:
        raise _forbidden("Gemini CLI endpoint is disabled")
    local = is_loopback(arrival.client_address) and _host(arrival) in _LOCAL_NAMES
    if not local or arrival.header(b"origin"):
        raise _forbidden("CLI reply only allow local access")
    return ANONYMOUS


def _host(arrival: Arrival) -> str:
    """The name in the ``Host`` header, without port and brackets."""
    try:
        return urlsplit(f"//{arrival.header(b'host').decode('latin-1')}").hostname or ""
    except ValueError:
        return ""


def _forbidden(message: str) -> ExchangeFailed:
    body = msgspec.json.encode({"error": {"message": message, "type": "forbidden"}})
    return ExchangeFailed(ErrorDetail(message=message, status=403, code="forbidden"), body)


# --- what is not about models -----------------------------------------------------------------


async def _pass_on(proxy: Proxy, arrival: Arrival, body: bytes, send: Any) -> None:
    """Google's answer, whatever its status. Raises `UpstreamError` as long as nothing was said."""
    query = [(name, value) for name, value in arrival.query.items() if name not in _KEYS_IN_QUERY]
    base = proxy.snapshot.config[CODE_ASSIST_SECTION].base_url.rstrip("/")
    path = quote(unquote(arrival.path), safe="/:")
    url = f"{base}{path}" + (f"?{urlencode(query)}" if query else "")
    reply = await proxy.upstream.post(url, body, _headers(proxy, arrival))
    try:
        answer = await reply.body()
    finally:
        await reply.close()
    kept = {name: value for name, value in reply.headers.items() if name not in OWN_HEADERS}
    media = reply.headers.get("content-type", "application/json")
    await _answer(send, reply.status, answer, {**kept, "content-type": media})


def _headers(proxy: Proxy, arrival: Arrival) -> dict[str, str]:
    """The client's own, but for what is about the connection, and for keys of ours."""
    named = arrival.header(b"connection").decode("latin-1").lower().split(",")
    hops = {name.strip() for name in named}
    headers = {name: value for name, value in arrival.client_headers.items() if name not in hops}
    headers |= {
        name.decode(): value.decode("latin-1") for name in _PASSED_ON if (value := arrival.header(name))
    }
    ours = KeyRing(proxy.snapshot.config.core.api_keys)
    if any(place == "authorization" and ours.principal(key) for place, key in presented_keys(arrival)):
        del headers["authorization"]
    return headers


async def _answer(send: Any, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    told = {"content-type": "application/json", **(headers or {}), "content-length": str(len(body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
