"""Edge cases as data: one list in ``fixtures/<what is tested>.json``, each case with its source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from ppap_claude import MESSAGES
from ppap_codex import CODEX
from ppap_codex.dialect.tool_names import short_names
from ppap_openai import CHAT, RESPONSES

from ppap_core.conversation import Conversation
from ppap_core.conversation.collect import ReplyCollector
from ppap_core.testing.fixtures import ABSENT, agrees, cuts, fixture_cases
from ppap_core.wire import (
    NO_NAMES,
    ClientWire,
    EncodedRequest,
    JsonBody,
    StreamDecoder,
    Target,
    WireFormat,
)
from ppap_core.wire.translate import Translation

FIXTURES = Path(__file__).parent / "fixtures"
CLIENTS: dict[str, ClientWire] = {"chat": CHAT, "messages": MESSAGES, "responses": RESPONSES}


def cases(kind: str) -> Any:
    """Every case of a kind, under its name."""
    loaded = fixture_cases(FIXTURES / kind)
    return pytest.mark.parametrize("case", loaded.values(), ids=loaded)


def sent(client: str, body: JsonBody, target: Target) -> EncodedRequest:
    """What a client's request becomes."""
    wire = CLIENTS[client]
    if wire.name == CODEX.name:
        return CODEX.patch_request(body, target)
    return CODEX.encode_request(wire.decode_request(body), target)


@cases("request")
def test_a_request_is_made_to_fit(case: dict[str, Any]) -> None:
    """A client's request becomes one that the upstream takes, and is then left as it is."""
    model = case["body"].get("model", "gpt-5.5")
    body = json.dumps({"model": model, **case["body"]}, ensure_ascii=False).encode()
    encoded = sent(case["client"], JsonBody(body), Target(model=model))
    told = json.loads(encoded.body)
    assert {key: told.get(key, ABSENT) for key in case["sent"]} == case["sent"]
    assert encoded.names.back == case.get("names", {})
    again = CODEX.patch_request(JsonBody(encoded.body), Target(model=model))
    assert again.body == encoded.body


@cases("errors")
def test_an_error_is_understood(case: dict[str, Any]) -> None:
    """An error is what it means, whatever its status says; and is retold where its words mislead."""
    body = case["body"].encode()
    detail = attrs.asdict(CODEX.decode_error(case["status"], body))
    expected = {"type": None, "code": None, "retry_after": None} | case["detail"]
    assert {key: detail[key] for key in expected} == expected
    assert CODEX.retells(case["status"], body) is case["retold"]


@cases("names")
def test_a_long_name_is_shortened(case: dict[str, Any]) -> None:
    """Tool names fit into 64 bytes, no two are alike, and each is known by its short form again."""
    tools = [{"type": "function", "name": name} for name in case["names"]]
    names = short_names(JsonBody(json.dumps({"tools": tools}, ensure_ascii=False).encode()))
    assert [names.wire_name(name) for name in case["names"]] == case["short"]
    assert [names.back.client_name(short) for short in case["short"]] == case["names"]


# --- answers ------------------------------------------------------------------------------------


def stream_of(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def asked(wire: ClientWire) -> Conversation:
    return Conversation(model="some-model", format=wire.name, stream=True, include_usage=True)


def collected(decoder: StreamDecoder, stream: bytes) -> ReplyCollector:
    collector = ReplyCollector()
    collector.add(decoder.feed(stream))
    collector.add(decoder.close())
    return collector


@cases("answers")
@pytest.mark.parametrize("client", ["chat", "messages"])
def test_an_answer_is_translated(case: dict[str, Any], client: str) -> None:
    """A client of another format is told the same, streamed and in one piece."""
    wire = CLIENTS[client]
    assert isinstance(wire, WireFormat)
    stream = stream_of(case["stream"])
    whole = collected(CODEX.stream_decoder(NO_NAMES), stream).reply()
    path = Translation(CODEX.stream_decoder(NO_NAMES), wire.stream_encoder(asked(wire)))
    again = collected(wire.stream_decoder(NO_NAMES), path.feed(stream) + path.close()).reply()
    for reply in (whole, again):
        told = json.loads(wire.encode_reply(reply, asked(wire)))
        assert agrees(told, case["told"].get(client, {})), told


@cases("answers")
def test_an_answer_is_relayed(case: dict[str, Any]) -> None:
    """A client of the same format gets the response that its stream ends with, made whole."""
    stream = stream_of(case["stream"])
    for pieces in cuts(stream):
        path = CODEX.stream_relay(JsonBody(b"{}"), "some-model", Target(model="gpt-5"))
        response = json.loads(CODEX.whole_of(b"".join([*map(path.feed, pieces), path.close()])))
        assert path.complete
        assert agrees(response, case["told"].get("responses", {})), response
        assert response.get("model") in (None, "some-model")


@cases("failures")
def test_a_failed_stream_is_understood(case: dict[str, Any]) -> None:
    """What went wrong is told alike to clients of the same format and of others (pain 12)."""
    stream = stream_of(case["stream"])
    path = CODEX.stream_relay(JsonBody(b"{}"), "some-model", Target(model="gpt-5"))
    path.feed(stream)
    path.close()
    translated = collected(CODEX.stream_decoder(NO_NAMES), stream)
    for error in (path.error, translated.error):
        assert error is not None
        assert agrees(attrs.asdict(error), case["error"]), error
