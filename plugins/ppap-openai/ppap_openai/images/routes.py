"""``/v1/images/generations`` and ``/v1/images/edits`` (client API spec, 10.7)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Protocol, runtime_checkable

from ppap_core.conversation import ErrorDetail
from ppap_core.credentials import Candidate, Credential
from ppap_core.errors import InvalidRequest, RequestError
from ppap_core.exchange import (
    Addressed,
    Arrival,
    ReadAddress,
    SpeaksMore,
    Work,
    endpoint,
    narrow,
    respond,
)
from ppap_core.proxy import Proxy
from ppap_core.wire import JsonBody, Target, ability

from ..image_tool import DEFAULT_MODEL, KEY, settings_of
from .form import MEDIA_TYPE, read_form
from .request import prompt_of
from .wire import EDITS, GENERATIONS, ImagesFormat

PATHS: Final = "/v1/images/generations or /v1/images/edits"


@runtime_checkable
class DrawsImages(Protocol):
    """A provider whose upstreams draw when a conversation has the tool for it."""

    def draws_images(self, credential: Credential, target: Target) -> bool:
        """Whether this account does, as this model."""
        ...


class ImagesOff(RequestError):
    status = 404
    code = "not_found"


def routes(proxy: Proxy) -> Sequence[Any]:
    return [
        endpoint(proxy, [f"/v1{wire.action.path}"], wire, read_address=_reader(proxy, wire))
        for wire in (GENERATIONS, EDITS)
    ]


def _reader(proxy: Proxy, wire: ImagesFormat) -> ReadAddress:
    draw = _draw(proxy)

    def read(arrival: Arrival) -> Addressed:
        """Raises `ImagesOff`, and `InvalidRequest` for a body of another kind."""
        if settings_of(proxy.snapshot.config).routes_closed:
            raise ImagesOff(f"Making images is switched off here (`{KEY}` in config.yaml)")
        media_type = arrival.header(b"content-type").decode("latin-1")
        if not wire.action.edits or not media_type or media_type.startswith("application/json"):
            return Addressed(wire, draw, JsonBody)
        if not media_type.startswith(MEDIA_TYPE):
            raise InvalidRequest(f'Invalid request: unsupported Content-Type "{media_type}"')
        return Addressed(wire, draw, partial(read_form, media_type=media_type))

    return read


def _draw(proxy: Proxy) -> Work:
    async def draw(exchange: Any, response: Any) -> None:
        """The work of drawing, by an upstream that has the route, or one that has the tool."""

        def able(candidate: Candidate) -> bool:
            provider = proxy.carriers[candidate.credential.provider].provider
            if draws := ability(provider, DrawsImages):
                return any(draws.draws_images(candidate.credential, each) for each in candidate.targets)
            speaks = ability(provider, SpeaksMore)
            return speaks is not None and exchange.wire in speaks.also

        message = f"Model {exchange.model} is not supported on {PATHS}. Use {DEFAULT_MODEL}."
        narrow(exchange, able, ErrorDetail(message=message, status=400, type="invalid_request_error"))
        prompt_of(exchange.body)
        await respond(exchange, response)

    return draw
