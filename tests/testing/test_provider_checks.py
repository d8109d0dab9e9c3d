"""The provider suites pass sound providers, and find what is wrong with unsound ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest

from ppap_core.conversation import Conversation, End, Event, ItemStart
from ppap_core.credentials import Credential
from ppap_core.credentials.verdict import REQUEST_FAULT, Failure, Verdict, by_status
from ppap_core.errors import ConnectFailed, MalformedReply, UpstreamBroken
from ppap_core.exchange.provider import Call
from ppap_core.testing import ContractBroken
from ppap_core.testing.event_provider import EventProviderCase, event_provider_checks
from ppap_core.testing.provider import ProviderCase, provider_checks
from ppap_core.wire import Target

from .parrot import Echo, ParrotLines, line

KEY = "sk-parrot-4711"
FOREIGN = {
    httpx.ConnectError: ConnectFailed,
    httpx.RemoteProtocolError: MalformedReply,
    httpx.ReadError: UpstreamBroken,
}


class Reply:
    """An `UpstreamReply` over httpx, as plain as can be."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = dict(response.headers)
        self._response = response
        self._parts = response.aiter_raw()

    async def read(self) -> bytes:
        try:
            return await anext(self._parts, b"")
        except httpx.TransportError as error:
            raise FOREIGN[type(error)](type(error).__name__) from None

    async def body(self) -> bytes:
        parts = []
        while part := await self.read():
            parts.append(part)
        return b"".join(parts)

    async def close(self) -> None:
        await self._response.aclose()


@attrs.frozen
class Parrot:
    """A sound provider."""

    client: httpx.AsyncClient
    name: str = "parrot"
    wire: ParrotLines = attrs.field(factory=ParrotLines)

    async def send(self, call: Call) -> Reply:
        url, key = call.credential.settings
        request = self.client.build_request(
            "POST", f"{url}/speak", content=call.body, headers={"x-parrot-key": key}
        )
        return await self._sent(request)

    async def _sent(self, request: httpx.Request) -> Reply:
        try:
            return Reply(await self.client.send(request, stream=True))
        except httpx.TransportError as error:
            raise FOREIGN[type(error)](type(error).__name__) from None

    def classify(self, failure: Failure) -> Verdict:
        return by_status(failure)


def case(kind: Any = Parrot) -> ProviderCase:
    """A case for a provider class that is made from an HTTP client."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with httpx.AsyncClient(timeout=None) as client:
            yield kind(client)

    return ProviderCase(
        opened=opened,
        credential=lambda url: Credential(id="parrot:1", provider="parrot", label="one", settings=(url, KEY)),
        key=KEY,
        key_header="x-parrot-key",
        body=b'{"model": "upstream-model", "turns": []}',
        reply=b'{"model": "upstream-model", "says": "Hello", "calls": [], "halt": "stop"}',
        frames=[line(say="Hel"), line(say="lo"), line(halt="stop")],
        error=lambda status: line(oops="No"),
    )


@pytest.mark.parametrize("check", provider_checks(case()), ids=str)
async def test_a_sound_provider_passes(check: Any) -> None:
    """Each rule of the suite holds for a provider that keeps the contract."""
    await check()


class _Retries(Parrot):
    async def send(self, call: Call) -> Reply:
        reply = await super().send(call)
        if reply.status < 500:
            return reply
        await reply.close()
        return await super().send(call)


class _KeyInUrl(Parrot):
    async def _sent(self, request: httpx.Request) -> Reply:
        request.url = request.url.copy_merge_params({"key": KEY})
        return await super()._sent(request)


class _Buffers(Parrot):
    """Reads the whole stream before it hands over the first byte, so the first frame never comes."""

    async def _sent(self, request: httpx.Request) -> Reply:
        reply = await super()._sent(request)
        if reply.status == 200:
            await reply.close()
        return reply


class _SwallowsCancellation(Parrot):
    async def _sent(self, request: httpx.Request) -> Reply:
        try:
            return await super()._sent(request)
        except asyncio.CancelledError:
            return Reply(httpx.Response(200, content=b""))


class _LeaksForeignErrors(Parrot):
    async def _sent(self, request: httpx.Request) -> Reply:
        return Reply(await self.client.send(request, stream=True))


class _BlamesTheClient(Parrot):
    def classify(self, failure: Failure) -> Verdict:
        return REQUEST_FAULT


UNSOUND = {
    "a failure is not retried": _Retries,
    "the key stands in its header only": _KeyInUrl,
    "a stream arrives frame by frame": _Buffers,
    "cancelling a call ends the connection": _SwallowsCancellation,
    "a refused connection is a ConnectFailed": _LeaksForeignErrors,
    "an answer with an error status is given back and classified [429]": _BlamesTheClient,
}


@pytest.mark.parametrize("rule", UNSOUND)
async def test_an_unsound_provider_is_found_out(rule: str) -> None:
    """Each kind of broken provider fails at the rule that it breaks."""
    check = next(check for check in provider_checks(case(UNSOUND[rule])) if str(check) == rule)
    with pytest.raises((ContractBroken, httpx.HTTPError, httpx.StreamError)):
        await check()


# --- providers without a wire -------------------------------------------------------------------


class _Unfinished(Echo):
    async def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]:
        yield ItemStart(0, "text")
        yield End()


def event_case(kind: type[Echo]) -> EventProviderCase:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Echo]:
        yield kind()

    return EventProviderCase(
        opened=opened,
        credential=Credential(id="echo:1", provider="echo", label="echo", settings=None),
        conversations={"plain": Conversation(model="m", format="parrot-lines")},
    )


@pytest.mark.parametrize("check", event_provider_checks(event_case(Echo)), ids=str)
async def test_a_sound_event_provider_passes(check: Any) -> None:
    """Each rule holds for a provider whose events keep the contract."""
    await check()


async def test_an_unsound_event_provider_is_found_out() -> None:
    """An item that is never ended breaks the contract of events."""
    check = event_provider_checks(event_case(_Unfinished))[0]
    with pytest.raises(ContractBroken, match="items are open"):
        await check()
