"""Settings about models, whichever provider serves them (config spec, 2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..conversation import ThinkingSupport
from . import normalise
from .setting import InvalidSetting, setting


@attrs.frozen(kw_only=True)
class ThinkingRange:
    """What a model can think. Budgets in tokens."""

    min: int = setting("Smallest thinking budget in tokens; 0: none declared.", default=0)
    max: int = setting("Largest thinking budget in tokens; 0: none declared.", default=0)
    zero_allowed: bool = setting("Whether thinking can be switched off.", default=False)
    dynamic_allowed: bool = setting("Whether the model can choose its own amount.", default=False)
    levels: tuple[str, ...] = setting("Levels it knows, e.g. `[low, medium, high]`.", default=())

    @property
    def support(self) -> ThinkingSupport:
        return ThinkingSupport(**attrs.asdict(self))


def _named(instance: object, attribute: object, value: str) -> None:
    if not value:
        raise InvalidSetting("a model needs an id")


def _positive(instance: object, attribute: object, value: int | None) -> None:
    if value is not None and value < 1:
        raise InvalidSetting(f"expected a number of tokens from 1 on, found {value}")


@attrs.frozen(kw_only=True)
class KnownModel:
    """What is known of one model. It goes before what the built-in catalogues say; keys that are
    absent change nothing.
    """

    id: str = setting("What the upstream calls the model.", normalise=normalise.model_name, validator=_named)
    provider: str = setting(
        "Only for accounts of this provider, or of the entry with this `name`. Those that list no `models` "
        "of their own then serve the model, too, if they did not yet. Empty: whoever serves it.",
        default="",
        normalise=normalise.word,
    )
    display_name: str | None = setting("Its name for people.", default=None)
    context: int | None = setting("Tokens that it takes in.", default=None, validator=_positive)
    max_output: int | None = setting("Tokens that it gives out at most.", default=None, validator=_positive)
    thinking: ThinkingRange | None = setting(
        "What it can think, all of it; `{}`: it does not think.", default=None
    )
    image_only: bool | None = setting("Whether it makes images and nothing else.", default=None)


@attrs.frozen(kw_only=True)
class ModelAlias:
    """Another name for a model of the accounts of one channel. Entries that lack a name are left out."""

    name: str = setting(
        "What the model is called otherwise; `m(high)` or `m-high`: `m`, always thinking that much.",
        default="",
        normalise=normalise.model_name,
    )
    alias: str = setting("What clients call it.", default="", normalise=normalise.trimmed)
    fork: bool = setting("Whether the other name remains, too.", default=False)


def aliases_by_channel(told: Mapping[str, Sequence[ModelAlias]]) -> dict[str, tuple[ModelAlias, ...]]:
    """Channels in lower case; without what names nothing new; the first of each alias of a channel."""
    kept: dict[str, dict[str, ModelAlias]] = {}
    for channel, aliases in told.items():
        first = kept.setdefault(normalise.word(channel), {})
        for each in aliases:
            if each.name and each.alias and each.name.casefold() != each.alias.casefold():
                first.setdefault(each.alias.casefold(), each)
    return _not_empty(kept, lambda first: tuple(first.values()))


def patterns_by_provider(told: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Providers in lower case; without those that exclude nothing."""
    kept: dict[str, list[str]] = {}
    for provider, patterns in told.items():
        kept.setdefault(normalise.word(provider), []).extend(patterns)
    return _not_empty(kept, normalise.patterns)


def _not_empty(by_key: Mapping[str, Any], kept: Any) -> dict[str, Any]:
    values = {key: kept(value) for key, value in by_key.items() if key}
    return {key: value for key, value in values.items() if value}
