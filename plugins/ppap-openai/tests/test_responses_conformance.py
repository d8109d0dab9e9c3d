"""The public conformance suite of a codec, over this plugin's own Responses traffic."""

from __future__ import annotations

import pytest
from ppap_openai.responses import RESPONSES
from ppap_openai.responses.testing import TRAFFIC

from ppap_core.testing.codec import codec_checks
from ppap_core.testing.contract import Check


@pytest.mark.parametrize("check", codec_checks(RESPONSES, TRAFFIC), ids=str)
def test_responses_keep_the_contract_of_a_codec(check: Check[None]) -> None:
    """Responses keep every promise of ClientWire, UpstreamWire and RelayWire."""
    check()
