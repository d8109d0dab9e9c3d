"""Which models a client key may use: ``api-key-controls`` of config.yaml (client API spec, 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from ..config import KeyControl
from ..hookspecs import hookimpl
from ..models import ListedModel, matcher
from .keys import ControlledKey, Identity, controls_by_principal

if TYPE_CHECKING:
    from ..config import Config
    from ..exchange.exchange import Exchange
    from ..proxy import Proxy


@attrs.frozen
class Rule:
    """What the owner of one key may do."""

    wanted: Callable[[str], bool]
    unwanted: Callable[[str], bool]

    @classmethod
    def of(cls, control: KeyControl) -> Rule:
        wanted = matcher(control.models) if control.models else _any
        return cls(wanted, matcher(control.excluded_models))

    def allows(self, names: Sequence[str]) -> bool:
        """Whether a model may be used that goes by all these names."""
        return any(map(self.wanted, names)) and not any(map(self.unwanted, names))


def _any(name: str) -> bool:
    return True


class KeyControls:
    """The built-in plugin that enforces the rules. Keys are known by their principals only."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._config: Config | None = None
        self._rules: Mapping[str, Rule] = {}

    @hookimpl
    def ppap_admit(self, exchange: Exchange) -> None:
        rule = self._rule(exchange.identity)
        if rule is not None and not rule.allows(exchange.model_names):
            raise ControlledKey("Model is not allowed for this API key", code="model_not_allowed")

    @hookimpl
    def ppap_model_filter(self, identity: Identity) -> Callable[[ListedModel], bool] | None:
        rule = self._rule(identity)
        return None if rule is None else lambda model: rule.allows(model.names())

    def _rule(self, identity: Identity) -> Rule | None:
        config = self._proxy.config
        if config is not self._config:
            controls = controls_by_principal(config.core.api_key_controls)
            self._rules = {principal: Rule.of(control) for principal, control in controls.items()}
            self._config = config
        return self._rules.get(identity.principal)
