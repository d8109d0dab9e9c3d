"""The public conformance suites, over this plugin's own traffic."""

from __future__ import annotations

import pytest
from ppap_claude import MESSAGES
from ppap_claude.testing import TRAFFIC

from ppap_core.testing import Check
from ppap_core.testing.codec import codec_checks


@pytest.mark.parametrize("check", codec_checks(MESSAGES, TRAFFIC), ids=str)
def test_messages_keep_the_contract_of_a_codec(check: Check[None]) -> None:
    """Anthropic Messages keeps every promise of ClientWire, UpstreamWire and RelayWire."""
    check()
