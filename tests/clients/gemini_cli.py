"""Gemini CLI with an API key, and after a login at Google (clients, 5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from .command_line import PROMPT, CommandLine, Place, Tokens

_ENDPOINT: Final = """
enable-gemini-cli-endpoint: true
gemini-cli:
  base-url: {url}
"""
"""What is about the account goes to the stub, like what is about models."""
_FAR: Final = 4_102_444_800_000
"""Milliseconds since 1970; a login is good until then."""


def _write_settings(place: Place, login: str) -> None:
    settings = {
        "security": {"auth": {"selectedType": login}},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "general": {"disableAutoUpdate": True, "maxAttempts": 2},
    }
    folder = place.home / ".gemini"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings))


def _set_up_account(place: Place) -> None:
    _write_settings(place, "oauth-personal")
    login = {
        "access_token": "made-up",
        "refresh_token": "made-up",
        "token_type": "Bearer",
        "expiry_date": _FAR,
    }
    (place.home / ".gemini" / "oauth_creds.json").write_text(json.dumps(login))


def _key(place: Place) -> dict[str, str]:
    return {
        "GOOGLE_GEMINI_BASE_URL": place.url,
        "GEMINI_API_KEY": place.key,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }


def _account(place: Place) -> dict[str, str]:
    return {
        "CODE_ASSIST_ENDPOINT": place.url,
        "GOOGLE_GENAI_USE_GCA": "true",
        "GOOGLE_CLOUD_ACCESS_TOKEN": "made-up",
        "GOOGLE_CLOUD_PROJECT": "some-project",
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


def _gemini(
    environment: Callable[[Place], dict[str, str]], set_up: Callable[[Place], None], config: str = ""
) -> CommandLine:
    return CommandLine(
        program=".bin/gemini",
        speaks="gemini",
        arguments=lambda place: ["--yolo", "--output-format", "json", "-m", place.model, "-p", PROMPT],
        environment=environment,
        text=_text,
        tokens=_tokens,
        set_up=set_up,
        config=config,
    )


GEMINI_CLI: Final[Mapping[str, CommandLine]] = {
    "gemini-cli": _gemini(_key, lambda place: _write_settings(place, "gemini-api-key")),
    "gemini-cli-account": _gemini(_account, _set_up_account, _ENDPOINT),
}
