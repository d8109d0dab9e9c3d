"""Every client format × every upstream kind × every feature × stream and not: nothing is lost unsaid."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs
import pytest
import pytest_asyncio

from .asking import Message
from .exchange import Place, place
from .facts import facts_of_answer, facts_of_request, tell, tell_answer
from .kinds import CLIENTS, SIGNATURES, UPSTREAMS
from .losses import LOSSES, SILENCES, Cell
from .page import told_of
from .scenarios import SCENARIOS, Scenario

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def way() -> AsyncIterator[Place]:
    async with place() as found:
        yield found


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_cell(way: Place, client: str, upstream: str, scenario: Scenario, stream: bool) -> None:
    """The upstream hears what the client asked and the client what the upstream said, less the losses.

    Request, answer and events pass the vendors' own types (pains 21, 22, 24, 30).
    """
    cell = Cell(client, upstream, scenario.name)
    model = f"to-{upstream}"
    heard = await way.exchange(client, upstream, scenario.request, scenario.turn, stream=stream)
    told = facts_of_request(scenario.request)
    assert heard.asked == cell.expected("asked", told.facts)
    assert heard.answered == cell.expected("answered", facts_of_answer(scenario.turn, model))
    if not scenario.then:
        return
    follows = Message("user", scenario.then)
    tell_answer(told, scenario.turn, SIGNATURES[upstream])
    tell(told, follows)
    request = attrs.evolve(scenario.request, messages=[*scenario.request.messages, follows])
    again = await way.exchange(client, upstream, request, scenario.last, stream=stream, replay=heard.whole)
    assert again.asked == cell.expected("replayed", told.facts)
    assert again.answered == cell.expected("answered", facts_of_answer(scenario.last, model))


async def test_every_row_takes_something() -> None:
    """A row that changes nothing in any cell would make the page lie."""
    cells = [
        Cell(client, upstream, name) for client in CLIENTS for upstream in UPSTREAMS for name in SCENARIOS
    ]
    taking = [
        loss
        for cell in cells
        for way, facts in told_of(SCENARIOS[cell.scenario], cell.upstream)
        for loss in cell.lost(way, facts)
    ]
    assert [loss.rule for loss in (*SILENCES, *LOSSES) if loss not in taking] == []
