"""Whole answers: read from upstreams, written for clients, passed on."""

from __future__ import annotations

import gzip
import json

import pytest
from ppap_claude import MESSAGES
from ppap_claude.testing import reply

from ppap_core.conversation import Conversation, Message, Reasoning, Reply, Text, ToolCall
from ppap_core.errors import MalformedReply, UpstreamFault
from ppap_core.wire import NO_NAMES, Target

ASKED = Conversation(model="asked-for", format="some-other-format")


def test_an_answer_survives_the_way_through_the_model() -> None:
    """Thinking with its signature, text, calls, reason and counts come back as they were."""
    sent = reply("Hi", thinking="Hm", tool_calls=[("f", {"a": 1})], model="asked-for")
    answer = MESSAGES.decode_reply(sent, NO_NAMES)
    assert json.loads(MESSAGES.encode_reply(answer, ASKED)) == json.loads(sent)


def test_fields_of_this_format_survive() -> None:
    """What only this format knows of an answer is given back to its clients."""
    fields = json.loads(reply("Hi", model="asked-for")) | {"container": {"id": "c"}}
    fields["content"].append({"type": "container_upload", "file_id": "f"})
    answer = MESSAGES.decode_reply(json.dumps(fields).encode(), NO_NAMES)
    assert json.loads(MESSAGES.encode_reply(answer, ASKED)) == fields


def test_an_answer_of_another_format_is_written() -> None:
    """Unsigned thinking, odd ids, custom input and unknown counts become what clients expect."""
    answer = Reply(
        items=(
            Reasoning(segments=("a", "b")),
            Message(role="assistant", parts=(Text(""), Text("x"))),
            ToolCall(call_id="c:1", name="f", arguments="not JSON"),
            ToolCall(call_id="", name="g", arguments="SELECT 1", kind="custom"),
        ),
        finish="stop",
    )
    told = json.loads(MESSAGES.encode_reply(answer, ASKED))
    assert told["model"] == "asked-for"
    assert told["id"].startswith("msg_")
    thinking, text, first, second = told["content"]
    assert thinking == {"type": "thinking", "thinking": "a\n\nb", "signature": ""}
    assert text == {"type": "text", "text": "x"}
    assert first == {"type": "tool_use", "id": "c_1", "name": "f", "input": {}}
    assert second["id"].startswith("toolu_")
    assert second["input"] == {"input": "SELECT 1"}
    assert told["stop_reason"] == "tool_use"
    assert set(told["usage"].values()) == {0}


def test_an_error_on_a_200_is_a_failure() -> None:
    """An error told with status 200 has the status of its type, translated or relayed (pain 12)."""
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    for read in (
        lambda: MESSAGES.decode_reply(body, NO_NAMES),
        lambda: MESSAGES.relay_reply(body, "m", Target(model="m")),
    ):
        with pytest.raises(UpstreamFault) as fault:
            read()
        assert fault.value.detail.status == 529


def test_a_compressed_answer_that_does_not_say_so_is_read() -> None:
    """An answer that begins like gzip is unpacked first (client API spec, 10.5)."""
    sent = reply("Hi")
    assert MESSAGES.relay_reply(gzip.compress(sent), "m", Target(model="m")).body == sent
    with pytest.raises(MalformedReply):
        MESSAGES.decode_reply(b"\x1f\x8bbroken", NO_NAMES)


def test_a_relayed_answer_changes_only_its_model() -> None:
    """The client reads the model it asked for; every other byte is the upstream's (C.18)."""
    sent = reply("Hi", model="up")
    renamed = MESSAGES.relay_reply(sent, "alias", Target(model="up"))
    assert renamed.body == sent.replace(b'"up"', b'"alias"')
    assert renamed.usage is not None
    assert renamed.usage.input_total == 22044
    assert MESSAGES.relay_reply(sent, "up", Target(model="up")).body is sent
