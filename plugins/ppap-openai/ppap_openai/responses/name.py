"""The format's name, and what it calls things that more than one module needs."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

FORMAT: Final = "openai-responses"
PROTOCOL: Final = "openai-response"
"""What operators' rules call it."""
JsonObject: TypeAlias = dict[str, Any]

CLIENT_SIDE_ITEMS: Final = frozenset(
    {
        "local_shell_call",
        "local_shell_call_output",
        "shell_call",
        "shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
        "computer_call",
        "computer_call_output",
        "tool_search_output",
        "mcp_approval_response",
        "compaction",
    }
)
"""Items of OpenAI's own tools that the client runs, or of its own state: nobody else knows them."""

SERVER_TOOL_ITEMS: Final = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "tool_search_call",
        "mcp_call",
        "mcp_list_tools",
        "mcp_approval_request",
    }
)
"""Items of tools that the provider itself runs."""

BUILT_IN_TOOLS: Final = frozenset(
    {
        "web_search",
        "web_search_preview",
        "web_search_preview_2025_03_11",
        "file_search",
        "code_interpreter",
        "image_generation",
        "computer_use_preview",
        "computer",
        "mcp",
        "local_shell",
        "shell",
        "apply_patch",
        "tool_search",
    }
)
"""Tools without a schema that OpenAI knows by their type."""
