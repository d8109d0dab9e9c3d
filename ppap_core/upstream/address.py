"""Where a URL leads: parsed once, then looked up."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import attrs
import httpx

from ..errors import ConnectFailed

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What connections are shared by. ``host`` is in ASCII (IDNA), an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """How errors name it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@attrs.frozen
class Target:
    """``host`` is the Host header's value, ``path`` the request target with its query."""

    origin: Origin
    host: str
    path: str = attrs.field(repr=False)


@lru_cache(maxsize=1024)
def target_of(url: str) -> Target:
    """Raises `ConnectFailed`, without showing the URL: its query may hold a key."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise ConnectFailed("an upstream URL is malformed; it must look like https://host/path") from None
    return target_of_parsed(parsed)


def target_of_parsed(url: httpx.URL) -> Target:
    """The same for a URL that httpx has parsed."""
    if url.scheme not in DEFAULT_PORTS or not url.host:
        raise ConnectFailed("an upstream URL must begin with http:// or https:// and name a host")
    if url.userinfo:
        raise ConnectFailed(f"the upstream URL of {url.host} must not hold user:password@")
    origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or DEFAULT_PORTS[url.scheme])
    return Target(origin, url.netloc.decode("ascii"), url.raw_path.decode("ascii"))
