"""The routes that list models, in the shape that the asking client knows (client API spec, 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from litestar import MediaType, Request, Response, route
from litestar.handlers import HTTPRouteHandler

from .errors import RequestError
from .exchange.arrival import Arrival
from .exchange.response import CORS_HEADERS
from .models import ListedModel, ModelList, shape_for

if TYPE_CHECKING:
    from .proxy import Proxy

CORS: Final = {name.decode(): value.decode() for name, value in CORS_HEADERS}


def model_routes(proxy: Proxy, shapes: Sequence[ModelList]) -> list[HTTPRouteHandler]:
    """For each path of a model list: the list itself, and one model by its id, slashes included."""
    by_path: dict[str, list[ModelList]] = {}
    for shape in shapes:
        by_path.setdefault(shape.path, []).append(shape)
    return [_route(proxy, path, offered) for path, offered in by_path.items()]


def _route(proxy: Proxy, path: str, shapes: Sequence[ModelList]) -> HTTPRouteHandler:
    @route([path, f"{path}/{{model_id:path}}"], http_method=["GET", "HEAD"])
    async def models(request: Request[Any, Any, Any]) -> Response[bytes]:
        arrival = Arrival(request.scope)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in arrival.headers.items()}
        shape = shape_for(shapes, headers, arrival.query)
        try:
            listed = proxy.visible_models(proxy.authenticate(arrival))
            model_id = unquote(arrival.path).rstrip("/")[len(path) + 1 :]
            body = _one(shape, listed, model_id) if model_id else shape.render(listed)
        except RequestError as refusal:
            return _json(shape.wire.encode_error(refusal.detail), refusal.detail.status)
        return _json(body, 200)

    return models


def _json(body: bytes, status: int) -> Response[bytes]:
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=CORS)


class _NotFound(RequestError):
    status = 404
    code = "model_not_found"


def _one(shape: ModelList, models: Sequence[ListedModel], model_id: str) -> bytes:
    """By its id, in any case, with or without the ``models/`` that some makers put before it."""
    by_id = {model.id.casefold(): model for model in models}
    wanted = model_id.casefold()
    model = by_id.get(wanted) or by_id.get(wanted.removeprefix("models/"))
    if model is None:
        raise _NotFound(f"The model {model_id!r} is not served here", param="model")
    return shape.render_one(model)
