"""Reading declarations: the fields of a settings class, their YAML keys, and names for their types."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Union, get_args, get_origin

import attrs

from .setting import Setting, setting_of

_SCALAR_NAMES: Final[Mapping[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "anything",
}
_LIST_TYPES: Final = (list, tuple, Sequence)
_MAP_TYPES: Final = (dict, Mapping)


@attrs.frozen(kw_only=True)
class Declared:
    """One field of a settings class, as config.yaml sees it."""

    key: str
    name: str
    type: Any
    setting: Setting
    attribute: attrs.Attribute[Any]

    @property
    def required(self) -> bool:
        return self.attribute.default is attrs.NOTHING

    @property
    def default(self) -> Any:
        """The value of an absent key; ``attrs.NOTHING`` if the key is required."""
        default = self.attribute.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class, declared as a function
            return default.factory()  # type: ignore[union-attr]
        return default


@attrs.frozen
class TopLevel:
    """A section without a block of its own: the fields of ``cls`` are top-level keys themselves.

    For single settings. The section's name is only what `Config` calls it.
    """

    cls: type


@functools.cache
def declared_fields(cls: type) -> tuple[Declared, ...]:
    """The fields in order: required ones, then what is the class's own, then what it inherits.

    Raises ``TypeError`` for a type that YAML cannot fill.
    """
    attrs.resolve_types(cls)
    fields = []
    for attribute in sorted(attrs.fields(cls), key=functools.partial(_place, cls)):
        if not attribute.init:
            continue
        try:
            type_name(attribute.type)
        except TypeError as error:
            raise TypeError(f"{cls.__qualname__}.{attribute.name}: {error}") from None
        fields.append(
            Declared(
                key=attribute.name.strip("_").replace("_", "-"),
                name=attribute.alias or attribute.name,
                type=attribute.type,
                setting=setting_of(attribute),
                attribute=attribute,
            )
        )
    return tuple(fields)


def _place(cls: type, attribute: attrs.Attribute[Any]) -> tuple[bool, int]:
    owner = next(each for each in cls.__mro__ if attribute.name in inspect.get_annotations(each))
    return attribute.default is not attrs.NOTHING, cls.__mro__.index(owner)


def keys_of(cls: type) -> list[str]:
    """All keys of a block, older spellings included."""
    return [key for field in declared_fields(cls) for key in (field.key, *field.setting.aliases)]


def check_section(declared: Any) -> None:
    """Raises ``TypeError`` unless it can be a top-level key of config.yaml.

    That is an attrs class whose fields all have defaults, as the key may be absent, `TopLevel` of one,
    or a list of any attrs class; with types that YAML can fill.
    """
    cls = section_class(declared)
    if not attrs.has(cls):
        raise TypeError(f"{declared!r} is neither an attrs class nor list[…] of one")
    required = [field.name for field in declared_fields(cls) if field.required]
    if required and not is_list(declared):
        raise TypeError(f"{cls.__qualname__} needs defaults for {', '.join(required)}")


def section_class(declared: Any) -> Any:
    """The class itself, or that of the items of a list."""
    if isinstance(declared, TopLevel):
        return declared.cls
    return item_type(declared) if is_list(declared) else declared


def section_keys(key: str, declared: Any) -> list[str]:
    """The top-level keys that a section takes."""
    return keys_of(declared.cls) if isinstance(declared, TopLevel) else [key]


def type_name(declared: Any) -> str:
    """For the operator, e.g. ``list of text``. Raises ``TypeError`` for what is not supported."""
    if declared in _SCALAR_NAMES:
        return _SCALAR_NAMES[declared]
    if is_literal(declared):
        return "one of " + ", ".join(f"`{choice}`" for choice in choices(declared))
    if is_optional(declared):
        return type_name(optional_type(declared))
    if is_list(declared):
        return f"list of {type_name(item_type(declared))}"
    if is_map(declared):
        return f"map of {type_name(item_type(declared))}"
    if isinstance(declared, type) and attrs.has(declared):
        declared_fields(declared)
        return "block"
    raise TypeError(f"{declared!r} cannot be read from YAML; see ppap_core.config.setting for what can")


def is_literal(declared: Any) -> bool:
    return get_origin(declared) is Literal and all(isinstance(choice, str) for choice in get_args(declared))


def choices(declared: Any) -> tuple[str, ...]:
    """Of a ``Literal``."""
    return get_args(declared)


def is_optional(declared: Any) -> bool:
    if get_origin(declared) not in (Union, types.UnionType):
        return False
    return len(get_args(declared)) == 2 and types.NoneType in get_args(declared)


def optional_type(declared: Any) -> Any:
    """``T`` of ``T | None``."""
    return next(member for member in get_args(declared) if member is not types.NoneType)


def is_list(declared: Any) -> bool:
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is tuple:
        return len(arguments) == 2 and arguments[1] is Ellipsis
    return origin in _LIST_TYPES


def is_map(declared: Any) -> bool:
    return get_origin(declared) in _MAP_TYPES and get_args(declared)[0] is str


def item_type(declared: Any) -> Any:
    """``T`` of ``list[T]``, ``tuple[T, ...]`` or ``dict[str, T]``."""
    return get_args(declared)[1 if is_map(declared) else 0]
