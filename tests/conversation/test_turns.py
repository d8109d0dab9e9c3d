"""Grouping and pairing (translation spec, A.3 and C.3)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ppap_core.conversation import Item, Message, Reasoning, Text, ToolCall, ToolResult
from ppap_core.conversation.turns import paired, turns, with_reminders

USER = Message(role="user", parts=(Text("hi"),))
SAID = Message(role="assistant", parts=(Text("ok"),))


def call(call_id: str) -> ToolCall:
    return ToolCall(call_id=call_id, name="f")


def result(call_id: str, content: str = "") -> ToolResult:
    return ToolResult(call_id=call_id, content=content)


def test_same_role_neighbours_share_a_turn() -> None:
    """Reasoning and calls speak for the assistant, results for the user."""
    grouped = turns([USER, Reasoning(), SAID, call("a"), result("a"), USER])
    assert [(turn.role, len(turn.items)) for turn in grouped] == [("user", 1), ("assistant", 3), ("user", 2)]


def test_parallel_calls_keep_their_order() -> None:
    items: list[Item] = [USER, call("a"), call("b"), result("b"), result("a")]
    assert paired(items) == items


def test_a_message_between_call_and_result_moves_behind_the_results() -> None:
    assert paired([call("a"), call("b"), USER, result("a"), result("b")]) == [
        call("a"),
        call("b"),
        result("a"),
        result("b"),
        USER,
    ]


def test_the_last_of_several_results_stands_at_the_first_ones_place() -> None:
    assert paired([call("a"), result("a", "1"), SAID, result("a", "2"), USER]) == [
        call("a"),
        result("a", "2"),
        SAID,
        USER,
    ]


def test_orphaned_results_are_dropped() -> None:
    assert paired([USER, result("x"), SAID]) == [USER, SAID]


def test_an_unanswered_call_stays_only_at_the_end() -> None:
    assert paired([call("a"), USER, call("z")]) == [USER, call("z")]


def test_an_id_used_twice_at_once_is_ambiguous() -> None:
    """Both calls and their results are dropped; the id may be used again in a later round."""
    items = [call("a"), call("a"), result("a"), USER, call("a"), result("a")]
    assert paired(items) == [USER, call("a"), result("a")]


def test_system_text_in_the_middle_becomes_a_users_reminder() -> None:
    system = Message(role="system", parts=(Text("be brief"),))
    developer = Message(role="developer", parts=(Text("use tools"),))
    placed = with_reminders([system, developer, system, USER, system, developer])
    assert placed[:4] == [system, developer, system, USER]
    assert placed[4] == Message(role="user", parts=(Text("<system-reminder>\nbe brief\n</system-reminder>"),))
    assert placed[5] == developer


ITEMS = st.lists(
    st.one_of(
        st.sampled_from([USER, SAID, Reasoning(segments=("x",))]),
        st.sampled_from("abc").map(call),
        st.sampled_from("abc").map(result),
    ),
    max_size=12,
)


@given(ITEMS)
def test_every_result_follows_its_call_and_nothing_but_the_assistant_stands_between(
    items: list[Item],
) -> None:
    """After pairing, an upstream that insists on pairs finds them, whatever the client sent."""
    waiting: list[str] = []
    out = paired(items)
    for item in out:
        if isinstance(item, ToolCall):
            waiting.append(item.call_id)
        elif isinstance(item, ToolResult):
            assert item.call_id in waiting
            waiting.remove(item.call_id)
    assert paired(out) == out
    assert [item for item in out if item is USER] == [item for item in items if item is USER]
