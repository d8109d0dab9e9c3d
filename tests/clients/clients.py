"""All command-line clients by name; one program can stand here in several set-ups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .claude_code import CLAUDE_CODE
from .codex_cli import CODEX_CLI
from .command_line import CommandLine
from .gemini_cli import GEMINI_CLI
from .opencode import OPENCODE

CLIENTS: Final[Mapping[str, CommandLine]] = {**CLAUDE_CODE, **CODEX_CLI, **GEMINI_CLI, **OPENCODE}
