"""Edge cases as data: one JSON file each in ``fixtures/<what is tested>/``, with its source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ppap_openai import CHAT, COMPLETIONS

from ppap_core import conversation as canonical
from ppap_core.conversation import Finish, StreamError, ThinkingIntent, ThinkingSupport
from ppap_core.errors import InvalidRequest, MalformedReply, MalformedStream, UpstreamFault
from ppap_core.testing.fixtures import (
    built,
    conversation_of,
    cuts,
    events_however_cut,
    fixture_cases,
    noted,
    reply_of,
    stream_however_batched,
)
from ppap_core.testing.guard_rules import keeps_the_rules
from ppap_core.wire import ClientWire, JsonBody, Target

FIXTURES = Path(__file__).parent / "fixtures"
WIRES: Mapping[str, ClientWire] = {"chat": CHAT, "completions": COMPLETIONS}


def cases(kind: str) -> Any:
    """Every fixture of a kind, under the name of its file."""
    loaded = fixture_cases(FIXTURES / kind)
    return pytest.mark.parametrize("case", loaded.values(), ids=loaded)


def stream_of(frames: Sequence[Any]) -> bytes:
    """Objects are ``data:`` frames; texts stand for themselves."""
    return b"".join(
        each.encode() if isinstance(each, str) else b"data: " + msgspec.json.encode(each) + b"\n\n"
        for each in frames
    )


def frames_in(stream: bytes) -> list[Any]:
    """The data of each frame: objects, or text such as ``[DONE]``."""
    assert not stream or stream.endswith(b"\n\n")
    told = [frame.removeprefix(b"data: ") for frame in stream.split(b"\n\n") if frame]
    return [json.loads(data) if data.startswith(b"{") else data.decode() for data in told]


@cases("request_decode")
def test_a_request_is_read(case: dict[str, Any]) -> None:
    """A client's request becomes the conversation that it means, or is refused for a stated reason."""
    wire = WIRES[case.get("wire", "chat")]
    body = JsonBody(msgspec.json.encode(case["request"]))
    if "refused" in case:
        with pytest.raises(InvalidRequest, match=case["refused"]) as refusal:
            wire.decode_request(body)
        assert refusal.value.detail.param == case["param"]
    else:
        told = noted(wire.decode_request(body))["Conversation"]
        assert told.pop("format") == wire.name
        assert told == case["conversation"]


@cases("request_encode")
def test_a_request_is_written(case: dict[str, Any]) -> None:
    """A conversation of any format becomes a request that upstreams of Chat accept."""
    encoded = CHAT.encode_request(asked_in(case), Target(model="m"))
    assert json.loads(encoded.body) == {"model": "m", **case["request"]}
    for wire_name, client_name in case.get("names", {}).items():
        assert encoded.names.client_name(wire_name) == client_name


@cases("reply_decode")
def test_a_reply_is_read(case: dict[str, Any]) -> None:
    """An upstream's whole answer becomes the reply that it means, or the error that it tells."""
    body = msgspec.json.encode(case["body"])
    if "fault" in case:
        with pytest.raises(UpstreamFault) as fault:
            CHAT.decode_reply(body, names_of(case))
        assert noted(fault.value.detail)["ErrorDetail"] == case["fault"]
    elif "malformed" in case:
        with pytest.raises(MalformedReply, match=case["malformed"]):
            CHAT.decode_reply(body, names_of(case))
    else:
        assert noted(CHAT.decode_reply(body, names_of(case)))["Reply"] == case["reply"]


def names_of(case: dict[str, Any]) -> Any:
    """The name map of a request that declared the case's tools."""
    tools = built(case.get("tools", []))
    asked = canonical.Conversation(model="m", format="elsewhere", tools=tools)
    return CHAT.encode_request(asked, Target(model="m")).names


@cases("reply_encode")
def test_a_reply_is_written(case: dict[str, Any]) -> None:
    """A reply becomes an answer in the client's dialect, under the client's model name."""
    wire = WIRES[case.get("wire", "chat")]
    written = json.loads(wire.encode_reply(reply_of(case["reply"], "r1"), asked_in(case)))
    assert (written.pop("id"), written.pop("created")) == ("r1", 1)
    assert written.pop("model") == "client-model"
    assert written == case["body"]


def asked_in(case: dict[str, Any]) -> canonical.Conversation:
    return conversation_of(case.get("conversation", {}))


