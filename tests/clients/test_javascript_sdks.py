"""The SDKs for JavaScript, each with a list of checks (`sdks/`), through the proxy to every upstream kind."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ppap_core.testing import Answer, ReceivedRequest, whole

from ..dialects import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, THOUGHT, Call, Turn, answer
from .command_line import INSTALLED
from .roads import AT_ONCE, MODEL, PROXIED, Road, road
from .runs import require_installed

pytestmark = pytest.mark.client
PATIENCE = 60.0
"""Seconds for a whole list of checks."""
CALLS = [Call("call_a", "look_up", {"word": "one"}), Call("call_b", "look_up", {"word": "two"})]
FOUND = ["found one", "found two"]
SAID = "Hello, world"
RESPONDED = [SAID, "completed", INPUT_TOKENS, OUTPUT_TOKENS]
CHATTED = [SAID, "stop", INPUT_TOKENS, OUTPUT_TOKENS]
ANSWERED = [
    THOUGHT,
    SAID,
    "end_turn",
    INPUT_TOKENS - CACHED_TOKENS,
    CACHED_TOKENS,
    OUTPUT_TOKENS,
]
GENERATED = [SAID, "STOP", INPUT_TOKENS, INPUT_TOKENS + OUTPUT_TOKENS]
EXPECTED: dict[str, dict[str, Any]] = {
    "openai": {
        "models": [True, True],
        "chat": CHATTED,
        "chat stream": CHATTED,
        "chat tools": ["Both found", FOUND],
        "chat tools stream": ["Both found", FOUND],
        "responses": RESPONDED,
        "responses stream": RESPONDED,
        "responses tools": ["Both found", ["call_a", "call_b"]],
        "responses tools stream": ["Both found", ["call_a", "call_b"]],
        "wrong key": "AuthenticationError 401",
        "unknown model": "NotFoundError 404",
    },
    "anthropic": {
        "models": [True, False],
        "message": ANSWERED,
        "stream": ANSWERED,
        "tools": ["Both found", FOUND],
        "tools stream": ["Both found", FOUND],
        "tokens": True,
        "auth token": SAID,
        "wrong key": "AuthenticationError 401",
        "unknown model": "NotFoundError 404",
    },
    "google": {
        "models": [True, f"models/{MODEL}"],
        "content": GENERATED,
        "stream": GENERATED,
        "tools": ["Both found", FOUND],
        "tools stream": ["Both found", FOUND],
        "tokens": True,
        "wrong key": "ApiError 401",
        "unknown model": "ApiError 404",
    },
}
"""SDK and check → what the check has to give, whatever the upstream."""
PACKAGES = {"openai": "openai", "anthropic": "@anthropic-ai/sdk", "google": "@google/genai"}


@pytest.mark.parametrize("upstream", PROXIED)
@pytest.mark.parametrize("sdk", EXPECTED)
async def test_list_of_checks(sdk: str, upstream: str) -> None:
    """Lists, answers, streams, rounds of tools and refusals are the same on every upstream kind."""
    require_installed(INSTALLED / PACKAGES[sdk])
    async with road(upstream, "chat", config=AT_ONCE) as way:
        way.stub.otherwise(lambda request: _as_asked(way, request))
        assert await _told(sdk, way) == EXPECTED[sdk]


def _as_asked(way: Road, request: ReceivedRequest) -> Answer:
    """Calls where tools are offered and none was answered yet, else words; counts where asked to."""
    if "count" in request.path:
        return whole(b'{"input_tokens": 17, "totalTokens": 17}')
    body = request.json()
    turn = Turn(text=SAID, thought=THOUGHT)
    if way.upstream.results(body):
        turn = Turn(text="Both found")
    elif way.upstream.tools(body):
        turn = Turn(text="Looking.", calls=CALLS)
    return answer(way.upstream, request, turn)


async def _told(sdk: str, way: Road) -> Any:
    script = Path(__file__).parent / "sdks" / f"{sdk}.mjs"
    process = await asyncio.create_subprocess_exec(
        shutil.which("node") or "node",
        script,
        INSTALLED,
        way.base_url,
        way.key,
        MODEL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    output, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert output, errors.decode()
    return json.loads(output)
