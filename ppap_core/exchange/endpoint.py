"""Routes that generate: from an ASGI scope through the dispatch loop to the client's last byte."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
from litestar import Request, asgi, post
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.types import ASGIApp

from ..access.keys import Identity
from ..conversation import ErrorDetail
from ..credentials import Candidate
from ..credentials.verdict import UNREACHABLE, Failure, Verdict
from ..errors import InvalidRequest, RequestError, UpstreamError
from ..wire.body import JsonBody
from ..wire.format import ClientWire
from .answer import OpenStream
from .arrival import Arrival
from .asking import narrow, not_supported
from .body import ClientGone, Receive, read_body
from .carrier import WireCarrier
from .counting import count_tokens
from .dispatch import dispatch
from .exchange import Exchange, ExchangeFailed
from .response import Response, Send

if TYPE_CHECKING:
    from ..proxy import Proxy

log = logging.getLogger("ppap.exchange")
_DRAIN_SECONDS: Final = 0.5
"""How long a finished upstream may take to end its body, so that its connection can be kept."""

Work: TypeAlias = Callable[[Exchange, Response], Awaitable[None]]
"""What is done with a request that was accepted; answers it on its `Response`."""


@attrs.frozen
class Addressed:
    """What the URL of one request says: how its body is to be read, and what is to be done with it.

    ``wire`` may be made for this very request, and then knows what the URL said of it: the model,
    whether to stream, how to frame the stream. It has the name of the format, whatever it knows, so
    that an upstream of the same format is relayed. ``read`` makes the body of its bytes; it raises
    `InvalidRequest`.
    """

    wire: ClientWire
    work: Work
    read: Callable[[bytes], JsonBody] = JsonBody


ReadAddress: TypeAlias = Callable[[Arrival], Addressed]
"""Raises `RequestError` for a URL that asks for nothing we have."""
Admit: TypeAlias = Callable[[Arrival], Identity]
"""Who the client is. Raises `RequestError` or `ExchangeFailed` to refuse."""


def endpoint(
    proxy: Proxy,
    paths: Sequence[str],
    wire: ClientWire,
    work: Work | None = None,
    read_address: ReadAddress | None = None,
) -> ASGIRouteHandler:
    """A route on which clients that speak `wire` have `work` done; ``None``: get answers from models.

    `read_address`, if there is one, has the last word on both, for clients that say in their headers
    what they need to have otherwise.
    """
    addressed = Addressed(wire, work or generate)
    return _route(proxy, paths, wire, read_address or (lambda _: addressed))


def counting_endpoint(
    proxy: Proxy, paths: Sequence[str], wire: ClientWire, render: Callable[[int], bytes]
) -> ASGIRouteHandler:
    """A route on which clients that speak `wire` learn how many input tokens a request has."""
    return endpoint(proxy, paths, wire, counting(render))


def addressed_endpoint(
    proxy: Proxy, path: str, wire: ClientWire, read_address: ReadAddress
) -> HTTPRouteHandler:
    """A route below `path`, for formats whose URLs name the model, or what to do, or both.

    `read_address` is asked once per request, after the client has shown its key and before the body
    is read; `wire` tells the client if it, or the key, is refused. Everything below `path` that is
    posted comes here; other methods on the same path may have routes of their own.
    """

    app = addressed_app(proxy, wire, read_address)

    @post(f"{path}/{{address:path}}", name=f"{wire.name} {path}")
    async def handle(request: Request[Any, Any, Any]) -> ASGIApp:
        return app

    return handle


def addressed_app(
    proxy: Proxy, wire: ClientWire, read_address: ReadAddress, admit: Admit | None = None
) -> ASGIApp:
    """The same for a route of one's own. `admit` stands in for client keys, where those do not count."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await _serve(Exchange(proxy, wire, Arrival(scope)), receive, send, read_address, admit)

    return answer


def counting(render: Callable[[int], bytes]) -> Work:
    """The work of telling how many input tokens a request has, in the words of `render`."""

    async def count(exchange: Exchange, response: Response) -> None:
        _refuse_image_model(exchange)
        await response.whole(render(await count_tokens(exchange)))

    return count


class _OnlyHttp(RequestError):
    status = 426
    code = "upgrade_refused"


def _no_websockets(_: Arrival) -> Addressed:
    """Clients that would rather have a websocket know by this status to go on without (clients spec, 3)."""
    raise _OnlyHttp("This route answers POST requests; it takes no websockets")


def _route(
    proxy: Proxy, paths: Sequence[str], wire: ClientWire, read_address: ReadAddress
) -> ASGIRouteHandler:
    @asgi(list(paths), copy_scope=False, name=f"{wire.name} {paths[0]}")
    async def handle(scope: Any, receive: Any, send: Any) -> None:
        arrival = Arrival(scope)
        if arrival.method == "POST":
            await _serve(Exchange(proxy, wire, arrival), receive, send, read_address)
        elif arrival.header(b"upgrade").lower() == b"websocket":
            await _serve(Exchange(proxy, wire, arrival), receive, send, _no_websockets)
        else:
            raise NotFoundException

    return handle


