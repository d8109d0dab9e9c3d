"""One run of a command-line client, alone with its proxy and its stub: prints the result as JSON.

    unshare --net python -m tests.clients.round_trip claude-code chat marker

Client, proxy and stub share one network namespace that has nothing but loopback, so that no client
can reach the world outside, and what a client calls at its start fails at once instead of hanging.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from .command_line import CLIENTS, Outcome, Place, run
from .roads import MODEL, Road, road
from .script import CutScript, MarkerScript

_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS of Linux
_UP: Final = 0x1 | 0x40  # IFF_UP, IFF_RUNNING


@attrs.frozen
class Scenario:
    """What happens to the client: how the model behaves, and which key the client has."""

    script: Callable[[Any], MarkerScript] = MarkerScript
    key: str | None = None


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "marker": Scenario(),
    "cut": Scenario(script=CutScript),
    "wrong-key": Scenario(key="sk-wrong"),
}


@attrs.frozen(kw_only=True)
class Result:
    """A run seen from both ends.

    ``asked`` are the bodies that the stub got, of requests that offer a shell; ``results`` the tool
    results in the last of them; ``streamed`` says of each whether it asked for a stream.
    """

    outcome: Outcome
    asked: list[Any]
    results: list[str]
    streamed: list[bool]


async def round_trip(client_name: str, road_name: str, scenario_name: str) -> Result:
    """Runs a client over a road."""
    client, scenario = CLIENTS[client_name], SCENARIOS[scenario_name]
    async with road(road_name, client.speaks) as way:
        script = scenario.script(way.upstream)
        way.stub.otherwise(script)
        with tempfile.TemporaryDirectory(prefix="ppap-client-") as home:
            outcome = await run(client, _place(way, scenario, Path(home)))
    return Result(
        outcome=outcome,
        asked=script.asked,
        results=script.results,
        streamed=[bool(body.get("stream")) for body in script.asked],
    )


def _place(way: Road, scenario: Scenario, home: Path) -> Place:
    return Place(url=way.base_url, key=scenario.key or way.key, model=MODEL, home=home)


def bring_up_loopback() -> None:
    """A new network namespace begins with its loopback device down. Outside of one, nothing happens."""
    with socket.socket() as any_socket, contextlib.suppress(PermissionError):
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP))


if __name__ == "__main__":
    bring_up_loopback()
    print(json.dumps(attrs.asdict(asyncio.run(round_trip(*sys.argv[1:])))))
