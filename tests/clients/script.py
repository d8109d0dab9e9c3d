"""A model that proves a tool round trip: it asks for a command, and believes only its output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
import zstandard

from ppap_core.testing import Answer, ReceivedRequest, whole

from ..dialects import THOUGHT, Call, Dialect, Turn, answer
from .misfortunes import Misfortune

COMMAND: Final = "printf MARKER_%s 42"
"""Its output is not in its own text, so a client that echoes the call proves nothing."""
MARKER: Final = "MARKER_42"
ROUNDS: Final = 3
FINAL_TEXT: Final = "The marker came back."
ACCOUNT: Final = b'{"currentTier": {"id": "standard-tier"}, "cloudaicompanionProject": "some-project"}'
"""What Google knows of the account that Gemini CLI is logged in with."""
SHELL_TOOLS: Final = ("bash", "shell", "exec_command", "run_shell_command")


@attrs.frozen(kw_only=True)
class Asked:
    """A request that offers a shell, as the stub got it."""

    body: Any
    streamed: bool
    encoding: str


@attrs.define
class MarkerScript:
    """Answers as a model would, that wants its command run `ROUNDS` times.

    ``misfortune`` makes of an answer, and its number among those for requests that offer a shell,
    what the client gets in its stead.
    """

    dialect: Dialect
    misfortune: Misfortune
    asked: list[Asked] = attrs.field(factory=list)

    def __call__(self, request: ReceivedRequest) -> Answer:
        if request.method != "POST":
            return _no_socket() if "upgrade" in request.headers else whole(b"{}")
        if request.path.startswith("/v1internal:"):
            return whole(ACCOUNT)
        request = _plain(request)
        tools = self.dialect.tools(request.json())
        shell = next((name for name in tools if name.lower() in SHELL_TOOLS), None)
        if shell is None:
            return answer(self.dialect, request, Turn(text="A title"))
        self.asked.append(
            Asked(
                body=request.json(),
                streamed=self.dialect.streams(request),
                encoding=request.headers.get("content-encoding", ""),
            )
        )
        healthy = answer(self.dialect, request, self._turn(shell, tools[shell]))
        return self.misfortune(self.dialect, len(self.asked), healthy)

    @property
    def results(self) -> list[str]:
        """The tool results of the last request."""
        return self.dialect.results(self.asked[-1].body) if self.asked else []

    def _turn(self, shell: str, schema: Mapping[str, Any]) -> Turn:
        rounds = sum(MARKER in result for result in self.results)
        if rounds == ROUNDS:
            return Turn(text=FINAL_TEXT)
        call = Call(f"call_marker_{rounds + 1}", shell, filled(schema))
        return Turn(text="Printing.", calls=[call], thought=THOUGHT)


def _no_socket() -> Answer:
    return whole(b"", status=426)


def _plain(request: ReceivedRequest) -> ReceivedRequest:
    """The request with its body unpacked."""
    if request.headers.get("content-encoding") != "zstd":
        return request
    with zstandard.ZstdDecompressor().stream_reader(request.body) as packed:
        return attrs.evolve(request, body=packed.read())


def filled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that satisfy a shell tool's schema and run `COMMAND`."""
    properties = schema.get("properties", {})
    required = schema.get("required") or list(properties)
    arguments = {name: _value(name, properties.get(name, {})) for name in required}
    assert COMMAND in json.dumps(arguments), f"no argument of the shell tool takes a command: {schema}"
    return arguments


def _value(name: str, schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if name in ("command", "cmd"):
        return ["sh", "-c", COMMAND] if schema.get("type") == "array" else COMMAND
    by_type: dict[str, Any] = {
        "number": 10_000,
        "integer": 10_000,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return by_type.get(schema.get("type", "string"), "Prints a marker")
