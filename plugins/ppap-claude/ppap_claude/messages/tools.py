"""Tools, their schemas and the choice among them (translation spec, A.2.3, C.7, C.16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import Conversation, Tool, ToolChoice

from .identifiers import ToolNames
from .vocabulary import NAME

WEB_SEARCH: Final = "web_search"
_FUNCTION_TYPES: Final = ("", "custom")
"""``type`` of a tool that the client runs; any other stands for a tool of the provider's."""
_NOT_AS_FUNCTION: Final = "apply_patch"
"""A custom tool whose grammar cannot be honoured by a function."""
_FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
_COMBINERS: Final = ("anyOf", "oneOf", "allOf")

# --- reading ----------------------------------------------------------------------------------


class _ToolFields(msgspec.Struct):
    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    cache_control: dict[str, Any] | None = None


class ChoiceFields(msgspec.Struct):
    """The ``tool_choice`` object of a request."""

    type: str = ""
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_MODE_OF_TYPE: Final[Mapping[str, Any]] = {
    "auto": "auto",
    "none": "none",
    "any": "required",
    "tool": "named",
}


def read_tool(definition: Mapping[str, Any]) -> Tool:
    """Raises `msgspec.MsgspecError` for wrong types."""
    fields = msgspec.convert(definition, _ToolFields)
    kind = fields.type or ""
    return Tool(
        kind="function" if kind in _FUNCTION_TYPES else _built_in_kind(kind),
        name=fields.name,
        description=fields.description,
        schema=fields.input_schema,
        strict=fields.strict,
        cache=fields.cache_control,
        format=NAME,
        definition=definition,
    )


def _built_in_kind(kind: str) -> str:
    """Versions of web search are one kind, which other formats have too; the rest is only ours."""
    return WEB_SEARCH if kind.startswith(f"{WEB_SEARCH}_") else kind


def read_choice(choice: ChoiceFields | None, tools: Sequence[Tool]) -> ToolChoice:
    """A choice of a name belongs to the tool declared under it: a function, or a built-in."""
    if choice is None:
        return ToolChoice()
    mode = _MODE_OF_TYPE.get(choice.type, "unset")
    if mode != "named":
        return ToolChoice(mode=mode)
    kind = next((tool.kind for tool in tools if tool.name == choice.name), "function")
    return ToolChoice(mode="named", name=choice.name, kind=kind)


# --- writing ----------------------------------------------------------------------------------


def names_of(tools: Iterable[Tool]) -> ToolNames:
    """The wire names of a request's own tools; the names of built-ins are fixed and not among them."""
    return ToolNames(tool.name for tool in tools if tool.kind in ("function", "custom"))


def tool_objects(conversation: Conversation, names: ToolNames) -> list[dict[str, Any]]:
    """The ``tools`` of a request: what this format can declare, and the client allows."""
    choice = conversation.tool_choice
    allowed = set(choice.names) if choice.mode == "allowed" else None
    objects = (
        _tool_object(tool, names)
        for tool in conversation.tools
        if allowed is None or (tool.name or tool.kind) in allowed
    )
    return [each for each in objects if each is not None]


def _tool_object(tool: Tool, names: ToolNames) -> dict[str, Any] | None:
    if tool.kind == "function":
        return _function(tool, names)
    if tool.kind == "custom":
        return None if tool.name == _NOT_AS_FUNCTION else _custom(tool, names)
    if tool.format == NAME:
        return dict(tool.definition)
    return _web_search(tool) if tool.kind == WEB_SEARCH else None


def _function(tool: Tool, names: ToolNames) -> dict[str, Any]:
    if tool.format == NAME:
        return {**tool.definition, "name": names.wire(tool.name)}
    return _cached(
        {
            "name": names.wire(tool.name),
            "description": tool.description or "",
            "input_schema": object_schema(tool.schema),
        },
        tool,
    )


def _custom(tool: Tool, names: ToolNames) -> dict[str, Any]:
    name = names.wire(tool.name)
    description = tool.description or ""
    return _cached({"name": name, "description": description, "input_schema": _FREE_TEXT}, tool)


def _web_search(tool: Tool) -> dict[str, Any] | None:
    options = tool.definition
    if options.get("external_web_access") is False:
        return None
    written: dict[str, Any] = {"type": "web_search_20250305", "name": tool.name or WEB_SEARCH}
    filters = options.get("filters")
    domains = filters.get("allowed_domains") if isinstance(filters, Mapping) else None
    if domains:
        written["allowed_domains"] = domains
    if isinstance(options.get("user_location"), Mapping):
        written["user_location"] = options["user_location"]
    return _cached(written, tool)


def _cached(fields: dict[str, Any], tool: Tool) -> dict[str, Any]:
    return {**fields, "cache_control": dict(tool.cache)} if tool.cache else fields


def object_schema(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """A schema whose root is an object without alternatives, as the API demands (C.7).

    Properties of alternatives are merged, the first one wins; only what all of them require stays
    required.
    """
    if not isinstance(schema, Mapping):
        return {"type": "object", "properties": {}}
    root = {key: value for key, value in schema.items() if key not in _COMBINERS}
    properties: dict[str, Any] = dict(_mapping(root.get("properties")))
    required: list[Any] = list(_list(root.get("required")))
    for combiner in _COMBINERS:
        for branch in filter(_is_object, _list(schema.get(combiner))):
            for name, value in _mapping(branch.get("properties")).items():
                properties.setdefault(name, value)
            if combiner == "allOf":
                required += [name for name in _list(branch.get("required")) if name not in required]
    root |= {"type": "object", "properties": properties}
    if required:
        root["required"] = required
    return root


def _is_object(branch: object) -> bool:
    return isinstance(branch, Mapping) and branch.get("type", "object") == "object"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def choice_object(
    conversation: Conversation, tools: Sequence[Mapping[str, Any]], names: ToolNames
) -> dict[str, Any] | None:
    """The ``tool_choice`` over the tools that are sent; ``None``: leave it out."""
    if not tools:
        return None
    choice = conversation.tool_choice
    if choice.mode == "native":
        return dict(choice.value or {}) if choice.format == NAME else None
    written = _choice(choice, {tool.get("name") for tool in tools}, names)
    if conversation.parallel_tool_calls is False and written != {"type": "none"}:
        return {**(written or {"type": "auto"}), "disable_parallel_tool_use": True}
    return written


def _choice(choice: ToolChoice, sent: set[Any], names: ToolNames) -> dict[str, Any] | None:
    match choice.mode:
        case "auto" | "none":
            return {"type": choice.mode}
        case "required":
            return {"type": "any"}
        case "allowed":
            return {"type": "any" if choice.required else "auto"}
        case "named":
            own = choice.kind in ("function", "custom")
            name = names.wire(choice.name or "") if own else choice.name or choice.kind
            return {"type": "tool", "name": name} if name in sent else None
        case _:
            return None
