"""Events into a reply and back."""

from __future__ import annotations

from ppap_core.conversation import (
    Delta,
    ErrorDetail,
    Finish,
    Image,
    ItemEnd,
    ItemMeta,
    ItemStart,
    Message,
    Reasoning,
    Refusal,
    Reply,
    ServerToolItem,
    Start,
    StreamError,
    Text,
    ToolCall,
    Usage,
    UsageUpdate,
    WebSearch,
)
from ppap_core.conversation.collect import ReplyCollector, events_of

REPLY = Reply(
    id="r1",
    model="m",
    created=1,
    items=(
        Reasoning(segments=("first", "second"), signature="sig", origin="here"),
        Message(role="assistant", parts=(Text("words", annotations=({"url": "u"},)),)),
        Message(role="assistant", parts=(Refusal("no"),)),
        ToolCall(call_id="c", name="f", arguments='{"a":1}'),
        ServerToolItem(format="here", value={"type": "search"}),
        ServerToolItem(format="here", value={"type": "seek"}, search=WebSearch(id="s", query="q")),
        ServerToolItem(format="here", value={"type": "draw"}, image=Image(data="aGk=")),
        Message(role="assistant", parts=(Image(data="Ymll", media_type="image/png"),)),
    ),
    finish="tool_calls",
    usage=Usage(input_total=3, output_total=0),
)


def test_a_reply_survives_the_way_through_events() -> None:
    collector = ReplyCollector()
    collector.add(events_of(REPLY))
    assert collector.finished
    assert collector.reply() == REPLY


def test_interleaved_calls_never_mix() -> None:
    """pain 22: deltas belong to the item whose key they carry."""
    collector = ReplyCollector()
    collector.add(
        [
            Start(),
            ItemStart(0, "tool_call", "a", "f"),
            ItemStart(1, "tool_call", "b", "g"),
            Delta(1, "tool_call", "B"),
            Delta(0, "tool_call", "A"),
            Delta(1, "tool_call", "b"),
            ItemEnd(0),
            ItemEnd(1),
            Finish("tool_calls"),
        ]
    )
    assert [item.arguments for item in collector.reply().items if isinstance(item, ToolCall)] == ["A", "Bb"]


def test_usage_updates_are_laid_over_each_other() -> None:
    """pain 29: a zero is a report, a missing field is not."""
    collector = ReplyCollector()
    collector.add(
        [
            UsageUpdate(Usage(input_total=5, cache_read=3)),
            UsageUpdate(Usage(output_total=0)),
            UsageUpdate(Usage(output_total=7)),
        ]
    )
    assert collector.reply().usage == Usage(input_total=5, cache_read=3, output_total=7)


def test_several_choices_become_alternatives() -> None:
    collector = ReplyCollector()
    collector.add(
        [
            ItemStart(0, "text", choice=0),
            ItemStart(1, "text", choice=1),
            Delta(1, "text", "other"),
            Delta(0, "text", "one"),
            Finish("stop", choice=0),
            Finish("length", choice=1),
        ]
    )
    reply = collector.reply()
    assert reply.finish == "stop"
    assert [other.finish for other in reply.alternatives] == ["length"]


def test_an_in_band_error_is_kept() -> None:
    collector = ReplyCollector()
    collector.add([StreamError(ErrorDetail(message="full", status=529))])
    assert collector.error is not None
    assert collector.error.status == 529


def test_signature_and_segments_of_reasoning_are_kept() -> None:
    collector = ReplyCollector()
    collector.add(
        [
            ItemStart(0, "reasoning"),
            Delta(0, "reasoning", "a"),
            ItemMeta(0, segment=True),
            Delta(0, "reasoning", "b"),
            ItemMeta(0, signature="s", origin="x"),
            ItemEnd(0),
        ]
    )
    assert collector.reply().items == (Reasoning(segments=("a", "b"), signature="s", origin="x"),)
