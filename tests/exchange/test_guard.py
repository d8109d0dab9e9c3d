"""``stream-guard``: what is broken in a client's stream is counted, told once, and not shown."""

from __future__ import annotations

import logging

import pytest
from ppap_openai import CHAT
from ppap_openai import testing as chat

from ppap_core.exchange.outgoing import outline
from ppap_core.testing import STREAM_FAULTS, ContractBroken, streamed
from ppap_core.testing.guard_rules import violations

from .conftest import FAST, bench

NO_ROLE = chat.stream(["a secret word", "and more"])[1:]
"""An upstream that leaves out what a stream must begin with."""


async def test_a_broken_stream_is_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log names request, format, upstream and the event; it repeats nothing of the answer."""
    async with bench(FAST, accounts=1) as one:
        one.proxy.expects_violations = True
        one.first.answers(streamed(NO_ROLE))
        answer = await one.ask(stream=True)
        record = await one.record()
        found = one.proxy.proxy.violations
    assert "secret word" in answer.text
    assert record.stream_violations == 1
    assert found.by_format == {"openai-chat": 1}
    assert list(found.recent) == ["openai-chat: event 0: the first chunk of a choice does not name the role"]
    (line,) = [entry for entry in caplog.records if entry.levelno == logging.WARNING]
    for told in (record.id, "openai-chat", "account-0", "event 0"):
        assert told in line.getMessage()
    assert "secret" not in caplog.text


async def test_the_event_itself_is_logged_at_debug_level_without_its_texts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever looks for the fault sees the shape of what was sent."""
    async with bench(f"debug: true\n{FAST}", accounts=1) as one:
        one.proxy.expects_violations = True
        one.first.answers(streamed(NO_ROLE))
        await one.ask(stream=True)
        await one.record()
    assert '"delta":{"content":<13>}' in caplog.text
    assert "secret" not in caplog.text


async def test_a_stream_by_the_rules_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with bench(FAST, accounts=1) as one:
        one.first.answers(streamed(chat.stream("a")))
        await one.ask(stream=True)
        record = await one.record()
    assert record.stream_violations == 0
    assert "broke" not in caplog.text


async def test_repair_mends_before_the_client_sees_it(caplog: pytest.LogCaptureFixture) -> None:
    """What was mended counts as broken, as the upstream did break it; the client's stream is whole."""
    async with bench(f"stream-guard: repair\n{FAST}", accounts=1) as one:
        one.proxy.expects_violations = True
        one.first.answers(streamed(NO_ROLE))
        answer = await one.ask(stream=True, stream_options={"include_usage": True})
        record = await one.record()
        found = one.proxy.proxy.violations
    assert violations(CHAT, [answer.content]) == []
    assert list(found.recent) == ["openai-chat: added the role"]
    assert (record.stream_violations, record.outcome) == (1, "succeeded")


@pytest.mark.parametrize("fault", ["cut", "clean_end", "garbage"])
async def test_repair_never_hides_a_cut(fault: str) -> None:
    """pain 13: half an answer ends with an error, whatever is mended."""
    async with bench(f"stream-guard: repair\n{FAST}", accounts=1) as one:
        one.proxy.expects_violations = True
        one.first.answers(STREAM_FAULTS[fault](2)(streamed(chat.stream(["half", "lost"]))))
        answer = await one.ask(stream=True)
        assert (await one.record()).outcome == "failed"
    assert b'"error"' in answer.content
    assert b"[DONE]" not in answer.content
    assert b'"finish_reason":"' not in answer.content


async def test_off_means_off() -> None:
    """Nothing is read, and nothing found."""
    async with bench(f"stream-guard: off\n{FAST}", accounts=1) as one:
        one.first.answers(streamed(NO_ROLE))
        await one.ask(stream=True)
        assert (await one.record()).stream_violations == 0


async def _broken_stream_nobody_expects() -> None:
    async with bench(FAST, accounts=1) as one:
        one.first.answers(streamed(NO_ROLE))
        await one.ask(stream=True)


async def test_a_test_that_does_not_expect_it_fails() -> None:
    """Every test of plugins that runs a proxy has the guard as its witness."""
    with pytest.raises(ContractBroken, match="event 0"):
        await _broken_stream_nobody_expects()


def test_an_outline_holds_no_text() -> None:
    shape = outline(b'event: x\ndata: {"type":"a\\"b","n":12,"a b":{"args":"{\\"key\\": 1}"}}\n\n')
    assert shape == 'event: x\ndata: {"type":<4>,"n":12,<3>:{"args":<12>}}\n\n'
