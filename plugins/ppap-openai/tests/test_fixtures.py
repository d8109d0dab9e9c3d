"""Edge cases as data: one JSON file each in ``fixtures/<what is tested>/``, with its source.

Canonical objects are written as ``{"ClassName": {field: value, …}}``; a field left out has its
default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from ppap_openai import CHAT, COMPLETIONS

from ppap_core import conversation as canonical
from ppap_core.conversation import ThinkingIntent, ThinkingSupport
from ppap_core.errors import InvalidRequest, MalformedReply, MalformedStream, UpstreamFault
from ppap_core.wire import ClientWire, JsonBody, Target

FIXTURES = Path(__file__).parent / "fixtures"
WIRES: Mapping[str, ClientWire] = {"chat": CHAT, "completions": COMPLETIONS}
CLASSES = {name: getattr(canonical, name) for name in canonical.__all__ if name[0].isupper()}


def cases(kind: str) -> Any:
    """Every fixture of a kind, under the name of its file."""
    files = sorted((FIXTURES / kind).glob("*.json"))
    assert files, f"no fixtures in {FIXTURES / kind}"
    loaded = [(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in loaded])


def built(value: Any) -> Any:
    """The canonical object that a notation stands for."""
    if isinstance(value, list):
        return tuple(map(built, value))
    if not isinstance(value, dict):
        return value
    name = next(iter(value), None)
    if len(value) == 1 and name in CLASSES and isinstance(value[name], dict):
        return CLASSES[name](**{field: built(told) for field, told in value[name].items()})
    return {key: built(told) for key, told in value.items()}


def noted(value: Any) -> Any:
    """The notation of a canonical object."""
    if isinstance(value, msgspec.Struct):
        fields = {field.name: field.default for field in msgspec.structs.fields(value)}
    elif attrs.has(type(value)):
        fields = {field.alias: _default(field) for field in attrs.fields(type(value))}
    elif isinstance(value, Mapping):
        return {key: noted(told) for key, told in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, str):
        return [noted(each) for each in value]
    else:
        return value
    told = {name: getattr(value, name) for name in fields}
    return {type(value).__name__: {k: noted(v) for k, v in told.items() if v != fields[k]}}


def _default(field: attrs.Attribute[Any]) -> Any:
    return field.default.factory() if isinstance(field.default, attrs.Factory) else field.default


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
    told = {"model": "client-model", "format": "elsewhere", **case["conversation"]}
    encoded = CHAT.encode_request(built({"Conversation": told}), Target(model="m"))
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
    asked = conversation_of(case)
    reply = built({"Reply": {"id": "r1", "created": 1, **case["reply"]}})
    written = json.loads(wire.encode_reply(reply, asked))
    assert (written.pop("id"), written.pop("created")) == ("r1", 1)
    assert written.pop("model") == "client-model"
    assert written == case["body"]


def conversation_of(case: dict[str, Any]) -> canonical.Conversation:
    told = {"model": "client-model", "format": "elsewhere", **case.get("conversation", {})}
    asked: canonical.Conversation = built({"Conversation": told})
    return asked


@cases("stream_decode")
def test_a_stream_is_read(case: dict[str, Any]) -> None:
    """An upstream's stream becomes the same events however it is cut."""
    stream = stream_of(case["stream"])
    for size in (len(stream) or 1, 1, 7):
        decoder = CHAT.stream_decoder(names_of(case))
        pieces = [stream[place : place + size] for place in range(0, len(stream), size)]
        events = [event for piece in pieces for event in decoder.feed(piece)]
        assert noted([*events, *decoder.close()]) == case["events"]


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
    for size in (len(events), 1):
        encoder = wire.stream_encoder(conversation_of(case))
        batches = [events[place : place + size] for place in range(0, len(events), size)]
        assert frames_in(b"".join(map(encoder.feed, batches))) == case["stream"]


@cases("relay")
def test_a_stream_is_relayed(case: dict[str, Any]) -> None:
    """A stream in the client's own format passes with only what must change, however it is cut."""
    stream = stream_of(case["stream"])
    request = JsonBody(msgspec.json.encode(case.get("request", {"stream": True})))
    for size in (len(stream), 1, 7):
        path = CHAT.stream_relay(request, case.get("client_model", "m"), Target(model="m"))
        pieces = [stream[place : place + size] for place in range(0, len(stream), size)]
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


def test_every_fixture_names_its_source() -> None:
    """Each case says where the fact that it states comes from."""
    files = list(FIXTURES.rglob("*.json"))
    assert all(json.loads(file.read_text(encoding="utf-8")).get("source") for file in files)
