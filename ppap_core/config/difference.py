"""What two readings of config.yaml differ in, by key and never by value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from .declaration import declared_fields
from .load import Config
from .schema import CoreConfig


def changed_keys(old: Config, new: Config) -> list[str]:
    """Top-level keys with another value, e.g. ``api-keys (2 entries)``."""
    return [_counted(key, after) for key, before, after in _top_level(old, new) if before != after]


def restart_keys(old: Config, new: Config) -> list[str]:
    """Paths of the settings with another value that is in force only after a restart."""
    paths = list(_restart_keys(old.core, new.core, ""))
    for key, section in new.sections.items():
        before = old.sections.get(key)
        if type(before) is type(section) and attrs.has(type(section)):
            paths += _restart_keys(before, section, f"{key}.")
    return paths


def _top_level(old: Config, new: Config) -> Iterator[tuple[str, Any, Any]]:
    for field in declared_fields(CoreConfig):
        yield field.key, getattr(old.core, field.attribute.name), getattr(new.core, field.attribute.name)
    for key, section in new.sections.items():
        yield key, old.sections.get(key), section


def _restart_keys(old: Any, new: Any, prefix: str) -> Iterator[str]:
    """Blocks are looked into; the items of lists are not, as they have no lasting names."""
    cls: type = type(new)
    for field in declared_fields(cls):
        before, after = getattr(old, field.attribute.name), getattr(new, field.attribute.name)
        if before == after:
            continue
        if attrs.has(type(after)) and type(before) is type(after):
            yield from _restart_keys(before, after, f"{prefix}{field.key}.")
        elif field.setting.reload == "restart":
            yield f"{prefix}{field.key}"


def _counted(key: str, value: Any) -> str:
    if not isinstance(value, list | tuple):
        return key
    return f"{key} ({len(value)} {'entry' if len(value) == 1 else 'entries'})"
