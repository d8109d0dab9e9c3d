"""Tools and the choice among them, read and written (translation spec, A.2.3, C.7, C.16)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from ppap_core.conversation import Tool, ToolChoice
from ppap_core.errors import InvalidRequest

from ..chat.content import cache_of
from .name import BUILT_IN_TOOLS, FORMAT, JsonObject
from .tool_names import flat_name, own_name

NAMESPACE: Final = "namespace"
WEB_SEARCH: Final = "web_search"
_OWN_KINDS: Final = ("function", "custom")
"""Kinds that the client runs, and names."""
CHOICE_WORDS: Final[Mapping[str, Literal["auto", "none", "required"]]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
}

# --- reading ------------------------------------------------------------------------------------


def read_tools(declared: Sequence[JsonObject], additional: Sequence[JsonObject]) -> tuple[Tool, ...]:
    """``tools``, and those that ``additional_tools`` items add. Raises `InvalidRequest`.

    Of tools with one final name only one is kept: a top-level one before an added one, a direct one
    before one in a namespace, a function before a free-text tool, then the first (C.1, C.16).
    """
    ranked = [
        ((added, tool.namespace is not None, tool.kind == "custom"), tool)
        for added, group in ((False, declared), (True, additional))
        for each in group
        for tool in _read_tool(each)
    ]
    best: dict[str, tuple[Any, Tool]] = {}
    for rank, tool in ranked:
        if tool.name and (tool.name not in best or rank < best[tool.name][0]):
            best[tool.name] = (rank, tool)
    return tuple(tool for _, tool in ranked if not tool.name or best[tool.name][1] is tool)


def _read_tool(tool: JsonObject, namespace: str | None = None) -> Iterator[Tool]:
    kind = tool.get("type", "function")
    if not isinstance(kind, str):
        raise InvalidRequest("Invalid request: a tool's `type` must be a string", param="tools")
    if kind == NAMESPACE and namespace is None:
        for child in _objects(tool.get("tools")):
            yield from _read_tool(child, _name(tool))
    elif kind in _OWN_KINDS:
        yield _read_own(tool, kind, namespace)
    else:
        name = tool.get("name")
        yield Tool(
            kind=WEB_SEARCH if kind.startswith(WEB_SEARCH) else kind,
            name=name if isinstance(name, str) else "",
            format=FORMAT,
            definition=tool,
        )


def _read_own(tool: JsonObject, kind: str, namespace: str | None) -> Tool:
    schema, strict = tool.get("parameters", tool.get("parametersJsonSchema")), tool.get("strict")
    if schema is not None and not isinstance(schema, dict):
        raise InvalidRequest(
            f"Invalid request: the `parameters` of the tool {_name(tool)!r} must be an object", param="tools"
        )
    description = tool.get("description")
    return Tool(
        kind=kind,
        name=flat_name(namespace, _name(tool)),
        description=description if isinstance(description, str) else None,
        schema=schema if kind == "function" else None,
        strict=strict if isinstance(strict, bool) else None,
        namespace=namespace,
        cache=cache_of(tool.get("cache_control")),
        format=FORMAT,
        definition=tool,
    )


def _name(tool: Mapping[str, Any]) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("Invalid request: a tool needs a `name`", param="tools")
    return name


def _objects(value: Any) -> list[JsonObject]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidRequest(
            "Invalid request: the `tools` of a namespace must be a list of objects", param="tools"
        )
    return value


def read_choice(choice: Any) -> ToolChoice:
    """``tool_choice``; a nested ``function`` as in Chat is understood too. Raises `InvalidRequest`."""
    if choice is None:
        return ToolChoice()
    if isinstance(choice, str) and choice in CHOICE_WORDS:
        return ToolChoice(mode=CHOICE_WORDS[choice])
    if not isinstance(choice, dict):
        raise InvalidRequest(
            f"Invalid request: `tool_choice` must be one of {', '.join(CHOICE_WORDS)}, or an object",
            param="tool_choice",
        )
    kind = choice.get("type", "function")
    if kind in _OWN_KINDS:
        name = _named(choice)
        if not name:
            raise InvalidRequest("Invalid request: `tool_choice` names no tool", param="tool_choice")
        return ToolChoice(mode="named", name=name, kind=kind)
    if kind == "allowed_tools":
        listed = choice.get("tools")
        names = tuple(name for each in listed or () if (name := _named(each))) if _is_list(listed) else ()
        required = choice.get("mode") == "required"
        return ToolChoice(mode="allowed", names=names, required=required, format=FORMAT, value=choice)
    if str(kind).startswith(WEB_SEARCH):
        return ToolChoice(mode="named", name=WEB_SEARCH, kind=WEB_SEARCH, format=FORMAT, value=choice)
    return ToolChoice(mode="native", kind=str(kind), format=FORMAT, value=choice)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _named(choice: Any) -> str:
    """The flat name of the tool that a choice means; empty if it means none."""
    if not isinstance(choice, dict):
        return ""
    kind = str(choice.get("type", "function"))
    nested = choice.get(kind)
    told = nested if isinstance(nested, dict) else choice
    name, namespace = told.get("name"), choice.get("namespace")
    if not isinstance(name, str):
        return kind if kind in BUILT_IN_TOOLS else ""
    return flat_name(namespace if isinstance(namespace, str) else None, name)


# --- writing ------------------------------------------------------------------------------------


def write_tools(tools: Sequence[Tool]) -> list[JsonObject]:
    """All tools that this format can declare; those of a namespace stand together again."""
    written: list[JsonObject] = []
    namespaces: dict[str, JsonObject] = {}
    for tool in tools:
        told = _write_tool(tool)
        if told is None:
            continue
        if tool.namespace is None or tool.format != FORMAT:
            written.append(told)
        elif tool.namespace in namespaces:
            namespaces[tool.namespace]["tools"].append(told)
        else:
            group = {"type": NAMESPACE, "name": tool.namespace, "tools": [told]}
            written.append(namespaces.setdefault(tool.namespace, group))
    return written


def _write_tool(tool: Tool) -> JsonObject | None:
    if tool.format == FORMAT:
        return dict(tool.definition)
    if tool.kind == "function" or (tool.schema is not None and tool.kind != "custom"):
        return _function(tool)
    if tool.kind == "custom":
        described = {"description": tool.description} if tool.description else {}
        return {"type": "custom", "name": tool.name, **described}
    if tool.kind == WEB_SEARCH:
        return _web_search(tool.definition)
    # The dialects of one vendor share their built-in tools, options and all.
    own = tool.kind in BUILT_IN_TOOLS and tool.definition.get("type") == tool.kind
    return dict(tool.definition) if own else None


def _function(tool: Tool) -> JsonObject:
    """``strict`` is always said: this format takes a function without it for a strict one."""
    told = {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": object_schema(tool.schema),
        "strict": bool(tool.strict),
    }
    return {key: value for key, value in told.items() if value is not None}


def object_schema(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A schema whose root is an object with properties, even if none (C.7)."""
    root = {key: value for key, value in (schema or {}).items() if key != "$schema"}
    if "type" not in root:
        root["type"] = "object"
    if root["type"] == "object" and "properties" not in root:
        root["properties"] = {}
    return root


