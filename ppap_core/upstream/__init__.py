"""HTTP to upstreams: the project's own transport on the data path, httpx's as a fallback."""

from .client import Upstream
from .proxies import redacted_proxy
from .reply import Deadlines, UpstreamReply
from .settings import UpstreamSettings

__all__ = ["Deadlines", "Upstream", "UpstreamReply", "UpstreamSettings", "redacted_proxy"]
