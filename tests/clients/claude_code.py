"""Claude Code, with its key in either header (clients, 4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from .command_line import PROMPT, CommandLine, Place, Tokens


def _environment(key_variable: str) -> Callable[[Place], dict[str, str]]:
    return lambda place: {
        "ANTHROPIC_BASE_URL": place.url,
        key_variable: place.key,
        "ANTHROPIC_MODEL": place.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",
        "CLAUDE_CONFIG_DIR": str(place.home / "claude"),
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "DISABLE_TELEMETRY": "1",
        "IS_SANDBOX": "1",
    }


def _told(output: str) -> Any:
    results = [line for line in output.splitlines() if line.startswith('{"type":"result"')]
    return json.loads(results[-1])


def _tokens(output: str) -> Tokens:
    usage = _told(output)["usage"]
    return Tokens(
        input=usage["input_tokens"],
        cache_read=usage["cache_read_input_tokens"],
        output=usage["output_tokens"],
    )


def _claude(key_variable: str) -> CommandLine:
    return CommandLine(
        program=".bin/claude",
        speaks="messages",
        arguments=lambda place: ["-p", "--output-format", "json", "--dangerously-skip-permissions", PROMPT],
        environment=_environment(key_variable),
        text=lambda output: str(_told(output)["result"]),
        tokens=_tokens,
    )


CLAUDE_CODE: Final[Mapping[str, CommandLine]] = {
    "claude-code": _claude("ANTHROPIC_AUTH_TOKEN"),
    "claude-code-api-key": _claude("ANTHROPIC_API_KEY"),
}
