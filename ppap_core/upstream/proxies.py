"""Which proxy a call goes through (auth spec, section 7).

    (empty)                   the next in line: the call's own value, the global one, the environment
    direct, none              no proxy, also none from the environment
    http://, https://         an HTTP proxy (CONNECT for https targets); user:password@ is sent to it
    socks5://, socks5h://     a SOCKS5 proxy, which resolves the host's name in both forms

Any other value fails the call. What is shown of a proxy is what `redacted_proxy` leaves.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies_environment

from ..errors import ConnectFailed
from .address import Origin

PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_NO_PROXY: Final = frozenset({"direct", "none"})


class ProxyChoice:
    """The rules for one state of config and environment. ``proxy_url`` is the global value."""

    def __init__(self, proxy_url: str, environment: Mapping[str, str] | None = None) -> None:
        """``environment``: scheme, ``all`` or ``no`` → value; ``None``: the process's variables."""
        self._global = proxy_url.strip()
        self._environment = getproxies_environment() if environment is None else environment
        self._exceptions = _exceptions(self._environment.get("no", ""))
        self._never = not self._global and not (self._environment.keys() - {"no"})

    def proxy_for(self, origin: Origin, proxy_url: str) -> str:
        """The proxy's URL, or empty for none. Raises `ConnectFailed` for a value that is not one.

        ``proxy_url`` is the call's own value. A bad one fails the call: going without the proxy
        that was meant would show the operator's own address to the upstream.
        """
        if self._never and not proxy_url:
            return ""
        chosen = proxy_url.strip() or self._global
        if not chosen:
            return self._from_environment(origin)
        if chosen.lower() in _NO_PROXY:
            return ""
        return _valid(chosen, "proxy-url")

    def _from_environment(self, origin: Origin) -> str:
        value = self._environment.get(origin.scheme) or self._environment.get("all") or ""
        if not value or any(_covers(exception, origin) for exception in self._exceptions):
            return ""
        return _valid(value if "://" in value else f"http://{value}", "the proxy in the environment")


def redacted_proxy(proxy_url: str) -> str:
    """A proxy for logs: without user, password, path and query."""
    parts = _split(proxy_url)
    if parts is None:
        return "<invalid proxy URL>"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{'redacted@' if '@' in parts.netloc else ''}{host}{port}"


def _valid(proxy_url: str, setting: str) -> str:
    if _split(proxy_url) is None:
        schemes = ", ".join(f"{scheme}://" for scheme in PROXY_SCHEMES)
        raise ConnectFailed(
            f"{setting} is not a proxy's URL: it must be `direct`, `none`, or begin with one of {schemes}"
            " and name a host"
        )
    return proxy_url


def _split(proxy_url: str) -> SplitResult | None:
    try:
        parts = urlsplit(proxy_url.strip())
        usable = parts.scheme in PROXY_SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _exceptions(no_proxy: str) -> tuple[str, ...]:
    return tuple(entry for part in no_proxy.split(",") if (entry := part.strip().lower()))


def _covers(exception: str, origin: Origin) -> bool:
    """``*``, a name and all below it, an address, or a network; a name also with ``:port``."""
    host = origin.host.lower()
    if exception == "*":
        return True
    try:
        network = ipaddress.ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        name, _, port = exception.partition(":")
        name = name.removeprefix("*").removeprefix(".")
        return port in ("", str(origin.port)) and (host == name or host.endswith(f".{name}"))
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
