"""Declaring one setting of config.yaml: meaning, default, checks, all in the attrs field itself.

    @attrs.frozen(kw_only=True)
    class ParrotKey:
        '''One key of the Parrot API.'''

        api_key: str = setting("Sent upstream as `x-parrot-key`.", secret=True)
        first_byte_timeout: float = setting("Seconds until the answer's head.", default=60.0)

The YAML key is the field's name with dashes: ``first-byte-timeout``. What may stand as a type:
``str``, ``int``, ``float``, ``bool``, ``Literal`` of texts, another attrs class, ``list[…]`` or
``tuple[…, ...]``, ``dict[str, …]`` or ``Mapping[str, …]``, ``… | None``, and ``Any`` for free values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

Reload: TypeAlias = Literal["live", "restart"]
Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], Any]

_METADATA_KEY: Final = "ppap_core.config.setting"


class InvalidSetting(ValueError):
    """Raised by a validator or ``normalise`` whose message holds no part of the value.

    The message of any other ``ValueError`` is not shown when the setting is a secret.
    """


class LeftOut(InvalidSetting):
    """Raised by the same in an item of a list: the item is left out with a warning, the others stay."""


@attrs.frozen(kw_only=True)
class Setting:
    """What a field says about itself beyond name, type and default."""

    doc: str = ""
    secret: bool = False
    reload: Reload = "live"
    aliases: tuple[str, ...] = ()


def setting(
    doc: str,
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    secret: bool = False,
    validator: Validator | Sequence[Validator] | None = None,
    reload: Reload = "live",
    normalise: Callable[[Any], Any] | None = None,
    aliases: Sequence[str] = (),
) -> Any:
    """A keyword-only attrs field that is a setting.

    doc: what it means, with its unit; goes to docs/configuration.md as it is.
    default, factory: as in attrs; with neither, the key is required.
    secret: the value is kept out of reprs, messages and logs.
    validator: as in attrs; raises ``ValueError``. Called with ``None`` as the instance too.
    reload: whether a changed value is in force at once or after a restart.
    normalise: value → value, run before ``validator``; must give the same result when run twice.
    aliases: older spellings of the key, in YAML writing; the real key wins where both stand.
    """
    if not doc.strip():
        raise TypeError("a setting needs a doc: what it means, and in which unit")
    declared = Setting(doc=doc, secret=secret, reload=reload, aliases=tuple(aliases))
    return attrs.field(
        default=attrs.Factory(factory) if factory is not None else default,
        kw_only=True,
        repr=not secret,
        validator=validator,
        converter=normalise,
        metadata={_METADATA_KEY: declared},
    )


def setting_of(field: attrs.Attribute[Any]) -> Setting:
    """What the field was declared with; an empty one for a plain attrs field."""
    declared = field.metadata.get(_METADATA_KEY)
    return declared if isinstance(declared, Setting) else Setting()
