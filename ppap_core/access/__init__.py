"""Who may use the proxy."""

from .keys import ConfiguredKeys, Identity, KeyRing, is_loopback, presented_keys

__all__ = ["ConfiguredKeys", "Identity", "KeyRing", "is_loopback", "presented_keys"]
