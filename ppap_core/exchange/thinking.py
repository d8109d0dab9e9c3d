"""How much the upstream is asked to think, settled once per attempt (translation spec, D.4).

What the model's name says outranks the body (D.2), and how thoughts are shown comes from the body
either way (D.8). A relayed body is left as it is unless the name says something, or the body asks
for what the model knows under another word, such as a level where it takes budgets.
"""

from __future__ import annotations

import attrs

from ..conversation import Conversation, ThinkingIntent
from ..conversation.resolution import resolved
from ..conversation.thinking import UNSET
from ..wire.abilities import family_of
from ..wire.format import Target, UpstreamWire
from .exchange import Exchange


def for_relay(exchange: Exchange, target: Target) -> Target:
    """The target with what must be written over the body. Raises `InvalidRequest`."""
    named = exchange.named_intent(target)
    if named.mode != "unset":
        fitted = _shown(_from_name(named, target, same_family=True), exchange.thinking)
        return target if fitted == target.intent else attrs.evolve(target, intent=fitted)
    own = exchange.thinking
    if own.mode == "unset" or target.thinking is None:
        return target
    fitted = resolved(own, target.thinking, from_name=False, same_family=True)
    return target if fitted == own else attrs.evolve(target, intent=fitted)


def for_translation(
    exchange: Exchange, target: Target, wire: UpstreamWire | None
) -> tuple[Conversation, Target]:
    """Conversation and target for a codec; `wire` is ``None`` for a provider that has none.

    Raises `InvalidRequest`.
    """
    conversation = exchange.conversation
    same_family = wire is not None and family_of(wire) == family_of(exchange.wire)
    named = exchange.named_intent(target)
    own = conversation.thinking
    if named.mode != "unset":
        fitted = _shown(_from_name(named, target, same_family=same_family), own)
        target = attrs.evolve(target, intent=fitted)
    else:
        fitted = resolved(own, target.thinking, from_name=False, same_family=same_family)
    if fitted != own:
        conversation = attrs.evolve(conversation, thinking=fitted)
    return conversation, target


def _from_name(named: ThinkingIntent, target: Target, *, same_family: bool) -> ThinkingIntent:
    return resolved(named, target.thinking, from_name=True, same_family=same_family)


def _shown(intent: ThinkingIntent, body: ThinkingIntent) -> ThinkingIntent:
    """With the body's wish about showing thoughts, where there are any (D.8)."""
    if intent.mode in ("none", "unset") or intent.summary != UNSET.summary:
        return intent
    return attrs.evolve(intent, summary=body.summary)
