"""The conformance suite of a provider.

    CASE = ProviderCase(opened=parrot, credential=parrot_key, key="sk-parrot", key_header="x-parrot-key", …)

    @pytest.mark.parametrize("check", provider_checks(CASE), ids=str)
    async def test_the_provider_keeps_the_contract(check):
        await check()

Each check runs the provider against a `StubUpstream` of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Final, TypeAlias

import attrs

from ..credentials.credential import Credential
from ..credentials.verdict import Failure, Scope, Verdict
from ..errors import ConnectFailed, UpstreamError
from ..exchange.provider import Call, Provider
from ..upstream import UpstreamReply
from ..wire import Target
from .answer import Answer, streamed, whole
from .contract import Check, ContractBroken, require
from .faults import HEAD_FAULTS, cut_after, malformed_chunk_after, reset_after
from .stub import ReceivedRequest, StubUpstream

PATIENCE: Final = 20.0
"""Seconds until a check that should have ended counts as broken."""

AsyncCheck: TypeAlias = Check[Coroutine[Any, Any, None]]


@attrs.frozen(kw_only=True)
class ProviderCase:
    """A provider under test, and how its upstream talks.

    ``opened`` makes the provider ready for use, and closes what it holds. ``credential`` makes,
    from the base URL of a stub, a credential with which the provider calls that stub; ``key`` is
    the secret in it, and ``key_header`` the only header, in lower case, that may carry it.
    ``body``, ``reply``, ``frames`` and ``error`` (of a status) are traffic of its wire format.
    """

    opened: Callable[[], AbstractAsyncContextManager[Provider]]
    credential: Callable[[str], Credential]
    key: str = attrs.field(repr=False)
    key_header: str = "authorization"
    body: bytes
    reply: bytes
    frames: Sequence[bytes]
    error: Callable[[int], bytes] = lambda status: b'{"error": {"message": "No"}}'
    model: str = "upstream-model"

    def call(self, url: str, *, stream: bool) -> Call:
        return Call(
            credential=self.credential(url), target=Target(model=self.model), body=self.body, stream=stream
        )


@attrs.frozen
class _Bench:
    """One check's provider and stub."""

    case: ProviderCase
    provider: Provider
    stub: StubUpstream

    async def sent(self, *, stream: bool = False) -> UpstreamReply:
        return await self.provider.send(self.case.call(self.stub.url, stream=stream))

    async def request(self) -> ReceivedRequest:
        """The first request, as soon as it is there."""
        return (await self.stub.received())[0]


_Rule: TypeAlias = Callable[[_Bench], Awaitable[None]]


def provider_checks(case: ProviderCase) -> list[AsyncCheck]:
    """All checks of a `Provider`. They are coroutine functions: await what they return."""
    rules = dict(_RULES)
    for status in VERDICTS:
        rules[f"an answer with an error status is given back and classified [{status}]"] = partial(
            _classified, status=status
        )
    for name in BROKEN_HEADS:
        rules[f"an answer that never begins is an UpstreamError [{name}]"] = partial(_no_head, fault=name)
    for name, fault in BROKEN_BODIES.items():
        rules[f"an answer that breaks off is an UpstreamError [{name}]"] = partial(_no_end, fault=fault)
    return [Check(name, partial(_run, case, rule)) for name, rule in rules.items()]


async def _run(case: ProviderCase, rule: _Rule) -> None:
    try:
        async with asyncio.timeout(PATIENCE), StubUpstream() as stub, case.opened() as provider:
            await rule(_Bench(case, provider, stub))
    except TimeoutError:
        raise ContractBroken(f"the provider is not done after {PATIENCE:g} seconds") from None


# --- what is sent -------------------------------------------------------------------------------


async def _one_request(bench: _Bench) -> None:
    bench.stub.otherwise(whole(bench.case.reply))
    reply = await bench.sent()
    body = await reply.body()
    await reply.close()
    require(reply.status == 200, f"a 200 is given back as {reply.status}")
    require(body == bench.case.reply, "the reply's body is not what the upstream sent")
    require(len(bench.stub.requests) == 1, f"one send makes {len(bench.stub.requests)} requests")
    require(bench.stub.requests[0].body == bench.case.body, "the call's body is changed on its way")


async def _no_retry(bench: _Bench) -> None:
    bench.stub.otherwise(whole(bench.case.error(503), status=503))
    reply = await bench.sent()
    await reply.close()
    require(len(bench.stub.requests) == 1, "a refused request is sent again; retrying is the core's business")


async def _key_in_its_header(bench: _Bench) -> None:
    bench.stub.otherwise(whole(bench.case.reply))
    reply = await bench.sent()
    await reply.body()
    await reply.close()
    request = bench.stub.requests[0]
    key = bench.case.key
    header = bench.case.key_header
    require(key in request.headers.get(header, ""), f"the header {header} does not carry the key")
    others = [name for name, value in request.headers.items() if key in value and name != header]
    require(not others, f"the key also stands in {others}")
    require(key not in request.target, "the key stands in the URL, where logs keep it")
    require(key.encode() not in request.body, "the key stands in the body")


# --- what is answered ---------------------------------------------------------------------------


