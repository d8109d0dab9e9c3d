"""The public conformance suites, over this plugin's own traffic."""

from __future__ import annotations

import pytest
from ppap_gemini import CODE_ASSIST, GEMINI
from ppap_gemini.testing import CODE_ASSIST_TRAFFIC, TRAFFIC

from ppap_core.testing import Check
from ppap_core.testing.codec import codec_checks


@pytest.mark.parametrize("check", codec_checks(GEMINI, TRAFFIC), ids=str)
def test_gemini_keeps_the_contract_of_a_codec(check: Check[None]) -> None:
    """Gemini keeps every promise of ClientWire, UpstreamWire and RelayWire."""
    check()


@pytest.mark.parametrize("check", codec_checks(CODE_ASSIST, CODE_ASSIST_TRAFFIC), ids=str)
def test_code_assist_keeps_the_contract_of_a_codec(check: Check[None]) -> None:
    """So does its envelope."""
    check()
