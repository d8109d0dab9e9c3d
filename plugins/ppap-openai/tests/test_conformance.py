"""The public conformance suites, over this plugin's own traffic."""

from __future__ import annotations

import pytest
from ppap_openai import CHAT, COMPLETIONS
from ppap_openai.testing import COMPLETIONS_TRAFFIC, TRAFFIC

from ppap_core.testing.codec import codec_checks
from ppap_core.testing.contract import Check


@pytest.mark.parametrize("check", codec_checks(CHAT, TRAFFIC), ids=str)
def test_chat_keeps_the_contract_of_a_codec(check: Check[None]) -> None:
    """Chat Completions keeps every promise of ClientWire, UpstreamWire and RelayWire."""
    check()


@pytest.mark.parametrize("check", codec_checks(COMPLETIONS, COMPLETIONS_TRAFFIC), ids=str)
def test_completions_keep_the_contract_of_a_codec(check: Check[None]) -> None:
    """Legacy completions keep every promise of ClientWire."""
    check()