async def _frame_by_frame(bench: _Bench) -> None:
    first, *rest = bench.case.frames
    go_on = asyncio.Event()
    bench.stub.otherwise(streamed([first, go_on, *rest]))
    reply = await bench.sent(stream=True)
    received = bytearray()
    while len(received) < len(first):
        received += await reply.read()
    require(bytes(received) == first, "the first frame is not what the upstream sent")
    go_on.set()
    received += await reply.body()
    await reply.close()
    require(bytes(received) == first + b"".join(rest), "the stream is not what the upstream sent")


async def _closed_midway(bench: _Bench) -> None:
    bench.stub.otherwise(streamed([bench.case.frames[0], asyncio.Event()]))
    reply = await bench.sent(stream=True)
    await reply.read()
    await reply.close()
    await reply.close()
    await (await bench.request()).disconnected.wait()


async def _cancelled(bench: _Bench) -> None:
    bench.stub.otherwise(attrs.evolve(whole(bench.case.reply), before_head=asyncio.Event()))
    sending = asyncio.create_task(bench.sent())
    request = await bench.request()
    sending.cancel()
    try:
        await sending
    except asyncio.CancelledError:
        await request.disconnected.wait()
        return
    raise ContractBroken("send swallows its cancellation")


async def _refused(bench: _Bench) -> None:
    await bench.stub.close()
    try:
        await bench.sent()
    except ConnectFailed as error:
        require(bench.case.key not in str(error), "the message of ConnectFailed holds the key")
        return
    raise ContractBroken("a refused connection does not raise ConnectFailed")


async def _at_the_same_time(bench: _Bench) -> None:
    gate = asyncio.Event()
    bench.stub.otherwise(attrs.evolve(whole(bench.case.reply), before_head=gate))
    sending = [asyncio.create_task(bench.sent()) for _ in range(5)]
    await bench.stub.received(5)
    gate.set()
    for reply in await asyncio.gather(*sending):
        require(await reply.body() == bench.case.reply, "calls at the same time get each other's answers")
        await reply.close()


_RULES: Final[Mapping[str, _Rule]] = {
    "one send is one request": _one_request,
    "a failure is not retried": _no_retry,
    "the key stands in its header only": _key_in_its_header,
    "a stream arrives frame by frame": _frame_by_frame,
    "closing an unfinished answer ends the connection": _closed_midway,
    "cancelling a call ends the connection": _cancelled,
    "a refused connection is a ConnectFailed": _refused,
    "several calls run at the same time": _at_the_same_time,
}

BROKEN_HEADS: Final = ("garbage", "close_before_reply", "reset_before_reply")
"""Those of `HEAD_FAULTS` that end by themselves; against the others there are deadlines."""
BROKEN_BODIES: Final = {
    "cut": cut_after(1),
    "reset": reset_after(1),
    "malformed_chunk": malformed_chunk_after(1),
}


async def _no_head(bench: _Bench, fault: str) -> None:
    bench.stub.otherwise(HEAD_FAULTS[fault](whole(bench.case.reply)))
    try:
        reply = await bench.sent()
    except UpstreamError:
        return
    await reply.close()
    raise ContractBroken(f"{fault}: send returns status {reply.status} instead of raising UpstreamError")


async def _no_end(bench: _Bench, fault: Callable[[Answer], Answer]) -> None:
    bench.stub.otherwise(fault(streamed(bench.case.frames)))
    try:
        reply = await bench.sent(stream=True)
        try:
            await reply.body()
        finally:
            await reply.close()
    except UpstreamError:
        return
    raise ContractBroken("an answer that breaks off is read as if it were whole")


# --- what failures mean -------------------------------------------------------------------------


def _not_the_client(verdict: Verdict) -> bool:
    return verdict.scope is not Scope.REQUEST


def _quota(verdict: Verdict) -> bool:
    return verdict.quota and verdict.scope is not Scope.REQUEST


def _the_client(verdict: Verdict) -> bool:
    return verdict.scope is Scope.REQUEST


VERDICTS: Final[Mapping[int, Callable[[Verdict], bool]]] = {
    401: _not_the_client,
    403: _not_the_client,
    404: _not_the_client,
    413: _the_client,
    422: _the_client,
    429: _quota,
    500: _not_the_client,
    502: _not_the_client,
    503: _not_the_client,
    529: _not_the_client,
}
"""Status of an upstream's answer → what must hold for its verdict."""


async def _classified(bench: _Bench, status: int) -> None:
    body = bench.case.error(status)
    bench.stub.otherwise(whole(body, status=status, headers={"Retry-After": "7"}))
    reply = await bench.sent()
    require(reply.status == status, f"status {status} is given back as {reply.status}")
    require(reply.headers.get("retry-after") == "7", "the headers of the answer are not given back")
    require(await reply.body() == body, "the error's body is not what the upstream sent")
    await reply.close()
    detail = attrs.evolve(bench.provider.wire.decode_error(status, body), retry_after=7.0)
    verdict = bench.provider.classify(Failure(detail=detail, body=body))
    require(bool(verdict.reason), "the verdict gives no reason")
    require(VERDICTS[status](verdict), f"status {status} must not be a {verdict}")
