"""Counting a request's input tokens: by the upstream, or however its provider can."""

from __future__ import annotations

from ..credentials import Candidate
from ..wire.abilities import ability
from .asking import first_answer, narrow, not_supported
from .exchange import Exchange
from .provider import CountCall, CountsTokens, Provider
from .thinking import for_translation


async def count_tokens(exchange: Exchange) -> int:
    """Input tokens, from the first credential whose provider can count them.

    Counting teaches nothing about a credential's health: a failure only leads to the next one.
    Raises `ExchangeFailed`, and `RequestError`.
    """

    def counter(candidate: Candidate) -> CountsTokens | None:
        provider = exchange.proxy.carriers[candidate.credential.provider].provider
        return ability(provider, CountsTokens)

    async def counted(candidate: Candidate) -> int:
        provider = counter(candidate)
        assert provider is not None
        speaking = ability(provider, Provider)
        wire = speaking.wire if speaking else None
        conversation, target = for_translation(exchange, candidate.targets[0], wire)
        call = CountCall(
            conversation=conversation,
            credential=candidate.credential,
            target=target,
            deadlines=exchange.snapshot.deadlines,
            client_headers=exchange.arrival.client_headers,
        )
        return await provider.count_tokens(call)

    missing = not_supported(f"No upstream of model {exchange.route.model} can count tokens")
    narrow(exchange, lambda candidate: counter(candidate) is not None, missing)
    return await first_answer(exchange, counted, same_dialect=False, learns=False)
