"""How upstreams are called: the ``upstream`` section of config.yaml, and the global proxy."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs.validators import ge, in_

from .reply import Deadlines

TRANSPORTS = ("own", "httpx")


@attrs.frozen(kw_only=True)
class UpstreamSettings:
    """Times in seconds."""

    transport: Literal["own", "httpx"] = attrs.field(default="own", validator=in_(TRANSPORTS))
    """``own``: this package's HTTP/1.1; ``httpx``: that library's own transport, several times slower."""

    connect_timeout: float | None = 15.0
    """The three are for calls that bring no deadlines of their own; see `Deadlines`."""
    first_byte_timeout: float | None = 600.0
    between_bytes_timeout: float | None = 300.0

    max_connections_per_host: int = attrs.field(default=1000, validator=ge(0))
    """Further calls wait in line, up to the connect deadline. 0: no limit."""

    max_idle_connections: int = attrs.field(default=512, validator=ge(0))
    """Kept open without a request, over all hosts."""

    idle_seconds: float = attrs.field(default=60.0, validator=ge(0))
    """How long a connection is kept open without a request. 0: until the upstream closes it."""

    ca_file: str = ""
    """PEM file of certificate authorities trusted in addition to the system's."""

    proxy_url: str = attrs.field(default="", repr=False)
    """For calls that bring none of their own; see `ppap_core.upstream.proxies`."""

    deadlines: Deadlines = attrs.field(init=False, repr=False, eq=False)

    @deadlines.default
    def _deadlines(self) -> Deadlines:
        return Deadlines(
            connect=self.connect_timeout,
            first_byte=self.first_byte_timeout,
            between=self.between_bytes_timeout,
        )
