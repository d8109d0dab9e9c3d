"""What an upstream says in a reply or a chunk, as typed structs.

Decoding is strict first, because that costs half a microsecond; what does not fit is decoded
again, leniently: a field of the wrong type is mended where its meaning is plain, else taken as
absent, so that one vendor's odd field never costs a user the answer (translation spec, B.1.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from ppap_core.conversation import ItemKind

from .usage import TokenDetails, WireUsage

Loose: TypeAlias = str | list[Any] | dict[str, Any] | None
"""Text that some upstreams send as a list of parts, or as an object with ``text``."""


class WireFunction(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class WireCustom(msgspec.Struct, gc=False):
    name: str | None = None
    input: str | None = None


class WireCall(msgspec.Struct, gc=False):
    """A tool call, or a piece of one. ``index`` says which in streams only."""

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: WireFunction | None = None
    custom: WireCustom | None = None
    extra_content: Any = None


class Said(msgspec.Struct, gc=False):
    """``message`` of a reply, ``delta`` of a chunk."""

    content: Loose = None
    reasoning_content: Loose = None
    reasoning: Loose = None
    reasoning_details: Loose = None
    refusal: str | None = None
    tool_calls: list[WireCall] | None = None
    function_call: WireFunction | None = None
    annotations: list[Any] | None = None
    images: list[Any] | None = None

    def thought(self) -> str:
        """The reasoning text in whichever spelling; one that repeats another is not said twice."""
        if type(self.reasoning_content) is str and self.reasoning_content:
            return self.reasoning_content
        for spelling in (self.reasoning_content, self.reasoning, self.reasoning_details):
            if spelling and (text := text_of(spelling)):
                return text
        return ""

    def calls(self) -> list[WireCall]:
        """Tool calls; the legacy ``function_call`` is one."""
        if self.tool_calls:
            return self.tool_calls
        return [WireCall(index=0, function=self.function_call)] if self.function_call else []


class WireChoice(msgspec.Struct, gc=False):
    index: int | None = None
    delta: Said | None = None
    message: Said | None = None
    finish_reason: str | None = None


class WireAnswer(msgspec.Struct, gc=False):
    """A whole reply, or one chunk of a streamed one."""

    id: str | None = None
    object: str | None = None
    created: int | None = None
    model: str | None = None
    choices: list[WireChoice] | None = None
    usage: WireUsage | None = None
    error: Any = None
    service_tier: str | None = None
    system_fingerprint: str | None = None


_TEXT_KEYS: Final = ("text", "content", "thinking", "reasoning", "summary")
_DEEPEST: Final = 8

strictly: Final = msgspec.json.Decoder(WireAnswer).decode


def decode_answer(data: bytes) -> WireAnswer | None:
    """``None`` for JSON that is no object. Raises `msgspec.DecodeError` or `UnicodeDecodeError` for
    what is no JSON."""
    try:
        return strictly(data)
    except msgspec.ValidationError:
        return _lenient(WireAnswer, msgspec.json.decode(data))


def text_of(value: Any, depth: int = _DEEPEST) -> str:
    """All text in a string, a list of parts, or an object, whatever it calls it.

    What is nested more than `depth` levels deep is no text that anybody sends.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and depth:
        return "".join(text_of(each, depth - 1) for each in value)
    if isinstance(value, dict) and depth:
        return next((text for key in _TEXT_KEYS if (text := text_of(value.get(key), depth - 1))), "")
    return ""


_THOUGHT_TYPES: Final = frozenset({"reasoning", "thinking", "reasoning_text", "reasoning.text"})


def content_pieces(content: list[Any]) -> Iterator[tuple[ItemKind, str]]:
    """A list content → (``text``, ``reasoning`` or ``refusal``; the text), in order."""
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else "text"
        if kind == "refusal":
            yield "refusal", text_of(part.get("refusal"))
        elif kind in _THOUGHT_TYPES:
            yield "reasoning", text_of(part)
        else:
            yield "text", text_of(part)


def content_calls(content: list[Any]) -> Iterator[WireCall]:
    """Tool calls that stand among the parts of a list content."""
    for part in content:
        calls = part.get("tool_calls") if isinstance(part, dict) else None
        for call in calls if isinstance(calls, list) else ():
            if (read := _lenient(WireCall, call)) is not None:
                yield read


# --- the lenient way ----------------------------------------------------------------------------

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_Mending: TypeAlias = Callable[[Any], Any]


def _lenient(kind: type[_Struct], value: Any) -> _Struct | None:
    if not isinstance(value, dict):
        return None
    mended = {name: mend(value.get(name)) for name, mend in MENDING[kind].items()}
    return kind(**mended)


def _one(kind: type[msgspec.Struct]) -> _Mending:
    return lambda value: _lenient(kind, value)


def _many(kind: type[msgspec.Struct]) -> _Mending:
    def mend(value: Any) -> list[msgspec.Struct] | None:
        if not isinstance(value, list):
            return None
        return [read for each in value if (read := _lenient(kind, each)) is not None]

    return mend


def _string(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    return str(value) if isinstance(value, str | int) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    """A number of anything; also written as text, or with a fraction of zero."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    if isinstance(value, int | float) and value == int(value):
        return int(value)
    return None


def _argument_text(value: Any) -> str | None:
    """Arguments as text; an upstream that sends the object itself means its JSON."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _loose(value: Any) -> Loose:
    return value if isinstance(value, str | list | dict) else None


def _list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _as_it_is(value: Any) -> Any:
    return value


MENDING: Final[Mapping[type[msgspec.Struct], Mapping[str, _Mending]]] = {
    WireFunction: {"name": _text, "arguments": _argument_text},
    WireCustom: {"name": _text, "input": _argument_text},
    WireCall: {
        "index": _count,
        "id": _string,
        "type": _string,
        "function": _one(WireFunction),
        "custom": _one(WireCustom),
        "extra_content": _as_it_is,
    },
    Said: {
        "content": _loose,
        "reasoning_content": _loose,
        "reasoning": _loose,
        "reasoning_details": _loose,
        "refusal": _text,
        "tool_calls": _many(WireCall),
        "function_call": _one(WireFunction),
        "annotations": _list,
        "images": _list,
    },
    WireChoice: {
        "index": _count,
        "delta": _one(Said),
        "message": _one(Said),
        "finish_reason": _string,
    },
    TokenDetails: dict.fromkeys(("cached_tokens", "cache_write_tokens", "reasoning_tokens"), _count),
    WireUsage: {
        **dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), _count),
        **dict.fromkeys(("input_tokens", "output_tokens"), _count),
        **dict.fromkeys(("prompt_cache_hit_tokens", "cached_tokens"), _count),
        **dict.fromkeys(("prompt_tokens_details", "input_tokens_details"), _one(TokenDetails)),
        **dict.fromkeys(("completion_tokens_details", "output_tokens_details"), _one(TokenDetails)),
    },
    WireAnswer: {
        "id": _string,
        "object": _string,
        "created": _count,
        "model": _string,
        "choices": _many(WireChoice),
        "usage": _one(WireUsage),
        "error": _as_it_is,
        "service_tier": _string,
        "system_fingerprint": _string,
    },
}
"""How each field is read when the strict way failed."""
