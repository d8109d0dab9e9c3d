"""What is done to values as they are read: shared by the core's settings and those of plugins.

Each function takes what the type of the field promises, and gives the same result when run twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from .setting import InvalidSetting

NO_PROXY: Final = frozenset({"direct", "none"})
PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")

Number = TypeVar("Number", int, float)


def trimmed(text: str) -> str:
    return text.strip()


def word(text: str) -> str:
    """Trimmed, in lower case."""
    return text.strip().lower()


def model_name(text: str) -> str:
    """Trimmed, and without the ``models/`` that some makers put before their models' names."""
    return text.strip().removeprefix("models/")


def not_negative(number: Number) -> Number:
    """Anything below zero is zero."""
    return max(number, type(number)(0))


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """Trimmed; blank and repeated ones dropped; order kept."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def patterns(texts: Iterable[str]) -> tuple[str, ...]:
    """Model name patterns with ``*``: as `distinct`, in lower case."""
    return distinct(text.lower() for text in texts)


def prefix(text: str) -> str:
    """One path segment, blanks and slashes around it removed; empty if a slash is left inside."""
    segment = re.sub(r"^[\s/]+|[\s/]+$", "", text)
    return "" if "/" in segment else segment


def headers(by_name: Mapping[str, str]) -> dict[str, str]:
    """Trimmed, the names in lower case; without those whose name or value is blank."""
    return {
        name.strip().lower(): value.strip()
        for name, value in by_name.items()
        if name.strip() and value.strip()
    }


def proxy_url(text: str) -> str:
    """A proxy's URL, ``direct`` or ``none`` for no proxy at all, or empty to inherit.

    Raises `InvalidSetting` for any other. It is not quietly left out: requests would then take a
    road that the operator wanted to avoid.
    """
    url = text.strip()
    if not url or url.lower() in NO_PROXY:
        return url.lower()
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if usable:
        return url
    schemes = ", ".join(f"{scheme}://" for scheme in PROXY_SCHEMES)
    raise InvalidSetting(f"a proxy URL needs one of {schemes} and a host; for no proxy write direct")