@cases("stream_decode")
def test_a_stream_is_read(case: dict[str, Any]) -> None:
    """An upstream's stream becomes the same events however it is cut."""
    names = names_of(case)
    told = events_however_cut(lambda: CHAT.stream_decoder(names), stream_of(case["stream"]))
    assert told == case["events"]


@cases("stream_malformed")
def test_a_stream_that_is_no_stream_is_reported(case: dict[str, Any]) -> None:
    """Bytes that break the format raise an error that does not repeat them."""
    stream = stream_of(case["stream"])
    with pytest.raises(MalformedStream) as error:
        CHAT.stream_decoder(names_of(case)).feed(stream)
    assert str(error.value) == case["message"]


@cases("stream_encode")
def test_a_stream_is_written(case: dict[str, Any]) -> None:
    """Events become the same chunks in one batch and one by one."""
    wire = WIRES[case.get("wire", "chat")]
    events = built(case["events"])
    asked = asked_in(case)
    written = stream_however_batched(lambda: wire.stream_encoder(asked), events)
    assert frames_in(written) == case["stream"]
    ended = any(isinstance(event, Finish | StreamError) for event in events)
    keeps_the_rules(wire, [written], ended=ended)


@cases("relay")
def test_a_stream_is_relayed(case: dict[str, Any]) -> None:
    """A stream in the client's own format passes with only what must change, however it is cut."""
    stream = stream_of(case["stream"])
    request = JsonBody(msgspec.json.encode(case.get("request", {"stream": True})))
    for pieces in cuts(stream):
        path = CHAT.stream_relay(request, case.get("client_model", "m"), Target(model="m"))
        relayed = b"".join([*map(path.feed, pieces), path.close()])
        expected = stream_of(case["relayed"]) if "relayed" in case else stream
        assert relayed == expected
        told = {"committed": path.committed, "complete": path.complete}
        assert told == {"committed": True, "complete": True} | case.get("told", {})
        assert noted(path.error) == case.get("error")
        assert noted(path.usage) == case.get("usage")


@cases("request_patch")
def test_a_request_is_patched(case: dict[str, Any]) -> None:
    """A request in the upstream's own format keeps every byte but those that must change."""
    sent = case["sent"].encode()
    target = Target(
        model=case.get("target", "m"),
        thinking=ThinkingSupport(**case["thinking"]) if "thinking" in case else None,
        intent=ThinkingIntent(**case.get("intent", {})),
    )
    patched = CHAT.patch_request(JsonBody(sent), target).body
    assert patched.decode() == case.get("patched", case["sent"])
    if "patched" not in case:
        assert patched is sent or patched == sent


@pytest.mark.parametrize("effort", ["", " High ", "NONE", "auto", "ultra"])
@pytest.mark.parametrize(
    "shape", ['"messages":[],"reasoning_effort":"%s"', '"input":"U","reasoning":{"effort":"%s"}']
)
def test_the_intent_is_seen_without_decoding(shape: str, effort: str) -> None:
    """A relay knows how much thinking is asked for from a look at the body (D.6, D.8)."""
    body = JsonBody(f'{{"model":"m",{shape % effort}}}'.encode())
    assert CHAT.peek(body).thinking == CHAT.decode_request(body).thinking


@pytest.mark.parametrize("field", ['"reasoning_effort":3', '"reasoning_effort":["high"]'])
def test_an_effort_of_a_wrong_type_asks_for_nothing(field: str) -> None:
    """It is passed on, and the upstream says what is wrong with it."""
    body = JsonBody(b'{"model":"m","messages":[],%b}' % field.encode())
    assert CHAT.peek(body).thinking == ThinkingIntent()


@cases("reply_relay")
def test_a_reply_is_relayed(case: dict[str, Any]) -> None:
    """A whole answer in the client's own format keeps every byte but the model's name."""
    relayed = CHAT.relay_reply(case["sent"].encode(), case["client_model"], Target(model="m"))
    assert relayed.body.decode() == case.get("relayed", case["sent"])
    assert noted(relayed.usage) == case.get("usage")


@cases("error_decode")
def test_an_error_is_read(case: dict[str, Any]) -> None:
    """An upstream's error answer is understood whatever its shape."""
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    assert noted(CHAT.decode_error(case["status"], body.encode()))["ErrorDetail"] == case["detail"]


@cases("error_encode")
def test_an_error_is_written(case: dict[str, Any]) -> None:
    """Clients get errors in OpenAI's one shape, with type and code by status where none were told."""
    error = built({"ErrorDetail": case["detail"]})
    assert json.loads(CHAT.encode_error(error)) == {"error": case["error"]}
