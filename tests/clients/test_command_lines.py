"""Claude Code and opencode, each with a full tool round trip on both upstream kinds.

A pass proves: request accepted, tool call decoded, tool run by the client, its result sent back,
final text shown. Exit codes alone prove nothing: both clients can exit 0 without an answer.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..dialects import THOUGHT
from ..dialects.messages import SIGNATURE
from .roads import DIRECT, PROXIED, ROADS
from .script import FINAL_TEXT, MARKER

pytestmark = [pytest.mark.client, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
ROUND_TRIPS = ["claude-code", "opencode-chat", "opencode-messages"]
CLAUDES = ["claude-code", "claude-code-api-key"]
PATIENCE = 150.0
"""Seconds for a run with all that belongs to it."""


@functools.cache
def alone() -> list[str]:
    """The start of a command that runs with nothing but loopback; empty where that is not allowed."""
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    found = shutil.which("unshare") is not None
    return (
        unshare if found and subprocess.run([*unshare, "true"], capture_output=True).returncode == 0 else []
    )


@functools.cache
def ran(client: str, road: str, scenario: str = "marker") -> Any:
    """The result of a run, decoded; made once, because several tests look at it."""
    command = [*alone(), sys.executable, "-m", "tests.clients.round_trip", client, road, scenario]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("installed", ROUND_TRIPS, indirect=True)
def test_tool_round_trip(installed: str, road: str) -> None:
    """The tool that the model asked for is run, its output reaches the model, the answer is shown."""
    result = ran(installed, road)
    assert any(MARKER in brought for brought in result["results"]), result["outcome"]["output"]
    assert result["outcome"]["text"] == FINAL_TEXT
    assert result["outcome"]["exit_code"] == 0
    assert result["streamed"] == [True, True]


@pytest.mark.parametrize("road", PROXIED)
@pytest.mark.parametrize("installed", ROUND_TRIPS, indirect=True)
def test_tokens_are_those_of_a_direct_run(installed: str, road: str) -> None:
    """A client counts the same tokens with and without the proxy, on either upstream kind (pain 30)."""
    assert ran(installed, road)["outcome"]["tokens"] == ran(installed, DIRECT)["outcome"]["tokens"]


@pytest.mark.parametrize("installed", ["claude-code", "opencode-messages"], indirect=True)
def test_a_thought_comes_back_unchanged(installed: str) -> None:
    """Thinking and its signature make the way to the client and back to the byte (pain 23)."""
    last = ran(installed, "messages")["asked"][-1]
    blocks = [
        block
        for message in last["messages"]
        if message["role"] == "assistant"
        for block in message["content"]
    ]
    assert {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE} in blocks


@pytest.mark.parametrize("installed", ["claude-code"], indirect=True)
def test_a_system_message_among_the_others_is_kept(installed: str) -> None:
    """A message with role `system` stays where the client put it when its own format goes upstream."""
    direct, proxied = (ran(installed, road)["asked"][0]["messages"] for road in (DIRECT, "messages"))
    roles = [message["role"] for message in proxied]
    assert "system" in roles
    assert roles == [message["role"] for message in direct]


@pytest.mark.parametrize("road", PROXIED)
@pytest.mark.parametrize("installed", ["claude-code"], indirect=True)
def test_a_stream_that_is_cut_is_asked_again_whole(installed: str, road: str) -> None:
    """After a broken stream this client repeats its turn once, not streamed, and is answered (pain 13).

    It does so only if no block was closed before the error: a closed one counts as half an answer.
    """
    result = ran(installed, road, "cut")
    assert result["streamed"] == [True, False, True]
    assert result["outcome"]["text"] == FINAL_TEXT


@pytest.mark.parametrize("installed", CLAUDES, indirect=True)
def test_a_wrong_key(installed: str) -> None:
    """A wrong key ends the run with exit code 1, and the words say what is wrong."""
    result = ran(installed, "messages", "wrong-key")
    assert result["outcome"]["exit_code"] == 1
    assert "Invalid API key" in result["outcome"]["text"]
    assert result["asked"] == []


@pytest.mark.parametrize("installed", ["claude-code-api-key"], indirect=True)
def test_a_key_in_the_other_header(installed: str) -> None:
    """The client key is found in `x-api-key` as well as in `Authorization`."""
    assert ran(installed, "messages")["outcome"]["text"] == FINAL_TEXT
