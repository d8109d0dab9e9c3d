"""Rules, made ready once per reload and applied to each request that they are for.

The order is fixed: defaults, overrides, removals. A default looks at the request before anything
was edited, so that what another feature took away does not come back by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs
import msgspec

from ..config import Config
from ..exchange.shaping import OutgoingRequest, RequestShaper
from ..hookspecs import hookimpl
from ..models.patterns import matcher
from .path import Step, placed, removed, stands, steps_of
from .settings import FilterRule, Payload, RawRule, Rule, as_json

SECTION = "payload"


class Draft:
    """A request's top-level members as edited so far; only those that a path touches are looked into."""

    def __init__(self, request: OutgoingRequest) -> None:
        self._request = request
        self.changes: dict[str, bytes | None] = {}

    def default(self, steps: Sequence[Step], text: bytes) -> None:
        key, rest = steps[0].key, steps[1:]
        if not stands(self._request.original.raw(key), rest) and not stands(self._member(key), rest):
            self.override(steps, text)

    def override(self, steps: Sequence[Step], text: bytes) -> None:
        key = steps[0].key
        self.changes[key] = placed(self._member(key), steps[1:], text)

    def remove(self, steps: Sequence[Step], text: bytes) -> None:
        key = steps[0].key
        if stands(self._member(key), steps[1:]):
            self.changes[key] = removed(self._member(key), steps[1:])

    def _member(self, key: str) -> bytes | None:
        return self.changes[key] if key in self.changes else self._request.body.raw(key)


Edit: TypeAlias = Callable[[Draft, Sequence[Step], bytes], None]


@attrs.frozen
class _ReadyRule:
    """A rule that can be applied."""

    models: Sequence[tuple[Callable[[str], bool], str]]
    """Whether a name fits, and the protocol, empty for any."""
    edit: Edit
    values: Sequence[tuple[Sequence[Step], bytes]]

    def is_for(self, request: OutgoingRequest) -> bool:
        return any(
            protocol in ("", request.protocol) and any(map(fits, request.models))
            for fits, protocol in self.models
        )


def shaper_of(payload: Payload) -> RequestShaper | None:
    """What applies these rules; ``None`` if there are none."""
    rules = [
        *_ready(Draft.default, payload.default, msgspec.json.encode),
        *_ready(Draft.default, payload.default_raw, as_json),
        *_ready(Draft.override, payload.override, msgspec.json.encode),
        *_ready(Draft.override, payload.override_raw, as_json),
        *_ready(Draft.remove, payload.filter, msgspec.json.encode),
    ]

    def shape(request: OutgoingRequest) -> Mapping[str, bytes | None]:
        draft = Draft(request)
        for rule in rules:
            if rule.is_for(request):
                for steps, text in rule.values:
                    rule.edit(draft, steps, text)
        return draft.changes

    return shape if rules else None


def _ready(
    edit: Edit, rules: Sequence[Rule | RawRule | FilterRule], text_of: Callable[[Any], bytes]
) -> list[_ReadyRule]:
    return [
        _ReadyRule(
            [(matcher([model.name]), model.protocol) for model in rule.models],
            edit,
            [(steps_of(path), text_of(value)) for path, value in _pairs(rule)],
        )
        for rule in rules
    ]


def _pairs(rule: Rule | RawRule | FilterRule) -> Sequence[tuple[str, Any]]:
    if isinstance(rule, FilterRule):
        return [(path, None) for path in rule.params]
    return list(rule.params.items())


class PayloadRules:
    """The rules as a plugin that ships with the core."""

    @hookimpl
    def ppap_config_sections(self) -> Mapping[str, Any]:
        return {SECTION: Payload}

    @hookimpl(trylast=True)
    def ppap_request_shapers(self, config: Config) -> Sequence[RequestShaper]:
        shaper = shaper_of(config[SECTION])
        return [shaper] if shaper is not None else []
