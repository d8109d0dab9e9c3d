"""The proxies a run can measure: how each is configured for the stub and started on a free port."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import attrs
import yaml

from .answers import ANSWERS
from .figures import FLOOR
from .load import Load
from .requests import API_KEY

ROOT: Final = Path(__file__).resolve().parent.parent

MANY: Final = "10000"  # connections: more than any load opens


@attrs.frozen
class Command:
    """What to start, and with which environment on top of a minimal one."""

    argv: tuple[str, ...]
    environment: dict[str, str]


class Server(Protocol):
    """A proxy to be measured."""

    @property
    def name(self) -> str: ...

    @property
    def held_streams(self) -> int:
        """How many streams it is asked to hold open at most."""
        ...

    @property
    def ready_within(self) -> float:
        """Seconds from its start to its first answer, at most."""
        ...

    def serves(self, load: Load | None) -> bool:
        """Whether it can take this load; `None`: whether its start and memory are of interest."""
        ...

    def configure(self, directory: Path, port: int, stub_port: int) -> Command:
        """Writes its files into `directory`; it must listen on loopback at `port`."""
        ...


@attrs.frozen
class Ppap:
    """This project, with every plugin that is installed."""

    name: str = "ppap"
    transport: str | None = None
    """A value for `upstream.transport`; None leaves the setting out."""
    held_streams: int = 5000
    ready_within: float = 20.0

    def serves(self, load: Load | None) -> bool:
        return True

    def configure(self, directory: Path, port: int, stub_port: int) -> Command:
        provider = {
            "name": "stub",
            "base-url": f"http://127.0.0.1:{stub_port}/v1",
            "api-key-entries": [{"api-key": "k"}],
            "models": [{"name": model} for model in ANSWERS],
        }
        settings: dict[str, object] = {"max-connections-per-host": 0}  # all held streams go to one host
        config: dict[str, object] = {
            "host": "127.0.0.1",
            "port": port,
            "api-keys": [API_KEY],
            "auth-dir": str(directory / "auths"),
            "upstream": settings,
            "openai-compatibility": [provider],
            "claude-api-key": [],
        }
        if self.transport is not None:
            settings["transport"] = self.transport
        path = _write_yaml(directory, config)
        return Command((sys.executable, "-m", "ppap_core", "serve", "--config", str(path)), {})


@attrs.frozen
class LiteLLM:
    """LiteLLM's proxy in its own environment (`peer.install`): one worker, no database, no callbacks.

    `/v1/messages` is mapped onto chat, which the environment variable below asks for; without it this
    version sends Responses requests (`litellm/__init__.py` of 1.106.2).
    """

    program: Path
    name: str = "litellm"
    held_streams: int = 1000
    ready_within: float = 90.0

    def serves(self, load: Load | None) -> bool:
        return True

    def configure(self, directory: Path, port: int, stub_port: int) -> Command:
        base = f"http://127.0.0.1:{stub_port}/v1"
        models = [
            {
                "model_name": model,
                "litellm_params": {"model": f"openai/{model}", "api_base": base, "api_key": "k"},
            }
            for model in ANSWERS
        ]
        config: dict[str, object] = {
            "model_list": models,
            "general_settings": {"master_key": API_KEY},
            "litellm_settings": {"telemetry": False},
        }
        path = _write_yaml(directory, config)
        options = ("--host", "127.0.0.1", "--port", str(port), "--num_workers", "1", "--telemetry", "False")
        environment = {
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "AIOHTTP_CONNECTOR_LIMIT": MANY,  # to upstreams, all and per host: 1000 and 500 if left out
            "AIOHTTP_CONNECTOR_LIMIT_PER_HOST": MANY,
            "LITELLM_USE_CHAT_COMPLETIONS_URL_FOR_ANTHROPIC_MESSAGES": "True",
        }
        return Command((str(self.program), "--config", str(path), *options), environment)


@attrs.frozen
class Floor:
    """What any proxy in this language costs here: bytes passed on, unread (`floor.py`)."""

    name: str = FLOOR
    held_streams: int = 0
    ready_within: float = 10.0

    def serves(self, load: Load | None) -> bool:
        return load is not None and load.surface == "chat"

    def configure(self, directory: Path, port: int, stub_port: int) -> Command:
        return Command((sys.executable, "-m", "benchmarks.floor", str(port), str(stub_port)), {})


def environment(command: Command, directory: Path) -> dict[str, str]:
    """No settings of the user's reach a measured proxy; its home is the temporary directory."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT) if command.argv[0] == sys.executable else "",
        **command.environment,
    }


def _write_yaml(directory: Path, config: Mapping[str, object]) -> Path:
    path = directory / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path
