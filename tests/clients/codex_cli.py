"""Codex CLI with a provider of its own over HTTP, and an older one with a ChatGPT account (clients, 3)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from .command_line import PROMPT, CommandLine, Place, Tokens

_ALWAYS: Final = """\
model = "{model}"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
"""
_OWN_PROVIDER: Final = """\
model_provider = "ppap"
[analytics]
enabled = false
[model_providers.ppap]
name = "ppap"
base_url = "{url}{base}"
wire_api = "responses"
env_key = "PPAP_KEY"
request_max_retries = 2
stream_max_retries = 2
"""
_ACCOUNT: Final = """\
chatgpt_base_url = "{url}/backend-api/"
openai_base_url = "{url}/backend-api/codex"
[analytics]
enabled = false
"""


def _write_config(place: Place, text: str, **values: str) -> None:
    folder = place.home / "codex"
    folder.mkdir()
    config = (_ALWAYS + text).format(url=place.url, model=place.model, **values)
    (folder / "config.toml").write_text(config)


def _set_up_account(place: Place) -> None:
    """A made-up account whose access token is the proxy's client key."""
    _write_config(place, _ACCOUNT)
    account = {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "pro", "chatgpt_user_id": "user-1"}
    claims = {
        "email": "someone@example.com",
        "exp": 4_102_444_800,
        "https://api.openai.com/auth": account,
    }
    tokens = {
        "id_token": _unsigned(claims),
        "access_token": place.key,
        "refresh_token": "made-up",
        "account_id": "acc-1",
    }
    auth = {"OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": "2099-01-01T00:00:00Z"}
    (place.home / "codex" / "auth.json").write_text(json.dumps(auth))


def _unsigned(claims: Mapping[str, Any]) -> str:
    """A token of the form that the client reads; nobody checks its signature."""
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def _environment(place: Place) -> dict[str, str]:
    return {"CODEX_HOME": str(place.home / "codex"), "PPAP_KEY": place.key}


def _events(output: str, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [event for event in events if event["type"] == kind]


def _text(output: str) -> str:
    """The last answer, or why there is none."""
    said = [event["item"] for event in _events(output, "item.completed")]
    answers = [item["text"] for item in said if item["type"] == "agent_message"]
    failures = [event["error"]["message"] for event in _events(output, "turn.failed")]
    return str([*answers, *failures][-1])


def _tokens(output: str) -> Tokens:
    usage = _events(output, "turn.completed")[-1]["usage"]
    return Tokens(
        input=usage["input_tokens"] - usage["cached_input_tokens"],
        cache_read=usage["cached_input_tokens"],
        output=usage["output_tokens"],
    )


def _codex(program: str, set_up: Any) -> CommandLine:
    return CommandLine(
        program=program,
        speaks="responses",
        arguments=lambda place: ["exec", "--skip-git-repo-check", "--json", PROMPT],
        environment=_environment,
        text=_text,
        tokens=_tokens,
        set_up=set_up,
    )


CODEX_CLI: Final[Mapping[str, CommandLine]] = {
    "codex": _codex(".bin/codex", lambda place: _write_config(place, _OWN_PROVIDER, base="/v1")),
    "codex-backend": _codex(
        ".bin/codex", lambda place: _write_config(place, _OWN_PROVIDER, base="/backend-api/codex")
    ),
    "codex-account": _codex("codex-of-2025/bin/codex.js", _set_up_account),
}