async def _serve(
    exchange: Exchange,
    receive: Receive,
    send: Send,
    read_address: ReadAddress,
    admit: Admit | None = None,
) -> None:
    """One exchange, to its record, whatever happens."""
    response = Response(exchange, send)
    try:
        exchange.identity = (admit or exchange.proxy.authenticate)(exchange.arrival)
        addressed = read_address(exchange.arrival)
        exchange.wire, work = addressed.wire, addressed.work
        body = await read_body(exchange.arrival, receive, exchange.snapshot.max_body, addressed.read)
        exchange.accept(body)
        with response.watched(receive) as watch:
            await work(exchange, response)
        if watch.gone:
            exchange.cancelled()
    except ClientGone:
        exchange.cancelled()
    except ExchangeFailed as failure:
        await response.refuse(failure.detail, failure.body, failure.headers)
    except RequestError as refusal:
        await response.refuse(refusal.detail)
    except asyncio.CancelledError:
        exchange.failed(ErrorDetail(message="The proxy is shutting down", status=503, code="shutdown"))
        raise
    except Exception:
        log.exception("request %s failed inside the proxy", exchange.id)
        await response.refuse(_INTERNAL)
    finally:
        # Not here: the loop writes out the answer's last bytes when this step is over.
        exchange.proxy.loop.call_soon(_finish, exchange)


def _finish(exchange: Exchange) -> None:
    exchange.report_violations()
    exchange.proxy.finished(exchange.record())


_INTERNAL: Final = ErrorDetail(
    message="Internal error; the proxy's log has the details under this request's X-PPAP-Request-Id",
    status=500,
    code="internal_error",
)


async def generate(exchange: Exchange, response: Response) -> None:
    """The work of answering from a model that writes."""
    _refuse_image_model(exchange)
    await respond(exchange, response)


async def respond(exchange: Exchange, response: Response) -> None:
    """The work of answering from whatever model was asked for."""
    answer = await response.kept_alive(dispatch(exchange))
    if isinstance(answer, OpenStream):
        await _stream(exchange, response, answer)
        return
    exchange.usage = answer.usage
    _succeeded(exchange)
    await response.whole(answer.body, answer.headers)


def _refuse_image_model(exchange: Exchange) -> None:
    """Raises `InvalidRequest` for a model that cannot write (client API spec, 8)."""
    if exchange.listed.image_only:
        raise InvalidRequest(
            f"model {exchange.listed.id} is only supported on /v1/images/generations and /v1/images/edits",
            param="model",
        )


def relayed_only(missing: str) -> Work:
    """The work of answering from upstreams that speak the client's format, which no other can say.

    ``missing`` is what the client is told where there is none.
    """

    async def relay(exchange: Exchange, response: Response) -> None:
        name = exchange.wire.name

        def speaks(candidate: Candidate) -> bool:
            carrier = exchange.proxy.carriers[candidate.credential.provider]
            return isinstance(carrier, WireCarrier) and name in carrier.also

        narrow(exchange, speaks, not_supported(missing))
        await generate(exchange, response)

    return relay


async def _stream(exchange: Exchange, response: Response, stream: OpenStream) -> None:
    """Passes a stream on, one write per upstream read; a slow client slows this upstream only."""
    path, source = stream.path, stream.source
    interval = exchange.snapshot.config.core.streaming.keepalive_seconds
    try:
        await response.begin_stream(stream.headers)
        await response.write(stream.head)
        while not path.complete and path.error is None:
            step = source.step(path)
            written = await (response.kept_alive(step) if interval > 0 else step)
            if written is None:
                break
            if written:
                await response.write(written)
        await response.end()
        _judge(exchange, path.error)
        await _drained(stream)
    except UpstreamError as error:
        await response.end(path.fail(error.detail))
        _blame(exchange, error.detail, UNREACHABLE)
    finally:
        exchange.usage = path.usage
        await source.close()


async def _drained(stream: OpenStream) -> None:
    """Reads what is left after the end, so that the upstream connection can be used again."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await stream.source.step(stream.path) is not None:
                pass
    except (UpstreamError, TimeoutError):
        return


def _judge(exchange: Exchange, error: ErrorDetail | None) -> None:
    """The stream's end, told by itself: a success, or a failure after the first byte."""
    if error is None:
        _succeeded(exchange)
    elif exchange.serving is not None:
        candidate, _ = exchange.serving
        provider = exchange.proxy.carriers[candidate.credential.provider].provider
        _blame(exchange, error, provider.classify(Failure(detail=error)))


def _blame(exchange: Exchange, error: ErrorDetail, verdict: Verdict) -> None:
    exchange.failed(error)
    if exchange.serving is not None:
        candidate, target = exchange.serving
        cooling = not exchange.snapshot.config.core.disable_cooling
        exchange.proxy.pool.failed(candidate.credential, target, verdict, cooling=cooling)


def _succeeded(exchange: Exchange) -> None:
    if exchange.serving is not None:
        candidate, target = exchange.serving
        exchange.proxy.pool.succeeded(candidate.credential, target)
