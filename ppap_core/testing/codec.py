"""The conformance suite of a wire format.

    @pytest.mark.parametrize("check", codec_checks(PARROT_LINES, TRAFFIC), ids=str)
    def test_the_codec_keeps_the_contract(check):
        check()

Every check raises `ContractBroken`, whose message says which rule is broken and how. It needs
`hypothesis` and no test framework.
"""

from __future__ import annotations

from ..wire import ClientWire, RelayWire, UpstreamWire, WireFormat
from .client_rules import client_checks
from .contract import Check
from .format_rules import format_checks
from .relay_rules import relay_checks
from .traffic import Traffic
from .upstream_rules import upstream_checks


def codec_checks(wire: ClientWire | UpstreamWire, traffic: Traffic) -> list[Check[None]]:
    """All checks that apply to what the codec offers, by the protocols it implements.

    Raises `TypeError` for an object that is neither a `ClientWire` nor an `UpstreamWire`.
    """
    checks: list[Check[None]] = []
    if isinstance(wire, ClientWire):
        checks += client_checks(wire, traffic)
    if isinstance(wire, UpstreamWire):
        checks += upstream_checks(wire, traffic)
    if isinstance(wire, RelayWire):
        checks += relay_checks(wire, traffic)
    if isinstance(wire, WireFormat):
        checks += format_checks(wire)
    if not checks:
        raise TypeError(f"{type(wire).__name__} has the methods of neither ClientWire nor UpstreamWire")
    return checks
