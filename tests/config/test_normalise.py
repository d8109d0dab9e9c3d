"""What is done to values as they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppap_core.config import InvalidSetting, normalise


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (normalise.trimmed, " a ", "a"),
        (normalise.not_negative, -3, 0),
        (normalise.not_negative, -3.5, 0.0),
        (normalise.not_negative, 3, 3),
        (normalise.distinct, ["b ", "a", "", "b"], ("b", "a")),
        (normalise.patterns, ["GPT-* ", "gpt-*", ""], ("gpt-*",)),
        (normalise.prefix, "/p/", "p"),
        (normalise.prefix, " p ", "p"),
        (normalise.prefix, " / p / ", "p"),
        (normalise.prefix, "a/b", ""),
        (normalise.headers, {" X ": " y ", "": "a", "b": " "}, {"x": "y"}),
        (normalise.proxy_url, "", ""),
        (normalise.proxy_url, "NONE", "none"),
        (normalise.proxy_url, "direct", "direct"),
        (normalise.proxy_url, " HTTP://h ", "HTTP://h"),
        (normalise.proxy_url, "https://u:p@[::1]:1", "https://u:p@[::1]:1"),
        (normalise.proxy_url, "socks5://h:1080", "socks5://h:1080"),
    ],
)
def test_normalised(function: Callable[[Any], Any], value: Any, expected: Any) -> None:
    """As config spec, 2.7, says of what providers have in common; twice is the same as once."""
    assert function(value) == expected
    assert function(expected) == expected


@pytest.mark.parametrize(
    "url", ["ftp://h", "h:8080", "http://", "http://h:0", "http://h:99999", "socks4://h", "http://["]
)
def test_unusable_proxies_are_refused(url: str) -> None:
    """Instead of being ignored, which would send requests another way than the operator wants."""
    with pytest.raises(InvalidSetting):
        normalise.proxy_url(url)


@settings(max_examples=100)
@given(st.text(max_size=20))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    """For any text, as each value is normalised where it is checked and again where it is stored."""
    for function in (normalise.trimmed, normalise.prefix):
        assert function(function(text)) == function(text)
    for function in (normalise.distinct, normalise.patterns):
        assert function(function([text, text + "x"])) == function([text, text + "x"])
