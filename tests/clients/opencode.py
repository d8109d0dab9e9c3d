"""opencode, with each of the packages by which it speaks to a provider (clients, 6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from .command_line import PROMPT, CommandLine, Place, Tokens


def _set_up(package: str, version: str) -> Callable[[Place], None]:
    def set_up(place: Place) -> None:
        model = {"name": place.model, "tool_call": True, "limit": {"context": 200000, "output": 32000}}
        provider = {
            "npm": package,  # comes inside the client's own binary: nothing is fetched
            "options": {"baseURL": f"{place.url}/{version}", "apiKey": place.key},
            "models": {place.model: model},
        }
        config = {
            "autoupdate": False,
            "share": "disabled",
            "permission": "allow",
            "model": f"ppap/{place.model}",
            "small_model": f"ppap/{place.model}",
            "provider": {"ppap": provider},
        }
        folder = place.home / ".config" / "opencode"
        folder.mkdir(parents=True)
        (folder / "opencode.json").write_text(json.dumps(config))

    return set_up


def _environment(place: Place) -> dict[str, str]:
    switches = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD")
    return {f"OPENCODE_DISABLE_{switch}": "1" for switch in switches}


def _parts(output: str, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [event["part"] for event in events if event["type"] == kind]


def _tokens(output: str) -> Tokens:
    steps = [part["tokens"] for part in _parts(output, "step_finish")]
    return Tokens(
        input=sum(step["input"] for step in steps),
        cache_read=sum(step["cache"]["read"] for step in steps),
        output=sum(step["output"] for step in steps),
    )


def _opencode(package: str, speaks: str, version: str = "v1") -> CommandLine:
    return CommandLine(
        program=".bin/opencode",
        speaks=speaks,
        arguments=lambda place: ["run", "--format", "json", "-m", f"ppap/{place.model}", PROMPT],
        environment=_environment,
        text=lambda output: str(_parts(output, "text")[-1]["text"]),
        tokens=_tokens,
        set_up=_set_up(package, version),
    )


OPENCODE: Final[Mapping[str, CommandLine]] = {
    "opencode-chat": _opencode("@ai-sdk/openai-compatible", "chat"),
    "opencode-responses": _opencode("@ai-sdk/openai", "responses"),
    "opencode-messages": _opencode("@ai-sdk/anthropic", "messages"),
    "opencode-gemini": _opencode("@ai-sdk/google", "gemini", "v1beta"),
}
