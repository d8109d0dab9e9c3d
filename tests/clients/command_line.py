"""How each command-line client is pointed at an address, started, and what it says at its end."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

PROMPT: Final = "Print the marker with the shell tool."
PATIENCE: Final = 90.0
"""Seconds; a client that asks again for ever is stopped then."""
INSTALLED: Final = Path(__file__).parents[2] / "build" / "clients" / "node_modules" / ".bin"


@attrs.frozen(kw_only=True)
class Place:
    """Where a client runs and what it talks to. ``url`` has no ``/v1``; ``home`` is empty at first."""

    url: str
    key: str
    model: str
    home: Path


@attrs.frozen(kw_only=True)
class Tokens:
    """What the client counted over a whole run; ``input`` is without what the cache covered."""

    input: int
    cache_read: int
    output: int


@attrs.frozen(kw_only=True)
class Outcome:
    """What is left of a run. ``text`` is the final answer as the client shows it.

    ``tokens`` is ``None`` where the client told none. ``output`` is all that it printed.
    """

    exit_code: int
    text: str
    tokens: Tokens | None
    output: str


@attrs.frozen(kw_only=True)
class CommandLine:
    """A client: the dialect it speaks, how it is set up and started, how its output is read.

    The readers raise ``ValueError`` or ``LookupError`` for an output without an answer.
    """

    program: str
    speaks: str
    arguments: Callable[[Place], list[str]]
    environment: Callable[[Place], dict[str, str]]
    text: Callable[[str], str]
    tokens: Callable[[str], Tokens]
    set_up: Callable[[Place], None] = lambda place: None

    @property
    def path(self) -> Path:
        return INSTALLED / self.program


# --- Claude Code -------------------------------------------------------------------------------


def _claude_environment(key_variable: str) -> Callable[[Place], dict[str, str]]:
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


def _claude_text(output: str) -> str:
    return str(json.loads(output.strip().splitlines()[-1])["result"])


def _claude_tokens(output: str) -> Tokens:
    usage = json.loads(output.strip().splitlines()[-1])["usage"]
    return Tokens(
        input=usage["input_tokens"],
        cache_read=usage["cache_read_input_tokens"],
        output=usage["output_tokens"],
    )


def _claude(key_variable: str) -> CommandLine:
    return CommandLine(
        program="claude",
        speaks="messages",
        arguments=lambda place: ["-p", "--output-format", "json", "--dangerously-skip-permissions", PROMPT],
        environment=_claude_environment(key_variable),
        text=_claude_text,
        tokens=_claude_tokens,
    )


# --- opencode ----------------------------------------------------------------------------------


def _opencode_set_up(package: str) -> Callable[[Place], None]:
    def set_up(place: Place) -> None:
        model = {"name": place.model, "tool_call": True, "limit": {"context": 200000, "output": 32000}}
        provider = {
            "npm": package,  # comes inside the client's own binary: nothing is fetched
            "options": {"baseURL": f"{place.url}/v1", "apiKey": place.key},
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


def _opencode_environment(place: Place) -> dict[str, str]:
    switches = ("AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD")
    return {f"OPENCODE_DISABLE_{switch}": "1" for switch in switches}


def _opencode_parts(output: str, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [event["part"] for event in events if event["type"] == kind]


def _opencode_text(output: str) -> str:
    return str(_opencode_parts(output, "text")[-1]["text"])


def _opencode_tokens(output: str) -> Tokens:
    steps = [part["tokens"] for part in _opencode_parts(output, "step_finish")]
    return Tokens(
        input=sum(step["input"] for step in steps),
        cache_read=sum(step["cache"]["read"] for step in steps),
        output=sum(step["output"] for step in steps),
    )


def _opencode(package: str, speaks: str) -> CommandLine:
    return CommandLine(
        program="opencode",
        speaks=speaks,
        arguments=lambda place: ["run", "--format", "json", "-m", f"ppap/{place.model}", PROMPT],
        environment=_opencode_environment,
        text=_opencode_text,
        tokens=_opencode_tokens,
        set_up=_opencode_set_up(package),
    )


CLIENTS: Final[Mapping[str, CommandLine]] = {
    "claude-code": _claude("ANTHROPIC_AUTH_TOKEN"),
    "claude-code-api-key": _claude("ANTHROPIC_API_KEY"),
    "opencode-chat": _opencode("@ai-sdk/openai-compatible", "chat"),
    "opencode-messages": _opencode("@ai-sdk/anthropic", "messages"),
}


# --- a run -------------------------------------------------------------------------------------


async def run(client: CommandLine, place: Place) -> Outcome:
    """Runs a client in an empty environment. Raises `TimeoutError` after `PATIENCE`."""
    client.set_up(place)
    work = place.home / "work"
    work.mkdir()
    process = await asyncio.create_subprocess_exec(
        client.path,
        *client.arguments(place),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=work,
        env=_environment(place) | client.environment(place),
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    told = output.decode(errors="replace")
    return Outcome(
        exit_code=process.returncode or 0,
        text=_read(client.text, told) or "",
        tokens=_read(client.tokens, told),
        output=told + errors.decode(errors="replace"),
    )


def _environment(place: Place) -> dict[str, str]:
    node = Path(shutil.which("node") or "/usr/bin/node").parent
    return {
        "HOME": str(place.home),
        "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin",
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "CI": "1",
    }


Value = TypeVar("Value")


def _read(reader: Callable[[str], Value], output: str) -> Value | None:
    try:
        return reader(output)
    except (ValueError, LookupError):
        return None
