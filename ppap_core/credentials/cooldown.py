"""What was learnt about credentials at run time: who cools down, until when, and why (auth spec, 5).

Kept by credential id, apart from the files, so it outlives every reload. Times come from a
monotonic clock in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from .verdict import Scope, Verdict


@attrs.define
class Block:
    """A time during which a model on a credential, or all of it, is left alone."""

    until: float
    reason: str
    quota: bool = False
    """Out of quota, as against broken: told to the client as 429, and kept in model lists."""
    passing: bool = False
    step: int = 0
    """How often the back-off has doubled."""


@attrs.define
class CredentialState:
    """Run-time knowledge of one credential."""

    account: Block | None = None
    models: dict[str, Block] = attrs.field(factory=dict)
    """By upstream model name."""


class Cooldowns:
    """The run-time state of all credentials."""

    def __init__(self) -> None:
        self._states: dict[str, CredentialState] = {}

    def block(self, credential_id: str, model: str, now: float) -> Block | None:
        """What keeps this model on this credential from being used now: the longer of the two."""
        state = self._states.get(credential_id)
        if state is None:
            return None
        account, own = state.account, state.models.get(model)
        if own is not None and own.until > now and (account is None or own.until >= account.until):
            return own
        return account if account is not None and account.until > now else None

    def succeeded(self, credential_id: str, model: str) -> None:
        """One success is better evidence than any hint: it lifts the blocks it disproves (pain 1)."""
        state = self._states.get(credential_id)
        if state is not None:
            state.account = None
            state.models.pop(model, None)

    def failed(self, credential_id: str, model: str, verdict: Verdict, now: float, *, cooling: bool) -> None:
        """Blocks what the verdict says; without `cooling`, only if it is lasting."""
        if verdict.cooldown is None or not (cooling or verdict.lasting):
            return
        state = self._states.setdefault(credential_id, CredentialState())
        if verdict.scope is Scope.CREDENTIAL:
            state.account = _extended(state.account, verdict, now)
        elif verdict.scope is Scope.MODEL:
            state.models[model] = _extended(state.models.get(model), verdict, now)

    def forget(self, credential_ids: Iterable[str]) -> None:
        """The files no longer describe these credentials, or describe them anew (5.7)."""
        for credential_id in credential_ids:
            self._states.pop(credential_id, None)


def _extended(block: Block | None, verdict: Verdict, now: float) -> Block:
    """The block after one more failure. It never ends earlier than it was to end (pain 3)."""
    step = block.step + 1 if block is not None and block.reason == verdict.reason else 0
    length = verdict.cooldown or 0.0
    if verdict.backoff:
        length = min(length * 2.0 ** min(step, 32), verdict.ceiling)
    until = now + length
    if block is not None and block.until > until:
        return attrs.evolve(block, step=step)
    return Block(until, verdict.reason, verdict.quota, verdict.passing, step)
