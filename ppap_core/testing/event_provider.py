"""The conformance suite of a provider without a wire; used like that of `ppap_core.testing.provider`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

import attrs

from ..conversation import Conversation
from ..credentials.credential import Credential
from ..credentials.verdict import Failure, Scope
from ..errors import ConnectFailed, UpstreamError
from ..exchange.provider import EventProvider
from ..wire import Target
from .contract import Check, check_events, require
from .provider import PATIENCE, AsyncCheck


@attrs.frozen(kw_only=True)
class EventProviderCase:
    """A provider that yields events, and conversations by name that it must answer."""

    opened: Callable[[], AbstractAsyncContextManager[EventProvider]]
    credential: Credential
    conversations: Mapping[str, Conversation]
    model: str = "upstream-model"


def event_provider_checks(case: EventProviderCase) -> list[AsyncCheck]:
    """All checks of an `EventProvider`. They are coroutine functions: await what they return."""
    checks = []
    for name, conversation in case.conversations.items():
        rules = {"events keep the contract": _generated, "events can be left midway": _left}
        checks += [Check(f"{rule} [{name}]", partial(run, case, conversation)) for rule, run in rules.items()]
    return [*checks, Check("failures are classified", partial(_event_failures, case))]


async def _generated(case: EventProviderCase, conversation: Conversation) -> None:
    async with asyncio.timeout(PATIENCE), case.opened() as provider:
        target = Target(model=case.model)
        events = [event async for event in provider.generate(conversation, case.credential, target)]
    check_events(events)


async def _left(case: EventProviderCase, conversation: Conversation) -> None:
    """A client that hangs up closes the generator; what it held must be given back quietly."""
    async with asyncio.timeout(PATIENCE), case.opened() as provider:
        events = provider.generate(conversation, case.credential, Target(model=case.model))
        await anext(events)
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


async def _event_failures(case: EventProviderCase) -> None:
    async with case.opened() as provider:
        for error in (ConnectFailed("refused"), UpstreamError("broken")):
            verdict = provider.classify(Failure(detail=error.detail))
            require(bool(verdict.reason), "the verdict gives no reason")
            require(verdict.scope is not Scope.REQUEST, "the client is blamed for what the upstream did")
