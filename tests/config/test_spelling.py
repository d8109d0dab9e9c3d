"""Which key was meant."""

from __future__ import annotations

import pytest

from ppap_core.config.spelling import nearest

KNOWN = ["api-keys", "port", "host", "tls", "claude-api-key", "request-retry", "max-retry-interval"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("api-kyes", "api-keys"),
        ("api-key", "api-keys"),
        ("API_KEYS", "api-keys"),
        ("apikeys", "api-keys"),
        ("prot", "port"),
        ("pört", "port"),
        ("ports", "port"),
        ("tsl", "tls"),
        ("claud-api-key", "claude-api-key"),
        ("reqeust-retyr", "request-retry"),
        ("codex-api-key", None),
        ("vertex-api-key", None),
        ("request-log", None),
        ("part-of-it", None),
        ("most", "host"),
        ("x", None),
        ("", None),
    ],
)
def test_slips_of_the_pen_are_recognised(word: str, meant: str | None) -> None:
    """One or two letters wrong, but not another word that merely looks alike."""
    assert nearest(word, KNOWN) == meant


def test_nothing_known_means_nothing_meant() -> None:
    """An empty block has no keys to confuse."""
    assert nearest("port", []) is None
