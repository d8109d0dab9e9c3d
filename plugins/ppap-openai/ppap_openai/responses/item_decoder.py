"""``input`` of a request → items (translation spec, B.2.1, C.3, C.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from ppap_core.conversation import (
    Item,
    Message,
    OpaqueItem,
    OpaquePart,
    Part,
    Reasoning,
    Role,
    ServerToolItem,
    Text,
    ToolCall,
    ToolKind,
    ToolResult,
)
from ppap_core.conversation.kept import Kept, kept
from ppap_core.errors import InvalidRequest

from ..chat.content import cache_of
from ..chat.said import text_of
from .content import read_part
from .name import CLIENT_SIDE_ITEMS, FORMAT, SERVER_TOOL_ITEMS, JsonObject
from .signatures import read_opaque
from .tool_names import flat_name

ITEM_REFERENCE: Final = "item_reference"
_ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
}
_SAID_BY_MODEL: Final = ("output_text", "refusal")
_OWN_FIELDS: Final = ("phase", "status")
"""What only this format says of a message."""


_RESULTS: Final = ("function_call_output", "custom_tool_call_output")


class _Result(msgspec.Struct):
    output: msgspec.Raw


_object: Final = msgspec.json.Decoder(dict[str, Any]).decode
_result: Final = msgspec.json.Decoder(_Result).decode


@attrs.define
class InputReader:
    """Reads the elements of one ``input``; gathers what is no item but stands among them.

    ``additional`` are tools that the input adds; ``refers``: it points to items kept elsewhere.
    """

    additional: list[JsonObject] = attrs.field(factory=list)
    refers: bool = False

    def read(self, place: int, raw: msgspec.Raw) -> list[Item]:
        """Raises `InvalidRequest` and what `msgspec` raises."""
        element = _element(raw, place)
        kind = element.get("type") or "message"
        if not isinstance(kind, str):
            where = f"input[{place}].type"
            raise InvalidRequest(f"Invalid request: `{where}` must be a string", param=where)
        reader = _READERS.get(kind)
        if reader is not None:
            return [item for item in (reader(element, f"input[{place}]"),) if item is not None]
        if kind in SERVER_TOOL_ITEMS:
            return [ServerToolItem(format=FORMAT, value=element)]
        if kind == "additional_tools":
            tools = element.get("tools")
            self.additional += [each for each in tools or () if isinstance(each, dict)] if tools else []
            return []
        self.refers = self.refers or kind == ITEM_REFERENCE
        return [OpaqueItem(format=FORMAT, value=element)]


def _element(raw: msgspec.Raw, place: int) -> JsonObject:
    """An element as an object; the long text of a result stays in the client's JSON."""
    try:
        element = _object(raw)
    except msgspec.ValidationError as error:
        where = f"input[{place}]"
        raise InvalidRequest(f"Invalid request: `{where}`: {error}", param=where) from None
    output = element.get("output")
    if element.get("type") in _RESULTS and isinstance(output, str) and _unwrapped(output) is output:
        element["output"] = kept(_result(raw).output)
    return element


def _message(element: JsonObject, place: str) -> Item | None:
    parts = _parts(element.get("content"), place)
    role = _role(element, place)
    extras = {key: element[key] for key in _OWN_FIELDS if element.get(key) is not None}
    if not parts:
        return None
    return Message(
        role=role,
        parts=parts,
        id=_text(element, "id") or None,
        cache=cache_of(element.get("cache_control")),
        extras={FORMAT: extras} if extras else {},
    )


def _role(element: JsonObject, place: str) -> Role:
    """As said; if nothing is, by whose kind of parts a message has."""
    told = element.get("role")
    if told is None:
        content = element.get("content")
        parts = content if isinstance(content, list) else []
        by_model = any(isinstance(part, dict) and part.get("type") in _SAID_BY_MODEL for part in parts)
        return "assistant" if by_model else "user"
    role = _ROLES.get(told) if isinstance(told, str) else None
    if role is None:
        raise InvalidRequest(
            f"Invalid request: `{place}.role` must be one of {', '.join(_ROLES)}", param=f"{place}.role"
        )
    return role


