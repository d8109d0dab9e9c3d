"""The ASGI application, assembled from what plugins contribute."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from litestar import Litestar, MediaType, Request, Response, route
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler

from .model_routes import CORS, model_routes

if TYPE_CHECKING:
    from .proxy import Proxy

_PREFLIGHT_HEADERS: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-allow-headers", b"*"),
]
NOT_FOUND_TEXT: Final = b"404 page not found"


def build_app(proxy: Proxy) -> Any:
    """Routes of all plugins, with preflights answered in front of them."""
    contributed = [
        handler
        for _, handlers in proxy.plugins.contributions("ppap_routes", proxy=proxy)
        for handler in handlers
    ]
    shapes = [shape for _, given in proxy.plugins.contributions("ppap_model_lists") for shape in given]

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with proxy.running():
            yield

    litestar = Litestar(
        route_handlers=[healthz, _front_page(contributed), *model_routes(proxy, shapes), *contributed],
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        exception_handlers={NotFoundException: _not_found, MethodNotAllowedException: _not_found},
    )
    return _Entrance(litestar)


class _Entrance:
    """Answers ``OPTIONS`` for every path, known or not, and leaves all else to the routes."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT_HEADERS})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send)


@route("/healthz", http_method=["GET", "HEAD"], sync_to_thread=False)
def healthz() -> Response[dict[str, str]]:
    return Response({"status": "ok"}, headers=CORS)


def _front_page(contributed: Sequence[object]) -> Any:
    paths = sorted(
        path
        for handler in contributed
        if isinstance(handler, ASGIRouteHandler | HTTPRouteHandler)
        for path in handler.paths
    )
    page: dict[str, object] = {
        "message": "CLI Proxy API Server",
        "endpoints": [*(f"POST {path}" for path in paths), "GET /v1/models"],
    }

    @route("/", http_method=["GET", "HEAD"], sync_to_thread=False)
    def front_page() -> Response[dict[str, object]]:
        return Response(page, headers=CORS)

    return front_page


def _not_found(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A wrong method is a 404, too (client API spec, 2)."""
    return Response(NOT_FOUND_TEXT, status_code=404, media_type=MediaType.TEXT, headers=CORS)
