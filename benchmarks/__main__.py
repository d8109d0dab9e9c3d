"""`python -m benchmarks`: measures the proxy on this machine and prints what it costs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Final

import click

from .journal import Journal
from .peer import PEERS
from .processes import BenchError
from .report import tables, write_json
from .run import FULL_PLAN, QUICK_PLAN, run
from .servers import ROOT, Floor, Ppap, Server

_JSON: Final = ROOT / "build" / "bench.json"


@click.command()
@click.option(
    "--quick", is_flag=True, help="Fewer loads, shorter rounds, 1,000 streams: two to three minutes."
)
@click.option("--rounds", type=click.IntRange(1, 20), help="How often each load runs; medians are shown.")
@click.option(
    "--only", multiple=True, metavar="WORD", help="Only what has this word in its name; may be repeated."
)
@click.option("--transport", multiple=True, metavar="NAME", help="Also with `upstream.transport: NAME`.")
@click.option("--peer", type=click.Choice(sorted(PEERS)), help="Also on this proxy, and ratios to it.")
@click.option("--json", "path", type=click.Path(path_type=Path), default=_JSON, show_default=True)
def main(
    quick: bool,
    rounds: int | None,
    only: tuple[str, ...],
    transport: tuple[str, ...],
    peer: str | None,
    path: Path,
) -> None:
    """Measure the proxy against a stub upstream on loopback. See benchmarks/README.md for the method."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes of the run are ended too
    journal = Journal()
    plan = (QUICK_PLAN if quick else FULL_PLAN).only(only)
    if rounds is not None:
        plan = plan.repeated(rounds)
    servers: list[Server] = [Ppap(), Floor(), *(Ppap(f"ppap-{each}", each) for each in transport)]
    if peer is not None:
        servers.append(PEERS[peer]())
    try:
        results = run(plan, servers, journal)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    print(tables(results, peer))
    write_json(results, peer, path)
    journal.progress(f"written to {path}")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
