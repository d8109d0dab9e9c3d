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
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import attrs

from .clients import CLIENTS
from .command_line import Outcome, Place, run
from .misfortunes import MISFORTUNES, Misfortune, none
from .roads import AS_IT_COMES, MODEL, road
from .script import Asked, MarkerScript

_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS of Linux
_UP: Final = 0x1 | 0x40  # IFF_UP, IFF_RUNNING


@attrs.frozen(kw_only=True)
class Scenario:
    """What happens to the client: what befalls the answers, which key it has, which model it wants."""

    misfortune: Misfortune = none
    key: str | None = None
    model: str = MODEL


SCENARIOS: Final[Mapping[str, Scenario]] = {
    **{name: Scenario(misfortune=misfortune) for name, misfortune in MISFORTUNES.items()},
    "wrong-key": Scenario(key="sk-wrong"),
    "level-in-brackets": Scenario(model="gpt-5.5(high)"),
    "level-at-the-end": Scenario(model="gpt-5.3-codex-spark-high"),
}


@attrs.frozen(kw_only=True)
class Result:
    """A run seen from both ends.

    ``asked`` are the requests that offer a shell, as the stub got them; ``results`` the tool results
    in the last of them.
    """

    outcome: Outcome
    asked: list[Asked]
    results: list[str]


async def round_trip(client_name: str, road_name: str, scenario_name: str) -> Result:
    """Runs a client over a road."""
    client, scenario = CLIENTS[client_name], SCENARIOS[scenario_name]
    async with road(road_name, client.speaks, config=AS_IT_COMES + client.config) as way:
        script = MarkerScript(way.upstream, scenario.misfortune)
        way.stub.otherwise(script)
        with tempfile.TemporaryDirectory(prefix="ppap-client-") as home:
            place = Place(
                url=way.base_url, key=scenario.key or way.key, model=scenario.model, home=Path(home)
            )
            outcome = await run(client, place)
    told = attrs.evolve(outcome, text=outcome.text.replace(urlsplit(place.url).netloc, "ADDRESS"))
    return Result(outcome=told, asked=script.asked, results=script.results)


def bring_up_loopback() -> None:
    """A new network namespace begins with its loopback device down. Outside of one, nothing happens."""
    with socket.socket() as any_socket, contextlib.suppress(PermissionError):
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP))


if __name__ == "__main__":
    bring_up_loopback()
    print(json.dumps(attrs.asdict(asyncio.run(round_trip(*sys.argv[1:])))))
