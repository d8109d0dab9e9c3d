"""Gemini CLI with an API key (clients, 5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .command_line import PROMPT, CommandLine, Place, Tokens

_SETTINGS: Final = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {"disableAutoUpdate": True, "maxAttempts": 2},
}


def _set_up(place: Place) -> None:
    folder = place.home / ".gemini"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(_SETTINGS))


def _environment(place: Place) -> dict[str, str]:
    return {
        "GOOGLE_GEMINI_BASE_URL": place.url,
        "GEMINI_API_KEY": place.key,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }


def _told(output: str) -> Any:
    """The answer among the other lines, or what stands in its stead after the words on an error."""
    begins = [found.start() for found in re.finditer(r"^\{$", output, re.MULTILINE)]
    return json.JSONDecoder().raw_decode(output, begins[-1])[0]


def _text(output: str) -> str:
    """The answer, or why there is none."""
    told = _told(output)
    return str(told["response"] if "response" in told else told["error"]["message"])


def _tokens(output: str) -> Tokens:
    counts = [model["tokens"] for model in _told(output)["stats"]["models"].values()]
    cached = sum(count["cached"] for count in counts)
    return Tokens(
        input=sum(count["prompt"] for count in counts) - cached,
        cache_read=cached,
        output=sum(count["candidates"] + count["thoughts"] for count in counts),
    )


GEMINI_CLI: Final[Mapping[str, CommandLine]] = {
    "gemini-cli": CommandLine(
        program=".bin/gemini",
        speaks="gemini",
        arguments=lambda place: ["--yolo", "--output-format", "json", "-m", place.model, "-p", PROMPT],
        environment=_environment,
        text=_text,
        tokens=_tokens,
        set_up=_set_up,
    )
}
