"""Tools, and the choice among them (Gemini spec, 5.1, 5.5 and 9.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from ppap_core.conversation import Conversation, Tool, ToolChoice

from ..schema import cleaned
from .names import ToolNames
from .vocabulary import NAME

FUNCTIONS: Final = "functionDeclarations"
BUILT_INS: Final[Mapping[str, str]] = {
    "googleSearch": "google_search",
    "codeExecution": "code_execution",
    "urlContext": "url_context",
}
"""Tools that the provider itself runs, in the order in which they are sent; with their other spelling."""
WEB_SEARCH: Final = "web_search"
_KIND_OF: Final[Mapping[str, str]] = {"googleSearch": WEB_SEARCH, "googleSearchRetrieval": WEB_SEARCH}

DECLARATION_FIELDS: Final = (
    "name",
    "description",
    "behavior",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
)
"""All that a declaration may hold; the API refuses any other."""

_OWN_KINDS: Final = ("function", "custom")
_NOT_AS_FUNCTION: Final = "apply_patch"
"""A custom tool whose grammar cannot be honoured by a function (translation spec, C.16)."""
_FREE_TEXT: Final = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}
_MAPS: Final = ("properties", "$defs", "definitions", "patternProperties")

# --- reading ----------------------------------------------------------------------------------


class _Declaration(msgspec.Struct, rename="camel"):
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: dict[str, Any] | None = None


class _CallingConfig(msgspec.Struct, rename="camel"):
    mode: str | None = None
    allowed_function_names: list[str] | None = None


class ToolConfig(msgspec.Struct, rename="camel"):
    """The ``toolConfig`` object of a request."""

    function_calling_config: _CallingConfig | None = None


def read_tools(tools: Iterable[Mapping[str, Any]]) -> Iterator[Tool]:
    """Functions one by one, and a tool for each built-in. Raises `msgspec.MsgspecError`."""
    for tool in tools:
        for key, value in tool.items():
            if key == FUNCTIONS:
                for told in msgspec.convert(value or [], list[dict[str, Any]]):
                    yield _function(told)
            elif value is not None:
                yield Tool(kind=_KIND_OF.get(key, key), format=NAME, definition={key: value})


def _function(told: dict[str, Any]) -> Tool:
    declaration = msgspec.convert(told, _Declaration)
    schema = declaration.parameters or declaration.parameters_json_schema
    return Tool(
        name=declaration.name,
        description=declaration.description,
        schema=None if schema is None else lower_case(schema),
        format=NAME,
        definition=told,
    )


def lower_case(schema: Any) -> Any:
    """A schema in Google's older dialect as JSON Schema: ``OBJECT`` becomes ``object``."""
    if isinstance(schema, list):
        return [lower_case(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, str):
            written[key] = value.lower()
        elif key in _MAPS and isinstance(value, dict):
            written[key] = {name: lower_case(inner) for name, inner in value.items()}
        else:
            written[key] = lower_case(value) if isinstance(value, dict | list) else value
    return written


def is_json_schema(schema: object) -> bool:
    """Whether a schema's types are written as JSON Schema has them, and not in capitals."""
    return isinstance(schema, dict) and lower_case(schema) == schema


def read_choice(config: ToolConfig | None) -> ToolChoice:
    """``VALIDATED`` leaves the choice to the model, as ``AUTO`` does."""
    calling = config.function_calling_config if config else None
    if calling is None:
        return ToolChoice()
    names = tuple(calling.allowed_function_names or ())
    match (calling.mode or "").upper():
        case "NONE":
            return ToolChoice(mode="none")
        case "ANY":
            return _among(names, required=True) if names else ToolChoice(mode="required")
        case "AUTO" | "VALIDATED":
            return _among(names, required=False) if names else ToolChoice(mode="auto")
        case _:
            return ToolChoice()


def _among(names: Sequence[str], *, required: bool) -> ToolChoice:
    if required and len(names) == 1:
        return ToolChoice(mode="named", name=names[0])
    return ToolChoice(mode="allowed", names=names, required=required)


# --- writing ----------------------------------------------------------------------------------


def names_of(tools: Iterable[Tool]) -> ToolNames:
    """The wire names of a request's functions."""
    return ToolNames(tool.name for tool in tools if tool.kind in _OWN_KINDS)


def tool_objects(conversation: Conversation, names: ToolNames) -> list[dict[str, Any]]:
    """The ``tools`` of a request: all functions in one object, then the built-ins."""
    choice = conversation.tool_choice
    allowed = set(choice.names) if choice.mode == "allowed" else None
    tools = [tool for tool in conversation.tools if allowed is None or (tool.name or tool.kind) in allowed]
    declared = [each for tool in tools if (each := _declaration(tool, names)) is not None]
    objects: list[dict[str, Any]] = [{FUNCTIONS: declared}] if declared else []
    return objects + _built_ins(tools, searches=not declared)


def _declaration(tool: Tool, names: ToolNames) -> dict[str, Any] | None:
    """``None`` for what is no function."""
    if tool.kind == "custom":
        return None if tool.name == _NOT_AS_FUNCTION else _written(tool, names, _FREE_TEXT)
    if tool.kind != "function":
        return None
    if tool.format != NAME:
        return _written(tool, names, cleaned(tool.schema))
    own = {key: value for key, value in tool.definition.items() if key in DECLARATION_FIELDS}
    return {**in_json_schema(own), "name": names.wire(tool.name)}


def _written(tool: Tool, names: ToolNames, schema: Mapping[str, Any]) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": names.wire(tool.name)}
    if tool.description:
        declaration["description"] = tool.description
    return {**declaration, "parametersJsonSchema": schema}


def in_json_schema(declaration: Mapping[str, Any]) -> dict[str, Any]:
    """A declaration whose JSON Schema stands where the API expects one; the older dialect stays.

    The two places exclude each other.
    """
    if "parametersJsonSchema" in declaration or not is_json_schema(declaration.get("parameters")):
        return dict(declaration)
    return {
        "parametersJsonSchema" if key == "parameters" else key: value for key, value in declaration.items()
    }


def _built_ins(tools: Sequence[Tool], *, searches: bool) -> list[dict[str, Any]]:
    """Those of this format as they came, those that other clients ask for by our names, and searches.

    Models before Gemini 3 refuse a search beside functions, so another format's is left out then.
    """
    own = [dict(tool.definition) for tool in tools if tool.format == NAME and tool.kind not in _OWN_KINDS]
    foreign = [tool for tool in tools if tool.format != NAME and tool.kind not in _OWN_KINDS]
    asked: list[dict[str, Any]] = []
    for name, other in BUILT_INS.items():
        for tool in foreign:
            value = tool.definition.get(name, tool.definition.get(other))
            if value is not None:
                asked.append({name: value})
    if searches and not asked and any(_is_search(tool) for tool in foreign):
        asked.append({"googleSearch": {}})
    return own + asked


def _is_search(tool: Tool) -> bool:
    return tool.kind.startswith(WEB_SEARCH) and tool.definition.get("external_web_access") is not False


def calling_config(
    conversation: Conversation, tools: Sequence[Mapping[str, Any]], names: ToolNames
) -> dict[str, Any] | None:
    """The ``toolConfig`` over the functions that are sent; ``None``: leave it out."""
    sent = {declared["name"] for tool in tools for declared in tool.get(FUNCTIONS, ())}
    choice = conversation.tool_choice
    if not sent:
        return None
    config: dict[str, Any]
    match choice.mode:
        case "auto" | "none":
            config = {"mode": choice.mode.upper()}
        case "required":
            config = {"mode": "ANY"}
        case "named" if names.wire(choice.name or "") in sent:
            config = {"mode": "ANY", "allowedFunctionNames": [names.wire(choice.name or "")]}
        case "allowed" if choice.required:
            wanted = [name for name in map(names.wire, choice.names) if name in sent]
            config = {"mode": "ANY", "allowedFunctionNames": wanted}
        case "allowed":
            config = {"mode": "AUTO"}
        case _:
            return None
    return {"functionCallingConfig": config}
