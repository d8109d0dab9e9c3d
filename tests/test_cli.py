"""The commands (config spec, 6; issue: `ppap serve|init|plugins|check|models`, `cli-proxy-api`)."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ppap_core.cli import cli
from ppap_core.errors import ConfigError
from ppap_core.reference_cli import UsageError, parse


def ppap(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_init_writes_a_private_file_and_shows_the_keys_once(tmp_path: Path) -> None:
    """pain 39: no default key exists anywhere; the management key is stored as a hash."""
    path = tmp_path / "config.yaml"
    done = ppap("init", "--config", str(path))
    assert done.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    management = done.output.split("management key")[1].split()[0]
    assert management not in path.read_text()
    assert ppap("check", str(path)).exit_code == 0
    again = ppap("init", "--config", str(path))
    assert again.exit_code != 0
    assert "left as it is" in again.output


def test_a_port_that_is_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(f"host: 127.0.0.1\nport: {port}\n")
        done = ppap("serve", "--config", str(path))
    assert done.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; free it, or set" in done.output


def test_check_tells_every_mistake_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("port: many\nrequest-retry: [1]\n")
    done = ppap("check", str(path))
    assert isinstance(done.exception, ConfigError)
    assert f"{path}:1:7: port" in str(done.exception)
    assert f"{path}:2:16: request-retry" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "told", "code"),
    [
        ("routing:\n  strategy: at-random\n", ":2:13: routing.strategy: expected one of fill-first, ", 1),
        ("model-catalogue:\n  - id: nobodys\n", ":2:5: model-catalogue[0]: no account serves", 0),
        ("max-requests: 1\n", "note: ", 0),
    ],
)
def test_check_tells_what_a_proxy_would(tmp_path: Path, text: str, told: str, code: int) -> None:
    """Also what only shows when all of it is put together, with its place."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    done = ppap("check", str(path))
    assert told in f"{done.output}{done.exception or ''}"
    assert done.exit_code == code


def test_check_warns_of_misspelt_keys(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("api-kyes: [x]\n")
    done = ppap("check", str(path))
    assert done.exit_code == 0
    assert "api-keys" in done.output


def test_plugins_are_listed_with_version_and_hooks(tmp_path: Path) -> None:
    done = ppap("plugins", "--config", str(tmp_path / "none.yaml"))
    rows = {line.split()[0]: line for line in done.output.splitlines()[1:] if line.strip()}
    assert {"openai", "claude", "demo"} <= set(rows)
    assert "loaded" in rows["demo"]
    assert "providers" in rows["demo"]


def test_models_are_listed_with_who_serves_them(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("demo: {model: my-demo}\n")
    assert ppap("models", "--config", str(path)).output == "my-demo\tdemo (demo)\n"


def test_a_missing_config_says_what_to_do(tmp_path: Path) -> None:
    done = ppap("serve", "--config", str(tmp_path / "none.yaml"))
    assert done.exit_code != 0
    assert "ppap init" in done.output


@pytest.mark.parametrize(
    "arguments",
    [["-config", "x.yaml"], ["--config", "x.yaml"], ["-config=x.yaml"], ["-local-model", "--config=x.yaml"]],
)
def test_the_references_flags_are_read_as_it_reads_them(arguments: list[str]) -> None:
    assert parse(arguments).config == Path("x.yaml")


def test_without_flags_the_references_command_takes_the_config_of_the_folder() -> None:
    assert parse([]).config == Path("config.yaml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-tui"], "-tui is not served by this version"),
        (["-some-login"], "-some-login is not served"),
        (["-config"], "-config needs a value"),
        (["serve"], "unexpected argument 'serve'"),
    ],
)
def test_flags_that_are_not_served_say_so(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(arguments)
