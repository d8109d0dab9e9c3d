"""PPAP: a self-hosted proxy for LLM APIs, built as a plugin framework.

What a plugin needs is in `ppap_core.hookspecs`, `ppap_core.conversation`, `ppap_core.wire`,
`ppap_core.exchange`, `ppap_core.config`, `ppap_core.credentials`, `ppap_core.models` and
`ppap_core.upstream`; what its tests need, in `ppap_core.testing`. To embed a proxy, see
`ppap_core.proxy.Proxy`.
"""

from importlib.metadata import PackageNotFoundError, version

from .hookspecs import hookimpl

try:
    __version__ = version("ppap-core")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0.0.0"

__all__ = ["__version__", "hookimpl"]
