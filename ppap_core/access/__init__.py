"""Who may use the proxy, and for what."""

from .controls import KeyControls
from .keys import ConfiguredKeys, Identity, KeyRing, is_loopback, presented_keys, principal_of

__all__ = [
    "ConfiguredKeys",
    "Identity",
    "KeyControls",
    "KeyRing",
    "is_loopback",
    "presented_keys",
    "principal_of",
]
