"""Names of tools in namespaces (translation spec, C.16).

No other format knows namespaces. A tool in one is called by a flat name everywhere else; answers
get namespace and name back from what the request declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from ppap_core.conversation import Tool

_SERVERS_TOOL = "mcp__"


@attrs.frozen
class CalledTool:
    """A tool as clients of this format call it."""

    name: str
    namespace: str | None = None


def flat_name(namespace: str | None, name: str) -> str:
    """The name of a tool without its namespace; a name that already tells it is left alone."""
    if not namespace or name.startswith((_SERVERS_TOOL, namespace)):
        return name
    return f"{namespace.rstrip('_')}__{name.lstrip('_')}"


def own_name(tool: Tool) -> str:
    """The name inside of its namespace."""
    name = tool.definition.get("name")
    return name if tool.namespace and isinstance(name, str) else tool.name


@attrs.frozen
class ClientTools:
    """The client's tools by flat name: where a call's name comes from, and which take free text."""

    called: Mapping[str, CalledTool]
    free_text: frozenset[str]

    def called_as(self, name: str) -> CalledTool:
        return self.called.get(name) or CalledTool(name)


def client_tools(tools: Iterable[Tool]) -> ClientTools:
    declared = [tool for tool in tools if tool.name]
    return ClientTools(
        called={tool.name: CalledTool(own_name(tool), tool.namespace) for tool in declared if tool.namespace},
        free_text=frozenset(tool.name for tool in declared if tool.kind == "custom"),
    )
