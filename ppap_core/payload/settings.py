"""The section ``payload`` of config.yaml."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec

from ..config import LeftOut, normalise, setting
from .path import steps_of

_MODELS: Final = "For which requests the rule is; one entry that fits is enough."
_PATHS: Final = (
    "Path in the request → value. Steps are parted by dots; digits are an index into a list, `-1` its end; "
    "a backslash takes the next character as it is."
)


def _with_paths(params: Any) -> Any:
    """Raises `LeftOut` for a rule that says nothing, or has a path that is none."""
    if not params:
        raise LeftOut("nothing is set here")
    for path in params:
        try:
            steps_of(path)
        except ValueError as error:
            raise LeftOut(f"the path {error}") from None
    return params


def _with_json(params: Any) -> Any:
    """The same, with texts that are JSON."""
    for path, text in _with_paths(params).items():
        try:
            msgspec.json.decode(as_json(text))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise LeftOut(f"{path}: the value is not valid JSON: {error}") from None
    return params


def as_json(value: Any) -> bytes:
    """A raw value: a text is JSON already, anything else is what YAML made of it."""
    return value.strip().encode() if isinstance(value, str) else msgspec.json.encode(value)


@attrs.frozen(kw_only=True)
class RuleModel:
    """Which requests a rule is for."""

    name: str = setting(
        "Model name, the client's or the upstream's own, with or without a thinking suffix; `*` stands for "
        "any characters.",
        default="",
        normalise=normalise.trimmed,
    )
    protocol: str = setting(
        "Only requests that go upstream in this format, by the word its plugin has for it; empty: all.",
        default="",
        normalise=lambda text: text.strip().lower(),
    )


@attrs.frozen(kw_only=True)
class Rule:
    """Values for some requests."""

    models: tuple[RuleModel, ...] = setting(_MODELS, default=())
    params: dict[str, Any] = setting(_PATHS, factory=dict, normalise=_with_paths)


@attrs.frozen(kw_only=True)
class RawRule:
    """JSON for some requests. A rule with a text that is not JSON is left out with a warning."""

    models: tuple[RuleModel, ...] = setting(_MODELS, default=())
    params: dict[str, Any] = setting(f"{_PATHS} A text is JSON.", factory=dict, normalise=_with_json)


@attrs.frozen(kw_only=True)
class FilterRule:
    """What to remove from some requests."""

    models: tuple[RuleModel, ...] = setting(_MODELS, default=())
    params: tuple[str, ...] = setting("Paths to remove.", default=(), normalise=_with_paths)


@attrs.frozen(kw_only=True)
class Payload:
    """Edits of every request on its way upstream, in its upstream's format, in the order of these keys."""

    default: tuple[Rule, ...] = setting(
        "Set where the request has nothing at that path; the first rule wins.", default=()
    )
    default_raw: tuple[RawRule, ...] = setting("The same with JSON as text.", default=())
    override: tuple[Rule, ...] = setting("Set whatever is there; the last rule wins.", default=())
    override_raw: tuple[RawRule, ...] = setting("The same with JSON as text.", default=())
    filter: tuple[FilterRule, ...] = setting("Removed.", default=())
