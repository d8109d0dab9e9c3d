"""The kit for plugin authors: a stub upstream, a running proxy, and conformance suites.

What stands here needs nothing else. The suites need ``hypothesis``, which comes with
``pip install 'ppap-core[testing]'``; they and the proxy are imported from their own modules:

    ppap_core.testing.running         a whole proxy in the test's own loop
    ppap_core.testing.codec           a wire format
    ppap_core.testing.provider        a provider that speaks a wire format
    ppap_core.testing.event_provider  a provider that yields events
    ppap_core.testing.selection       a strategy that chooses among credentials
    ppap_core.testing.fixtures        cases as data, in JSON files
    ppap_core.testing.strategies      hypothesis strategies for the canonical model
"""

from .answer import Answer, Ending, Frame, Framing, Opening, streamed, whole
from .contract import Check, ContractBroken, Spoken, check_events, spoken
from .faults import (
    HEAD_FAULTS,
    STREAM_FAULTS,
    Fault,
    cut_after,
    empty_stream,
    ends_after,
    garbage_after,
    in_band_error,
    malformed_chunk_after,
    refusal,
    reset_after,
    stall_after,
)
from .stub import ReceivedRequest, StubUpstream
from .traffic import Traffic

__all__ = [
    "HEAD_FAULTS",
    "STREAM_FAULTS",
    "Answer",
    "Check",
    "ContractBroken",
    "Ending",
    "Fault",
    "Frame",
    "Framing",
    "Opening",
    "ReceivedRequest",
    "Spoken",
    "StubUpstream",
    "Traffic",
    "check_events",
    "cut_after",
    "empty_stream",
    "ends_after",
    "garbage_after",
    "in_band_error",
    "malformed_chunk_after",
    "refusal",
    "reset_after",
    "spoken",
    "stall_after",
    "streamed",
    "whole",
]
