"""The results for a reader (aligned tables) and for a program (JSON)."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import attrs
import orjson

from .codecs import KINDS, SCRIPTS, SIZES
from .figures import DIRECT, MAX_DISTURBED, Figures
from .goals import reached
from .load import Spread
from .run import Results

PACKAGES: Final = ("ppap-core", "uvloop", "httptools", "uvicorn", "litestar", "httpx", "orjson", "msgspec")
_HEAD: Final = (
    *("load", "proxy", "per s", "p50 ms", "p95", "p99", "added p50", "p95", "p99"),
    *("CPU µs", "core %", "rate ÷ peer"),
)
_HELD_HEAD: Final = (
    *("held", "proxy", "streams", "first p50 ms", "p95", "p99", "delay p50 ms", "p95", "p99"),
    *("KB each", "core %"),
)
_CODEC_HEAD: Final = (
    *("client", "upstream", *(f"{kind} µs" for kind in KINDS)),
    *(*(f"{size} ms" for size in SIZES), "growth", *(f"peak {script}" for script in SCRIPTS)),
)


def tables(results: Results, peer: str | None) -> str:
    """All tables, then the notes. `peer` is the proxy that rates are divided by; None: no ratios."""
    parts = [
        _aligned(_HEAD, _load_rows(results, peer)),
        _aligned(("start", "proxy", "port open s", "first answer s", "idle MB"), _start_rows(results)),
        _aligned(("memory", "proxy", "peak extra MB", "÷ body"), _memory_rows(results)),
        _aligned(_HELD_HEAD, _held_rows(results)),
        _aligned(_CODEC_HEAD, _codec_rows(results)),
        _aligned(
            ("goal", "limit", "measured", "unit"),
            ((goal.measure, goal.limit, _number(value), goal.unit) for goal, value in reached(results, peer)),
        ),
        "\n".join(f"note: {note}" for note in (*results.notes, *_disturbance(results))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_json(results: Results, peer: str | None, path: Path) -> None:
    """Everything, unrounded, with the machine and the versions it was measured on."""
    document = {
        "machine": {"system": platform.platform(), "processor": _processor(), "python": sys.version},
        "packages": {name: _version(name) for name in PACKAGES},
        "peer": peer,
        **attrs.asdict(results),
        "goals": [
            {"measure": goal.measure, "limit": goal.limit, "unit": goal.unit, "measured": value}
            for goal, value in reached(results, peer)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def _disturbance(results: Results) -> Iterator[str]:
    shares = [figures.disturbed for by_who in results.loads.values() for figures in by_who.values()]
    disturbed = [share for share in shares if share > MAX_DISTURBED]
    if disturbed:
        yield (
            f"other programs took more than {MAX_DISTURBED:.0%} of a core during {len(disturbed)} of "
            f"{len(shares)} measurements, up to {max(disturbed):.0%}: figures of an idle machine are better"
        )


def _load_rows(results: Results, peer: str | None) -> Iterator[Sequence[str]]:
    for load, by_who in results.loads.items():
        theirs = by_who.get(peer) if peer else None
        for place, (who, figures) in enumerate(by_who.items()):
            yield (load if place == 0 else "", who, *_cells(figures), _ratio(who, figures, theirs))


def _cells(figures: Figures) -> Iterator[str]:
    yield _number(figures.rate)
    yield from _spread(figures.latency)
    yield from _spread(figures.added)
    yield _number(figures.cpu_us)
    yield _percent(figures.core_share)


def _spread(spread: Spread | None) -> tuple[str, str, str]:
    if spread is None:
        return "", "", ""
    return _number(spread.p50), _number(spread.p95), _number(spread.p99)


def _ratio(who: str, figures: Figures, theirs: Figures | None) -> str:
    if theirs is None or who == DIRECT or theirs is figures or not theirs.rate:
        return ""
    return _number(figures.rate / theirs.rate)


def _start_rows(results: Results) -> Iterator[Sequence[str]]:
    for who, start in results.starts.items():
        seconds = _number(start.accepted), _number(start.answered)
        yield "fresh process", who, *seconds, _scaled(start.idle_bytes, 1e-6)


def _memory_rows(results: Results) -> Iterator[Sequence[str]]:
    for who, memory in results.memory.items():
        yield "26 MB relayed body", who, _scaled(memory.extra, 1e-6), _number(memory.extra / memory.body)


def _held_rows(results: Results) -> Iterator[Sequence[str]]:
    for who, held in results.held.items():
        yield (
            "translated, 1 event / 2 s",
            who,
            str(held.streams),
            *_spread(held.first),
            *_spread(held.delay),
            _scaled(held.bytes_each, 1e-3),
            _percent(held.core_share),
        )


def _codec_rows(results: Results) -> Iterator[Sequence[str]]:
    for pair in results.codecs.pairs if results.codecs else ():
        figures = (*pair.event_us.values(), *pair.request_ms.values(), pair.growth, *pair.peak.values())
        yield pair.client, pair.upstream, *map(_number, figures)


def _aligned(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Names to the left, numbers to the right; empty if there are no rows."""
    lines = [tuple(head), *map(tuple, rows)]
    if len(lines) == 1:
        return ""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if place < 2 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _number(value: float | None) -> str:
    """About three digits, thousands separated; empty if unknown."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _scaled(value: float | None, scale: float) -> str:
    return "" if value is None else _number(value * scale)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.0f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.processor()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