_SEARCH_OPTIONS: Final = ("filters", "user_location", "search_context_size", "external_web_access")


def _web_search(options: Mapping[str, Any]) -> JsonObject:
    """Web search as declared in another format: what it may visit and where the user is."""
    kept = {key: options[key] for key in _SEARCH_OPTIONS if options.get(key) is not None}
    if options.get("allowed_domains"):
        kept["filters"] = {"allowed_domains": options["allowed_domains"]}
    return {"type": WEB_SEARCH, **kept}


def write_choice(choice: ToolChoice, tools: Sequence[Tool]) -> Any:
    """``tool_choice`` among `tools`; ``None`` to leave it out."""
    match choice.mode:
        case "auto" | "none" | "required":
            return choice.mode
        case "named" if choice.value is not None and choice.format == FORMAT:
            return dict(choice.value)
        case "named":
            tool = next((each for each in tools if each.name == choice.name), None)
            return None if tool is None else _choice_of(tool)
        case "allowed" if choice.format != FORMAT:
            meant = [tool for tool in tools if tool.name in choice.names]
            allowed = [told for tool in meant if (told := _choice_of(tool)) is not None]
            mode = "required" if choice.required else "auto"
            return {"type": "allowed_tools", "mode": mode, "tools": allowed} if allowed else mode
        case "allowed" | "native":
            value = choice.value or {}
            shared = choice.format == FORMAT or str(value.get("type")) in BUILT_IN_TOOLS
            return dict(value) if shared else None
        case _:
            return None


def _choice_of(tool: Tool) -> JsonObject | None:
    """A tool as a choice names it; ``None`` for one that this format cannot declare."""
    told = _write_tool(tool)
    if told is None:
        return None
    kind = told.get("type", "function")
    if kind not in _OWN_KINDS:
        return {"type": kind}
    namespace = {"namespace": tool.namespace} if tool.namespace and tool.format == FORMAT else {}
    return {"type": kind, "name": own_name(tool), **namespace}
