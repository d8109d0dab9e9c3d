"""The contract of event streams: what keeps it passes, and each way of breaking it is found."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from ppap_core.conversation import (
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    ItemEnd,
    ItemMeta,
    ItemStart,
    Ping,
    Start,
    StreamError,
    Usage,
    UsageUpdate,
)
from ppap_core.testing import Check, ContractBroken, check_events, spoken
from ppap_core.testing.strategies import event_sequences

TEXT = ItemStart("t", "text")
CALL = ItemStart("c", "tool_call", call_id="call_1", name="look_up")
OOPS = StreamError(ErrorDetail(message="No", status=503))
USED = UsageUpdate(Usage(output_total=1))

KEPT: dict[str, Sequence[Event]] = {
    "nothing said": [End()],
    "usage after the finish": [Start(), Finish("stop"), USED, Ping(), End()],
    "interleaved calls": [
        CALL,
        ItemStart("d", "tool_call", call_id="call_2", name="look_up"),
        Delta("d", "tool_call", "{"),
        Delta("c", "tool_call", "{}"),
        ItemEnd("c"),
        Delta("d", "tool_call", "}"),
        ItemEnd("d"),
        Finish("tool_calls"),
        End(),
    ],
    "two choices": [
        TEXT,
        ItemStart("u", "text", choice=1),
        ItemEnd("t"),
        Finish("stop"),
        ItemEnd("u"),
        Finish("length", choice=1),
        End(),
    ],
    "an error in an open item": [TEXT, OOPS, End()],
    "cut short": [TEXT, Delta("t", "text", "Hel"), ItemEnd("t"), End()],
}

BROKEN: dict[str, Sequence[Event]] = {
    "do not end with End": [Start()],
    "comes after End": [End(), End()],
    "comes after StreamError": [OOPS, Ping(), End()],
    "a second Start": [Start(), Start(), End()],
    "Start comes after an item": [TEXT, ItemEnd("t"), Start(), End()],
    "this key was used before": [TEXT, ItemEnd("t"), TEXT, ItemEnd("t"), End()],
    "its choice has finished": [Finish("stop"), TEXT, ItemEnd("t"), End()],
    "a tool call starts without its name": [ItemStart("c", "tool_call", call_id="call_1"), End()],
    "a tool call starts without its id": [ItemStart("c", "tool_call", name="look_up"), End()],
    "Delta.*its item is not open": [Delta("t", "text", "Hi"), End()],
    "ItemMeta.*its item is not open": [ItemMeta("t", signature="x"), End()],
    "ItemEnd.*its item is not open": [TEXT, ItemEnd("t"), ItemEnd("t"), End()],
    "an empty delta": [TEXT, Delta("t", "text", ""), ItemEnd("t"), End()],
    "its item is of another kind": [TEXT, Delta("t", "reasoning", "Hm"), ItemEnd("t"), End()],
    "a second Finish of this choice": [Finish("stop"), Finish("stop"), End()],
    "items of its choice are open": [TEXT, Finish("stop"), End()],
    "items are open": [TEXT, End()],
    "no canonical finish reason": [Finish("halt"), End()],  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", KEPT)
def test_a_legal_stream_passes(name: str) -> None:
    """What the contract allows is not complained about."""
    check_events(KEPT[name])


@pytest.mark.parametrize("complaint", BROKEN)
def test_a_broken_rule_is_named(complaint: str) -> None:
    """Each rule, when broken, is named in the message."""
    with pytest.raises(ContractBroken, match=complaint):
        check_events(BROKEN[complaint])


@settings(deadline=None)
@given(event_sequences(choices=2))
def test_the_made_up_sequences_are_legal(events: list[Event]) -> None:
    """The strategy that encoders are tested with never breaks the contract itself."""
    check_events(events)


def test_spoken_tells_the_first_choice() -> None:
    """Words, thoughts and calls of the first choice are put together; other choices are left out."""
    told = spoken(
        [
            TEXT,
            Delta("t", "text", "Hel"),
            ItemStart("u", "text", choice=1),
            Delta("u", "text", "other"),
            Delta("t", "text", "lo"),
            CALL,
            Delta("c", "tool_call", "{}"),
            ItemStart("r", "reasoning"),
            Delta("r", "reasoning", "Hm"),
            Finish("stop"),
            End(),
        ]
    )
    assert (told.text, told.reasoning, told.finish) == ("Hello", "Hm", Finish("stop"))
    assert [(call.name, call.arguments) for call in told.calls.values()] == [("look_up", "{}")]


def test_a_check_is_called_by_its_name() -> None:
    """A check shows its name in a test list, and running it runs its rule."""
    check = Check("water is wet", lambda: 7)
    assert str(check) == "water is wet"
    assert check() == 7
