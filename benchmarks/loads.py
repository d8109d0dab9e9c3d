"""The loads of a full and of a quick run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from .answers import BURST_MODEL, HELD_MODEL, JSON_MODEL, PACED_MODEL
from .load import Load, Shape
from .requests import Surface

SIZES: Final = {"1 KB": 1024, "100 KB": 100 * 1024, "295 KB": 295 * 1024, "1 MB": 1024 * 1024}
WAYS: Final[dict[str, Surface]] = {"relayed": "chat", "translated": "messages"}
KINDS: Final = {"json": JSON_MODEL, "burst": BURST_MODEL}
BIG_BODY_BYTES: Final = 26_000_000


def name(kind: str, size: str, way: str, connections: int) -> str:
    return f"{kind} {size} {way} c{connections}"


def _alone() -> Iterator[Load]:
    """Every size, way and kind over one connection: what the latencies are taken from."""
    for kind, model in KINDS.items():
        for size, body_bytes in SIZES.items():
            for way, surface in WAYS.items():
                yield Load(name=name(kind, size, way, 1), surface=surface, model=model, body_bytes=body_bytes)


def _crowded() -> Iterator[Load]:
    """Enough connections to fill the proxy's core: what rates and CPU per request are taken from."""
    for connections, sizes in ((32, tuple(SIZES)), (256, ("1 KB",))):
        for size in sizes:
            for way, surface in WAYS.items():
                yield Load(
                    name=name("json", size, way, connections),
                    surface=surface,
                    model=JSON_MODEL,
                    body_bytes=SIZES[size],
                    connections=connections,
                    seconds=1.5,
                    at_least=connections,
                )


def _streams() -> Iterator[Load]:
    for way, surface in WAYS.items():
        yield Load(
            name=name("burst", "1 KB", way, 8),
            surface=surface,
            model=BURST_MODEL,
            connections=8,
            seconds=2.0,
        )
    for way, surface in WAYS.items():
        yield Load(
            name=name("paced", "1 KB", way, 20),
            surface=surface,
            model=PACED_MODEL,
            connections=20,
            seconds=3.0,
            stagger=0.2,
        )


FULL: Final = (*_alone(), *_crowded(), *_streams())

QUICK_NAMES: Final = (
    "json 1 KB relayed c1",
    "json 1 KB translated c1",
    "burst 1 KB relayed c1",
    "burst 1 KB translated c1",
    "json 1 KB relayed c32",
    "json 1 KB translated c32",
    "json 295 KB relayed c32",
    "json 1 KB relayed c256",
    "burst 1 KB relayed c8",
    "burst 1 KB translated c8",
    "paced 1 KB translated c20",
)
QUICK: Final = tuple(load for load in FULL if load.name in QUICK_NAMES)


def held(streams: int) -> Load:
    """That many streams opened at the same moment, then one event per two seconds on each."""
    return Load(
        name="held translated streams",
        surface="messages",
        model=HELD_MODEL,
        connections=streams,
        shape=Shape.ONCE,
        warm_up=2.0,
        seconds=4.0,
        limit=60.0,
    )


BIG: Final = Load(
    name="26 MB relayed body",
    surface="chat",
    model=JSON_MODEL,
    body_bytes=BIG_BODY_BYTES,
    shape=Shape.ONCE,
    warm_up=0.0,
    seconds=0.0,
    limit=60.0,
)


def direct(load: Load) -> Load:
    """The same load as the stub understands it without a proxy: in its own format."""
    return attrs.evolve(load, surface="chat", name="direct")
