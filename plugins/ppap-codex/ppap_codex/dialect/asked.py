"""A conversation of another format, with what this upstream is asked for besides (B.3.1, C.19)."""

from __future__ import annotations

import uuid
from typing import Final

import attrs

from ppap_core.conversation import Conversation, Identity, Message, Text, ThinkingIntent
from ppap_core.conversation.resolution import resolved
from ppap_core.conversation.thinking import intent_of
from ppap_core.wire import Target

from .request import TIERS

DEFAULT_LEVEL: Final = "medium"
"""How much is thought where the client says nothing (translation spec, D.7)."""
_CACHE_KEYS: Final = "ppap:codex:prompt-cache"


def asked_of_codex(conversation: Conversation, target: Target) -> Conversation:
    """Other formats neither name an effort by default nor a cache key; here both are worth having."""
    tier = conversation.service_tier
    return attrs.evolve(
        conversation,
        thinking=_thinking(conversation.thinking, target),
        identity=_identity(conversation, target),
        service_tier=TIERS.get(tier.strip().lower()) if tier else None,
    )


def _thinking(asked: ThinkingIntent, target: Target) -> ThinkingIntent:
    if target.thinking is not None and not target.thinking.thinks:
        return asked
    if asked.mode == "unset":
        level = intent_of(DEFAULT_LEVEL, asked.summary)
        asked = resolved(level, target.thinking, from_name=False, same_family=False)
    shown = asked.mode != "none" and asked.summary == "unset"
    return attrs.evolve(asked, summary="auto") if shown else asked


def _identity(conversation: Conversation, target: Target) -> Identity:
    """One key for each conversation, so that all its requests find what the first one left warm.

    Who the client says its user is tells conversations apart; else it is how they begin.
    """
    identity = conversation.identity
    if identity.prompt_cache_key:
        return identity
    opening = str(identity.metadata.get("user_id") or identity.user or _opening(conversation))
    if not opening:
        return identity
    key = uuid.uuid5(uuid.NAMESPACE_OID, f"{_CACHE_KEYS}:{target.model}:{opening}")
    return attrs.evolve(identity, prompt_cache_key=str(key))


def _opening(conversation: Conversation) -> str:
    """All text up to the first of the user's."""
    texts: list[str] = []
    for item in conversation.items:
        if isinstance(item, Message):
            texts += (part.text for part in item.parts if isinstance(part, Text))
            if item.role == "user" and texts:
                return "\n".join(texts)
    return ""
