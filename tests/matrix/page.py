"""docs/translation.md from the tables of the matrix: ``python -m tests.matrix.page [--check] PATH``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from .asking import Message
from .facts import Facts, facts_of_answer, facts_of_request, tell, tell_answer
from .kinds import CLIENTS, SIGNATURES, UPSTREAMS
from .losses import LOSSES, SILENCES, Cell, Loss, Way
from .scenarios import ERRORS, SCENARIOS, Scenario

NAMES: Final = {
    "chat": "Chat Completions",
    "responses": "Responses",
    "codex": "Responses (Codex)",
    "messages": "Messages",
    "gemini": "Gemini",
    "vertex": "Vertex",
}
_INTRODUCTION: Final = """\
# Translation between formats

<!-- Generated from tests/matrix by `python -m tests.matrix.page docs/translation.md`. -->

A client speaks its own format, whatever the upstream speaks. This page says what arrives. It is
generated from the tables that the tests check every cell against, streamed and whole, from both ends:
a loss that is not on this page fails a test, and so does one on this page that does not happen.

Where client and upstream speak the same format, bytes pass unchanged but for what must change.

- **✓** everything arrives.
- **a number** something is lost, or added, by the rule of that number, and all else arrives. The rules
  are [below](#losses).
- **a letter** one side has no words for it, so there is nothing to lose; [below](#no-words-for-it).
"""
_ERRORS: Final = """\
## Errors

An upstream's refusal reaches the client in its own format, with the upstream's words and a status that
says whose fault it is: 400 stays 400, 429 stays 429, 500 and 529 stay errors of the server. A 401 or
403 is about the proxy's own credential, not about the client's key, and is told as 503. An error that
an upstream tells inside a stream is, before the first word, like any other refusal; after it, the
client gets an error event of its own format, and never a silent end.
"""


def told_of(scenario: Scenario, upstream: str) -> Iterator[tuple[Way, Facts]]:
    """What is said in a scenario, in full, and on which way."""
    told = facts_of_request(scenario.request)
    yield "asked", dict(told.facts)
    yield "answered", facts_of_answer(scenario.turn, f"to-{upstream}")
    if scenario.then:
        tell_answer(told, scenario.turn, SIGNATURES[upstream])
        tell(told, Message("user", scenario.then))
        yield "replayed", told.facts


def render() -> str:
    parts = [_INTRODUCTION, "## The matrix\n"]
    for client in CLIENTS:
        parts += [f"### {NAMES[client]} clients\n", _table(client) + "\n"]
    parts += [_ERRORS, "## Losses\n", _list(LOSSES) + "\n", "## No words for it\n", _list(SILENCES) + "\n"]
    return "\n".join(parts)


def _table(client: str) -> str:
    head = ["", *(f"→ {NAMES[upstream]}" for upstream in UPSTREAMS)]
    rows = [[name, *(_marks(Cell(client, upstream, name)) for upstream in UPSTREAMS)] for name in SCENARIOS]
    rows.append([ERRORS, *("✓" for _ in UPSTREAMS)])
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _marks(cell: Cell) -> str:
    """The losses of a cell by number, and the silences by letter."""
    scenario = SCENARIOS[cell.scenario]
    found: set[str] = set()
    for way, facts in told_of(scenario, cell.upstream):
        found |= {mark_of(loss) for loss in cell.lost(way, facts, scenario.about)}
    return ", ".join(sorted(found, key=lambda mark: (mark.isalpha(), len(mark), mark))) or "✓"


def mark_of(loss: Loss) -> str:
    """A number for a loss, a letter for a silence; those that say the same have the same."""
    rules = _rules(LOSSES)
    if loss.rule in rules:
        return str(1 + rules.index(loss.rule))
    return chr(ord("a") + _rules(SILENCES).index(loss.rule))


def _rules(losses: Sequence[Loss]) -> list[str]:
    return list(dict.fromkeys(loss.rule for loss in losses))


def _list(losses: Sequence[Loss]) -> str:
    lines = []
    for rule in _rules(losses):
        same = [loss for loss in losses if loss.rule == rule]
        specs = "; ".join(dict.fromkeys(loss.spec for loss in same))
        lines.append(f"- **{mark_of(same[0])}** {rule} *({specs})*")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page; with ``--check``, compares it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix.page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, do not write; exit code 1 if stale")
    parser.add_argument("path", type=Path, metavar="PATH", help="docs/translation.md")
    options = parser.parse_args(arguments)
    page = render()
    if not options.check:
        options.path.write_text(page, encoding="utf-8")
        return 0
    if options.path.is_file() and options.path.read_text(encoding="utf-8") == page:
        return 0
    print(f"{options.path} is stale; run: python -m tests.matrix.page {options.path}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
