"""A model that proves a tool round trip: it asks for a command, and believes only its output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ppap_core.testing import Answer, Framing, ReceivedRequest, cut_after, whole

from ..dialects import THOUGHT, Call, Dialect, Turn, answer

COMMAND: Final = "printf MARKER_%s 42"
"""Its output is not in its own text, so a client that echoes the call proves nothing."""
MARKER: Final = "MARKER_42"
FINAL_TEXT: Final = "The marker came back."
SHELL_TOOLS: Final = ("bash", "shell", "exec_command", "run_shell_command")


@attrs.define
class MarkerScript:
    """Answers as a model would; ``asked`` are the decoded bodies of requests that offer a shell."""

    dialect: Dialect
    asked: list[Mapping[str, Any]] = attrs.field(factory=list)

    def __call__(self, request: ReceivedRequest) -> Answer:
        if request.method != "POST":
            return whole(b"{}")
        body = request.json()
        tools = self.dialect.tools(body)
        shell = next((name for name in tools if name.lower() in SHELL_TOOLS), None)
        if shell is None:
            return answer(self.dialect, request, Turn(text="A title"))
        self.asked.append(body)
        if any(MARKER in result for result in self.dialect.results(body)):
            return answer(self.dialect, request, Turn(text=FINAL_TEXT))
        call = Call("call_marker_1", shell, filled(tools[shell]))
        return answer(self.dialect, request, Turn(text="Printing.", calls=[call], thought=THOUGHT))

    @property
    def results(self) -> list[str]:
        """The tool results of the last request."""
        return self.dialect.results(self.asked[-1]) if self.asked else []


@attrs.define
class CutScript(MarkerScript):
    """The same, but the first stream is cut after its first word."""

    def __call__(self, request: ReceivedRequest) -> Answer:
        answer = super().__call__(request)
        first = len(self.asked) == 1 and answer.framing is Framing.CHUNKED
        return cut_after(self._frames_of_a_word(answer))(answer) if first else answer

    def _frames_of_a_word(self, answer: Answer) -> int:
        frames = [frame for frame in answer.frames if isinstance(frame, bytes)]
        return next(number for number, frame in enumerate(frames, 1) if b"The m" in frame)


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
