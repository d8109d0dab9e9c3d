"""Codex CLI, Claude Code, Gemini CLI and opencode, each with whole rounds of tools on several upstream kinds.

A pass proves: request accepted, tool call decoded, tool run by the client, its result sent back,
final text shown. Exit codes alone prove nothing: these clients can exit 0 without an answer.
"""

from __future__ import annotations

import pytest

from ..dialects import THOUGHT, gemini, messages, responses
from .misfortunes import SEEN_AS
from .roads import DIRECT
from .runs import Run, cells
from .script import FINAL_TEXT, MARKER, ROUNDS

pytestmark = [pytest.mark.client, pytest.mark.slow]

ROUND_TRIPS = cells(
    ("codex", [DIRECT, "responses", "messages", "gemini", "chat"]),
    ("codex-backend", [DIRECT, "responses"]),
    ("codex-account", [DIRECT, "responses"]),
    ("claude-code", [DIRECT, "messages", "responses", "gemini", "chat"]),
    ("gemini-cli", [DIRECT, "gemini", "messages", "responses", "chat"]),
    ("opencode-chat", [DIRECT, "responses", "messages"]),
    ("opencode-responses", [DIRECT, "chat"]),
    ("opencode-messages", [DIRECT, "messages"]),
    ("opencode-gemini", [DIRECT, "gemini"]),
)
"""Lines 1, 5, 10, 11, 16, 17, 19 and 20 of the acceptance list (clients, 10)."""
ACCOUNTS = cells(("gemini-cli-account", ["gemini", "messages"]))
"""What speaks to the proxy in words that no upstream here knows, and so cannot go without it."""
THROUGH_THE_PROXY = [run for run in ROUND_TRIPS if run.road != DIRECT]
MISFORTUNES = ("refused-401", "refused-429", "refused-500", "refused-529", "told", "cut")
BROKEN = [
    (run, run.direct(SEEN_AS.get(scenario, scenario)))
    for scenario in MISFORTUNES
    for run in cells(
        ("codex", ["responses"]),
        ("claude-code", ["messages"]),
        ("gemini-cli", ["gemini"]),
        scenario=scenario,
    )
]
"""Line 32: each client on its own format, and the run without the proxy that it is compared with."""


@pytest.fixture(scope="module", autouse=True)
def _started(request: pytest.FixtureRequest) -> None:
    """Starts all runs that the chosen tests look at, so that they run side by side."""
    for item in request.session.items:
        for parameter in item.callspec.params.values() if hasattr(item, "callspec") else ():
            if isinstance(parameter, Run):
                parameter.start()


@pytest.mark.parametrize("run", ROUND_TRIPS + ACCOUNTS, ids=str)
def test_rounds_of_tools(run: Run) -> None:
    """Each tool that the model asks for is run, its output reaches the model, the answer is shown."""
    result = run.result()
    assert result["outcome"]["text"] == FINAL_TEXT, result["outcome"]["output"]
    assert result["outcome"]["exit_code"] == 0
    assert [MARKER in brought for brought in result["results"]] == [True] * ROUNDS
    assert [asked["streamed"] for asked in result["asked"]] == [True] * (ROUNDS + 1)


@pytest.mark.parametrize("run", THROUGH_THE_PROXY, ids=str)
def test_tokens_are_those_of_a_direct_run(run: Run) -> None:
    """A client counts the same tokens with and without the proxy, on any upstream kind (pain 30)."""
    assert run.result()["outcome"]["tokens"] == run.direct().result()["outcome"]["tokens"]


@pytest.mark.parametrize(("run", "without"), BROKEN, ids=str)
def test_what_befalls_a_client_ends_as_it_does_without_the_proxy(run: Run, without: Run) -> None:
    """A refusal, an error in the stream and a cut end with the words and the exit code of a direct run."""
    told, expected = run.result()["outcome"], without.result()["outcome"]
    assert told["text"] == expected["text"], told["output"]
    assert told["exit_code"] == expected["exit_code"]


@pytest.mark.parametrize(
    "run", cells(("claude-code", ["messages"]), ("opencode-messages", ["messages"])), ids=str
)
def test_a_thought_comes_back_unchanged(run: Run) -> None:
    """Thinking and its signature make the way to the client and back to the byte (pain 23)."""
    blocks = [
        block
        for message in run.result()["asked"][-1]["body"]["messages"]
        if message["role"] == "assistant"
        for block in message["content"]
    ]
    thought = {"type": "thinking", "thinking": THOUGHT, "signature": messages.SIGNATURE}
    assert blocks.count(thought) == ROUNDS


