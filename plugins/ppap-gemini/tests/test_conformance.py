"""The public conformance suites, over this plugin's own traffic."""

from __future__ import annotations

import pytest
from ppap_gemini import GEMINI
from ppap_gemini.testing import TRAFFIC

from ppap_core.testing import Check
from ppap_core.testing.codec import codec_checks


@pytest.mark.parametrize("check", codec_checks(GEMINI, TRAFFIC), ids=str)
def test_gemini_keeps_the_contract_of_a_codec(check: Check[None]) -> None:
    """Gemini keeps every promise of ClientWire, UpstreamWire and RelayWire."""
    check()
