"""What the core itself contributes, through the same contract as everybody."""

from __future__ import annotations

from collections.abc import Mapping

from .credentials import STRATEGIES, Strategy
from .hookspecs import hookimpl
from .payload import PayloadRules
from .plugins import PluginHost


class _Strategies:
    @hookimpl
    def ppap_strategies(self) -> Mapping[str, Strategy]:
        return STRATEGIES


def register_built_in(plugins: PluginHost) -> None:
    """Registers what needs no running proxy; config.yaml is not complete without it."""
    plugins.register(_Strategies(), "built-in")
    plugins.register(PayloadRules(), "payload-rules")