def _parts(content: Any, place: str) -> tuple[Part, ...]:
    """Empty texts say nothing, and some upstreams refuse them (C.4)."""
    if content is None or content == "":
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if isinstance(content, list):
        parts = map(read_part, content)
        return tuple(part for part in parts if not (isinstance(part, Text) and not part.text))
    raise InvalidRequest(
        f"Invalid request: `{place}.content` must be a string or a list of parts", param=f"{place}.content"
    )


def _reasoning(element: JsonObject, place: str) -> Item | None:
    """Thoughts from ``summary``, else from ``content``; never both, as they say the same."""
    opaque = read_opaque(_text(element, "encrypted_content"))
    segments = _segments(element.get("summary")) or _segments(element.get("content"))
    if not segments and not opaque.signature and opaque.redacted_data is None:
        return None
    return Reasoning(
        segments=segments,
        signature=opaque.signature,
        redacted_data=opaque.redacted_data,
        origin=opaque.origin,
        id=_text(element, "id") or None,
    )


def _segments(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(text for each in listed if (text := text_of(each)).strip())


def _function_call(element: JsonObject, place: str) -> Item:
    return _call(element, place, "function", "arguments")


def _custom_call(element: JsonObject, place: str) -> Item:
    return _call(element, place, "custom", "input")


def _call(element: JsonObject, place: str, kind: ToolKind, field: str) -> Item:
    told = element.get(field)
    arguments = told if isinstance(told, str) else "" if told is None else _json(told)
    namespace = _text(element, "namespace") or None
    return ToolCall(
        call_id=_required(element, "call_id", place),
        name=flat_name(namespace, _required(element, "name", place)),
        arguments=arguments,
        kind=kind,
        namespace=namespace,
        item_id=_text(element, "id") or None,
    )


def _function_output(element: JsonObject, place: str) -> Item:
    return ToolResult(call_id=_required(element, "call_id", place), content=_output(element))


def _custom_output(element: JsonObject, place: str) -> Item:
    call_id = _required(element, "call_id", place)
    return ToolResult(call_id=call_id, content=_output(element), kind="custom")


def _output(element: JsonObject) -> Kept | Sequence[Part]:
    """A result's text, or its parts where there is more than one text.

    Some clients send a list of parts as JSON text; that is unwrapped if an image is among them.
    """
    output = element.get("output")
    if isinstance(output, str):
        output = _unwrapped(output)
    if output is None or isinstance(output, str | msgspec.Raw):
        return output or ""
    if not isinstance(output, list):
        return _json(output)
    parts = [_result_part(each) for each in output]
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return tuple(parts)


def _unwrapped(text: str) -> Any:
    if "input_image" not in text or not text.lstrip().startswith("["):
        return text
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    told = [each.get("type") for each in value if isinstance(each, dict)]
    return value if "input_image" in told else text


def _result_part(value: Any) -> Part:
    """What no other format could show is shown as the JSON that it is."""
    try:
        part = read_part(value)
    except InvalidRequest:
        return Text(_json(value))
    return Text(_json(value)) if isinstance(part, OpaquePart) else part


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text(element: JsonObject, key: str) -> str:
    value = element.get(key)
    return value if isinstance(value, str) else ""


def _required(element: JsonObject, key: str, place: str) -> str:
    value = element.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"Invalid request: `{place}.{key}` is missing", param=f"{place}.{key}")
    return value


def _opaque(element: JsonObject, place: str) -> Item:
    return OpaqueItem(format=FORMAT, value=element)


_Reader: TypeAlias = Callable[[JsonObject, str], Item | None]
_READERS: Final[Mapping[str, _Reader]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "custom_tool_call": _custom_call,
    "function_call_output": _function_output,
    "custom_tool_call_output": _custom_output,
    **dict.fromkeys(CLIENT_SIDE_ITEMS, _opaque),
}
