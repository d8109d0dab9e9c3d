"""Tools and the choice among them, read and written (translation spec, A.2.3, C.7, C.16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from ppap_core.conversation import Tool, ToolChoice
from ppap_core.errors import InvalidRequest

from .content import cache_of
from .name import FORMAT
from .tool_names import FREE_TEXT_SCHEMA

_Mode = Literal["auto", "none", "required"]
CHOICE_WORDS: Final[Mapping[str, _Mode]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",  # Mistral's word
}


def read_tools(tools: Sequence[Mapping[str, Any]], functions: Sequence[Mapping[str, Any]]) -> list[Tool]:
    """``tools`` and the legacy ``functions``. Raises `InvalidRequest`."""
    return [*map(_read_tool, tools), *(_read_function(each, each) for each in functions)]


def _read_tool(tool: Mapping[str, Any]) -> Tool:
    kind = tool.get("type", "function")
    if not isinstance(kind, str):
        raise InvalidRequest("Invalid request: a tool's `type` must be a string", param="tools")
    nested = tool.get(kind)
    told = nested if isinstance(nested, Mapping) else tool
    if kind == "function":
        return _read_function(told, tool)
    if kind == "custom":
        return Tool(
            kind="custom",
            name=_name(told),
            description=_text(told, "description"),
            cache=_cache(told, tool),
            format=FORMAT,
            definition=tool,
        )
    return Tool(kind=kind, name=told["name"] if isinstance(told.get("name"), str) else "",
                format=FORMAT, definition=tool)  # fmt: skip


def _read_function(told: Mapping[str, Any], tool: Mapping[str, Any]) -> Tool:
    schema = told.get("parameters", told.get("parametersJsonSchema"))
    strict = told.get("strict")
    if schema is not None and not isinstance(schema, Mapping):
        raise InvalidRequest(
            f"Invalid request: the `parameters` of the tool {_name(told)!r} must be an object", param="tools"
        )
    return Tool(
        name=_name(told),
        description=_text(told, "description"),
        schema=schema,
        strict=strict if isinstance(strict, bool) else None,
        cache=_cache(told, tool),
    )


def _name(told: Mapping[str, Any]) -> str:
    name = told.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("Invalid request: a tool needs a `name`", param="tools")
    return name


def _text(told: Mapping[str, Any], key: str) -> str | None:
    value = told.get(key)
    return value if isinstance(value, str) else None


def _cache(told: Mapping[str, Any], tool: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return cache_of(tool.get("cache_control")) or cache_of(told.get("cache_control"))


def read_choice(choice: Any) -> ToolChoice:
    """``tool_choice``, or the legacy ``function_call``. Raises `InvalidRequest`."""
    if choice is None:
        return ToolChoice()
    if isinstance(choice, str):
        mode = CHOICE_WORDS.get(choice)
        if mode is None:
            raise InvalidRequest(
                f"Invalid request: `tool_choice` must be one of {', '.join(CHOICE_WORDS)}, or an object",
                param="tool_choice",
            )
        return ToolChoice(mode=mode)
    if not isinstance(choice, Mapping):
        raise InvalidRequest(
            "Invalid request: `tool_choice` must be a string or an object", param="tool_choice"
        )
    return _read_choice_object(choice)


def _read_choice_object(choice: Mapping[str, Any]) -> ToolChoice:
    kind = choice.get("type", "function")
    nested = choice.get(kind) if isinstance(kind, str) else None
    told = nested if isinstance(nested, Mapping) else choice
    name = told.get("name")
    if kind in ("function", "custom") and isinstance(name, str) and name:
        return ToolChoice(mode="named", name=name, kind=kind)
    if kind == "allowed_tools":
        names = tuple(name for each in _list(told, "tools") if (name := _named(each)))
        required = told.get("mode") == "required"
        return ToolChoice(mode="allowed", names=names, required=required, format=FORMAT, value=choice)
    if kind in ("function", "custom"):
        raise InvalidRequest("Invalid request: `tool_choice` names no tool", param="tool_choice")
    return ToolChoice(mode="native", format=FORMAT, value=choice)


def _list(told: Mapping[str, Any], key: str) -> list[Any]:
    value = told.get(key)
    return value if isinstance(value, list) else []


def _named(tool: Any) -> str:
    nested = tool.get(tool.get("type"), tool) if isinstance(tool, Mapping) else {}
    name = nested.get("name") if isinstance(nested, Mapping) else None
    return name if isinstance(name, str) else ""


# --- writing ------------------------------------------------------------------------------------


def offered(tools: Sequence[Tool], choice: ToolChoice) -> list[Tool]:
    """The tools that can be written, and may be called: a foreign "only these" shortens the list."""
    expressible = [tool for tool in tools if write_tool(tool) is not None]
    if choice.mode == "allowed" and choice.format != FORMAT:
        names = frozenset(choice.names)
        return [tool for tool in expressible if tool.name in names]
    return expressible


def write_tool(tool: Tool) -> dict[str, Any] | None:
    """A tool as Chat has it; ``None`` for a built-in of another format.

    A free-text tool becomes a function with one string, because most upstreams that speak Chat
    know functions only; its answer is unwrapped again (C.16).
    """
    if tool.kind == "custom":
        return _function(tool.name, tool.description, FREE_TEXT_SCHEMA, None)
    if tool.kind == "function" or tool.schema is not None:
        return _function(tool.name, tool.description, _usable(tool.schema), tool.strict)
    return dict(tool.definition) if tool.format == FORMAT else None


def _function(
    name: str, description: str | None, schema: Mapping[str, Any] | None, strict: bool | None
) -> dict[str, Any]:
    told = {"name": name, "description": description, "parameters": schema, "strict": strict}
    return {
        "type": "function",
        "function": {key: value for key, value in told.items() if value is not None},
    }


def _usable(schema: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """An object schema says which properties it has, even if none: some upstreams insist."""
    if schema is not None and schema.get("type") == "object" and "properties" not in schema:
        return {**schema, "properties": {}}
    return schema


def write_choice(choice: ToolChoice, tools: Sequence[Tool]) -> Any:
    """``tool_choice`` among `tools` that are offered; ``None`` to leave it out."""
    match choice.mode:
        case "auto" | "none" | "required":
            return choice.mode
        case "named":
            if any(tool.name == choice.name for tool in tools):
                return {"type": "function", "function": {"name": choice.name}}
            return None
        case "allowed" | "native" if choice.format == FORMAT:
            return choice.value
        case "allowed":
            return "required" if choice.required else "auto"
        case _:
            return None
