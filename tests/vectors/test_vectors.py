"""What the translation spec says of pairs of formats, as data (``fixtures/requests``, ``fixtures/answers``).

Each case states a row of the spec in the words of both sides: what a client sends and what the upstream
hears, or what the upstream says and what the client reads. A field of a request that a case does not name
may be there besides, and so may any member of an answer; lists are whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import pytest
from ppap_claude import MESSAGES
from ppap_codex import CODEX
from ppap_openai import CHAT, RESPONSES

from ppap_core.conversation import Conversation, ThinkingSupport
from ppap_core.conversation.collect import ReplyCollector
from ppap_core.conversation.resolution import resolved
from ppap_core.testing.fixtures import ABSENT, agrees, cuts, fixture_cases
from ppap_core.wire import NO_NAMES, JsonBody, StreamDecoder, Target, WireFormat
from ppap_core.wire.translate import Translation

FIXTURES = Path(__file__).parent / "fixtures"
FORMATS: Final[Mapping[str, WireFormat]] = {
    "chat": CHAT,
    "codex": CODEX,
    "messages": MESSAGES,
    "responses": RESPONSES,
}
DEMANDED: Final[Mapping[str, dict[str, Any]]] = {
    "chat": {"messages": [{"role": "user", "content": "q"}]},
    "messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "q"}]},
    "responses": {"input": "q"},
}
"""What every request of a format has; a case tells what differs."""


def cases(kind: str) -> Any:
    """All cases of the files of a folder, each under the name of its file and its own."""
    found = {
        f"{file.stem}: {name}": case
        for file in sorted((FIXTURES / kind).glob("*.json"))
        for name, case in fixture_cases(file).items()
    }
    return pytest.mark.parametrize("case", found.values(), ids=found)


def asked(case: Mapping[str, Any]) -> Conversation:
    """The client's request."""
    client = case["client"]
    fields = {"model": "client-model", "stream": True, **DEMANDED[client], **case.get("asked", {})}
    return FORMATS[client].decode_request(JsonBody(msgspec.json.encode(fields)))


def fitted(conversation: Conversation, target: Target) -> Conversation:
    """With as much thinking as the model can do, as the core settles it before anything is encoded."""
    intent = resolved(conversation.thinking, target.thinking, from_name=False, same_family=False)
    return attrs.evolve(conversation, thinking=intent)


def target_of(case: Mapping[str, Any]) -> Target:
    told = dict(case.get("target", {}))
    if "thinking" in told:
        told["thinking"] = ThinkingSupport(**told["thinking"])
    return Target(**{"model": "upstream-model", **told})


@cases("requests")
def test_a_request_is_translated(case: dict[str, Any]) -> None:
    """What a client of one format asks is what an upstream of another one hears."""
    target = target_of(case)
    encoded = FORMATS[case["upstream"]].encode_request(fitted(asked(case), target), target)
    heard = json.loads(encoded.body)
    assert {key: heard.get(key, ABSENT) for key in case["heard"]} == case["heard"]


@cases("answers")
def test_an_answer_is_translated(case: dict[str, Any]) -> None:
    """What an upstream of one format says is what a client of another one reads, however it is cut."""
    client, conversation = FORMATS[case["client"]], asked(case)
    upstream = FORMATS[case["upstream"]]
    names = upstream.encode_request(conversation, target_of(case)).names
    stream = stream_of(case["stream"])
    for pieces in cuts(stream):
        path = Translation(upstream.stream_decoder(names), client.stream_encoder(conversation))
        told = b"".join([*map(path.feed, pieces), path.close()])
        if "frames" in case:
            assert agrees(data_of(told), case["frames"]), data_of(told)
        if "read" in case:
            again = collected(client.stream_decoder(NO_NAMES), told)
            read = json.loads(client.encode_reply(again.reply(), conversation))
            assert agrees(read, case["read"]), read
    if "read" in case:
        whole = collected(upstream.stream_decoder(names), stream).reply()
        read = json.loads(client.encode_reply(whole, conversation))
        assert agrees(read, case["read"]), read


def collected(decoder: StreamDecoder, stream: bytes) -> ReplyCollector:
    collector = ReplyCollector()
    collector.add(decoder.feed(stream))
    collector.add(decoder.close())
    return collector


def stream_of(frames: Sequence[Any]) -> bytes:
    """Objects are the data of frames, under their types' names; texts are lines."""
    return b"".join(
        each.encode()
        if isinstance(each, str)
        else b"event: %b\ndata: %b\n\n" % (each.get("type", "message").encode(), msgspec.json.encode(each))
        for each in frames
    )


def data_of(stream: bytes) -> list[Any]:
    """The data of each frame."""
    told = [frame.partition(b"data: ")[2] for frame in stream.split(b"\n\n") if frame]
    return [json.loads(data) if data.startswith(b"{") else data.decode() for data in told]