@pytest.mark.parametrize("run", cells(("codex", ["responses"])), ids=str)
def test_encrypted_reasoning_comes_back_unchanged(run: Run) -> None:
    """Every reasoning item comes back before its call, encrypted as it was given (pain 23)."""
    items = run.result()["asked"][-1]["body"]["input"]
    kept = [item["encrypted_content"] for item in items if item.get("type") == "reasoning"]
    assert kept == [responses.ENCRYPTED] * ROUNDS
    kinds = [item["type"] for item in items if item.get("type") in ("reasoning", "function_call")]
    assert kinds == ["reasoning", "function_call"] * ROUNDS


@pytest.mark.parametrize(
    ("run", "model"),
    [
        (Run("codex", "responses", "level-in-brackets"), "gpt-5.5"),
        (Run("codex", "responses", "level-at-the-end"), "gpt-5.3-codex-spark"),
    ],
    ids=str,
)
def test_a_level_in_the_name_of_the_model(run: Run, model: str) -> None:
    """The upstream sees the model without the level, and the level as effort (line 7)."""
    result = run.result()
    assert result["outcome"]["text"] == FINAL_TEXT, result["outcome"]["output"]
    asked = {(one["body"]["model"], one["body"]["reasoning"]["effort"]) for one in result["asked"]}
    assert asked == {(model, "high")}


@pytest.mark.parametrize("run", cells(("codex-account", [DIRECT, "responses"])), ids=str)
def test_packed_bodies_are_unpacked(run: Run) -> None:
    """This client packs its bodies with zstd; an upstream gets them plain (clients, 3)."""
    packings = {one["encoding"] for one in run.result()["asked"]}
    assert packings == {"zstd" if run.road == DIRECT else ""}


@pytest.mark.parametrize(
    "run", cells(("gemini-cli", ["gemini"]), ("gemini-cli-account", ["gemini"])), ids=str
)
def test_a_thought_signature_comes_back_on_its_call(run: Run) -> None:
    """Every call in the history carries the signature that it came with (pain 23)."""
    contents = run.result()["asked"][-1]["body"]["contents"]
    calls = [part for content in contents for part in content["parts"] if "functionCall" in part]
    assert [call.get("thoughtSignature") for call in calls] == [gemini.SIGNATURE] * ROUNDS


@pytest.mark.parametrize("run", cells(("gemini-cli", ["messages", "responses", "chat"])), ids=str)
def test_the_id_of_a_call_comes_back_with_its_result(run: Run) -> None:
    """A call has the same id upstream when it comes back, and its result names that id."""
    history = str(run.result()["asked"][-1]["body"])
    ids = [f"call_marker_{number}" for number in range(1, ROUNDS + 1)]
    assert [history.count(f"'{call_id}'") for call_id in ids] == [2] * ROUNDS


@pytest.mark.parametrize("run", cells(("claude-code", ["messages"])), ids=str)
def test_a_system_message_among_the_others_is_kept(run: Run) -> None:
    """A message with role `system` stays where the client put it when its own format goes upstream."""
    proxied, direct = (
        [message["role"] for message in each.result()["asked"][0]["body"]["messages"]]
        for each in (run, run.direct())
    )
    assert "system" in proxied
    assert proxied == direct


@pytest.mark.parametrize("run", cells(("claude-code", ["messages", "chat"]), scenario="cut"), ids=str)
def test_a_stream_that_is_cut_is_asked_again_whole(run: Run) -> None:
    """After a broken stream this client repeats its turn once, not streamed, and is answered (pain 13).

    It does so only if no block was closed before the error: a closed one counts as half an answer.
    """
    result = run.result()
    assert [asked["streamed"] for asked in result["asked"]] == [True, False, *[True] * ROUNDS]
    assert result["outcome"]["text"] == FINAL_TEXT


@pytest.mark.parametrize(
    "run",
    cells(("claude-code", ["messages"]), ("claude-code-api-key", ["messages"]), scenario="wrong-key"),
    ids=str,
)
def test_a_wrong_key(run: Run) -> None:
    """A wrong key ends the run with exit code 1, and the words say what is wrong."""
    result = run.result()
    assert result["outcome"]["exit_code"] == 1
    assert "Invalid API key" in result["outcome"]["text"]
    assert result["asked"] == []


@pytest.mark.parametrize("run", cells(("claude-code-api-key", ["messages"])), ids=str)
def test_a_key_in_the_other_header(run: Run) -> None:
    """The client key is found in `x-api-key` as well as in `Authorization`."""
    assert run.result()["outcome"]["text"] == FINAL_TEXT
