"""Edge cases of Responses as data: one JSON file each in ``fixtures/responses/<what is tested>/``.

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
from ppap_openai.responses import RESPONSES, ResponsesGuard

from ppap_core import conversation as canonical
from ppap_core.errors import InvalidRequest, MalformedReply, MalformedStream, UpstreamFault
from ppap_core.wire import NO_NAMES, JsonBody, Target

FIXTURES = Path(__file__).parent / "fixtures" / "responses"
CLASSES = {name: getattr(canonical, name) for name in canonical.__all__ if name[0].isupper()}
TARGET = Target(model="m")


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
    """Objects are whole frames with their event's name; texts stand for themselves."""
    return b"".join(
        each.encode()
        if isinstance(each, str)
        else b"event: %b\ndata: %b\n\n" % (each.get("type", "").encode(), msgspec.json.encode(each))
        for each in frames
    )


def conversation_of(case: dict[str, Any]) -> canonical.Conversation:
    told = {"model": "client-model", "format": "elsewhere", **case.get("conversation", {})}
    asked: canonical.Conversation = built({"Conversation": told})
    return asked


@cases("request_decode")
def test_a_request_is_read(case: dict[str, Any]) -> None:
    """A client's request becomes the conversation that it means, or is refused for a stated reason."""
    request = {"model": "m", **case["request"]}
    body = JsonBody(msgspec.json.encode(request))
    if "refused" in case:
        with pytest.raises(InvalidRequest, match=case["refused"]) as refusal:
            RESPONSES.decode_request(body)
        assert refusal.value.detail.param == case["param"]
        return
    told = noted(RESPONSES.decode_request(body))["Conversation"]
    extras = told.pop("extras", {}).get(RESPONSES.name, {})
    assert extras == {key: value for key, value in request.items() if key not in ("input", "model", "stream")}
    assert {"model": "m", "format": RESPONSES.name, "include_usage": True, **case["conversation"]} == told


@cases("request_encode")
def test_a_request_is_written(case: dict[str, Any]) -> None:
    """A conversation of any format becomes a request that upstreams of Responses accept."""
    encoded = RESPONSES.encode_request(conversation_of(case), TARGET)
    assert json.loads(encoded.body) == {"model": "m", **case["request"]}


@cases("request_patch")
def test_a_request_is_patched(case: dict[str, Any]) -> None:
    """A request in the upstream's own format keeps every byte but those that must change."""
    sent = case["sent"].encode()
    target = Target(model=case.get("target", "m"), **built(case.get("asked", {})))
    patched = RESPONSES.patch_request(JsonBody(sent), target).body
    assert patched.decode() == case.get("patched", case["sent"])


@cases("reply_decode")
def test_a_reply_is_read(case: dict[str, Any]) -> None:
    """An upstream's whole answer becomes the reply that it means, or the error that it tells."""
    body = msgspec.json.encode(case["body"])
    if "fault" in case:
        with pytest.raises(UpstreamFault) as fault:
            RESPONSES.decode_reply(body, NO_NAMES)
        assert noted(fault.value.detail)["ErrorDetail"] == case["fault"]
    elif "malformed" in case:
        with pytest.raises(MalformedReply, match=case["malformed"]):
            RESPONSES.decode_reply(body, NO_NAMES)
    else:
        assert noted(RESPONSES.decode_reply(body, NO_NAMES))["Reply"] == case["reply"]


@cases("reply_encode")
def test_a_reply_is_written(case: dict[str, Any]) -> None:
    """A reply becomes a response with the fields named in the case, under the client's model name."""
    reply = built({"Reply": {"id": "resp_1", "created": 1, **case["reply"]}})
    written = json.loads(RESPONSES.encode_reply(reply, conversation_of(case)))
    assert (written["id"], written["created_at"], written["model"]) == ("resp_1", 1, "client-model")
    assert {key: written.get(key) for key in case["body"]} == case["body"]


@cases("stream_decode")
def test_a_stream_is_read(case: dict[str, Any]) -> None:
    """An upstream's stream becomes the same events however it is cut."""
    stream = stream_of(case["stream"])
    for size in (len(stream) or 1, 1, 7):
        decoder = RESPONSES.stream_decoder(NO_NAMES)
        pieces = [stream[place : place + size] for place in range(0, len(stream), size)]
        events = [event for piece in pieces for event in decoder.feed(piece)]
        assert noted([*events, *decoder.close()]) == case["events"]


@cases("stream_encode")
def test_a_stream_is_written(case: dict[str, Any]) -> None:
    """Events become the same stream in one batch and one by one, by the rules of the format."""
    events = built([{"Start": {"id": "resp_1", "created": 1}}, *case["events"]])
    for size in (len(events), 1):
        encoder = RESPONSES.stream_encoder(conversation_of(case))
        batches = [events[place : place + size] for place in range(0, len(events), size)]
        written = b"".join(map(encoder.feed, batches))
        guard = ResponsesGuard()
        assert guard.feed(written) + guard.close() == []
        told = [json.loads(frame.partition(b"data: ")[2]) for frame in written.split(b"\n\n") if frame]
        assert [event["type"].removeprefix("response.") for event in told] == case["types"]
        last = told[-1].get("response", told[-1])
        assert {key: last.get(key) for key in case["last"]} == case["last"]


@cases("relay")
def test_a_stream_is_relayed(case: dict[str, Any]) -> None:
    """A stream in the client's own format passes with only what must change, however it is cut."""
    stream = stream_of(case["stream"])
    for size in (len(stream), 1, 7):
        path = RESPONSES.stream_relay(JsonBody(b"{}"), case.get("client_model", "m"), TARGET)
        pieces = [stream[place : place + size] for place in range(0, len(stream), size)]
        if "malformed" in case:
            with pytest.raises(MalformedStream) as error:
                b"".join([*map(path.feed, pieces), path.close()])
            assert str(error.value) == case["malformed"]
            continue
        relayed = b"".join([*map(path.feed, pieces), path.close()])
        assert relayed == (stream_of(case["relayed"]) if "relayed" in case else stream)
        told = {"committed": path.committed, "complete": path.complete}
        assert told == {"committed": True, "complete": True} | case.get("told", {})
        assert noted(path.error) == case.get("error")
        assert noted(path.usage) == case.get("usage")


@cases("error_in_band")
def test_an_error_in_a_stream_is_understood(case: dict[str, Any]) -> None:
    """An in-band error is as serious as its words say, in each of the shapes that it comes in (pain 12)."""
    events = RESPONSES.stream_decoder(NO_NAMES).feed(stream_of(case["stream"]))
    errors = [event.error for event in events if isinstance(event, canonical.StreamError)]
    assert noted(errors) == [{"ErrorDetail": case["error"]}]


@cases("error_encode")
def test_an_error_in_a_stream_is_written(case: dict[str, Any]) -> None:
    """Clients check events against one union of types, in which an error is flat (C.11)."""
    error = built({"ErrorDetail": case["detail"]})
    encoder = RESPONSES.stream_encoder(conversation_of(case))
    written = encoder.feed([canonical.StreamError(error), canonical.End()])
    assert stream_of([case["event"]]) == written


def test_every_fixture_names_its_source() -> None:
    """Each case says where the fact that it states comes from."""
    files = list(FIXTURES.rglob("*.json"))
    assert all(json.loads(file.read_text(encoding="utf-8")).get("source") for file in files)
