"""Payload rules: what the operator sets, forces and removes in requests (config spec, 2.10)."""

from .rules import PayloadRules

__all__ = ["PayloadRules"]
