"""Edge cases of Responses as data: one JSON file each in ``fixtures/responses/<what is tested>/``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ppap_openai.responses import RESPONSES, ResponsesGuard

from ppap_core import conversation as canonical
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
from ppap_core.wire import NO_NAMES, JsonBody, Target

FIXTURES = Path(__file__).parent / "fixtures" / "responses"
TARGET = Target(model="m")


def cases(kind: str) -> Any:
    """Every fixture of a kind, under the name of its file."""
    loaded = fixture_cases(FIXTURES / kind)
    return pytest.mark.parametrize("case", loaded.values(), ids=loaded)


def stream_of(frames: Sequence[Any]) -> bytes:
    """Objects are whole frames with their event's name; texts stand for themselves."""
    return b"".join(
        each.encode()
        if isinstance(each, str)
        else b"event: %b\ndata: %b\n\n" % (each.get("type", "").encode(), msgspec.json.encode(each))
        for each in frames
    )


def asked_in(case: dict[str, Any]) -> canonical.Conversation:
    return conversation_of(case.get("conversation", {}))


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
    encoded = RESPONSES.encode_request(asked_in(case), TARGET)
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
    reply = reply_of(case["reply"], "resp_1")
    written = json.loads(RESPONSES.encode_reply(reply, asked_in(case)))
    assert (written["id"], written["created_at"], written["model"]) == ("resp_1", 1, "client-model")
    assert {key: written.get(key) for key in case["body"]} == case["body"]


@cases("stream_decode")
def test_a_stream_is_read(case: dict[str, Any]) -> None:
    """An upstream's stream becomes the same events however it is cut."""
    told = events_however_cut(lambda: RESPONSES.stream_decoder(NO_NAMES), stream_of(case["stream"]))
    assert told == case["events"]


@cases("stream_encode")
def test_a_stream_is_written(case: dict[str, Any]) -> None:
    """Events become the same stream in one batch and one by one, by the rules of the format."""
    events = built([{"Start": {"id": "resp_1", "created": 1}}, *case["events"]])
    asked = asked_in(case)
    written = stream_however_batched(lambda: RESPONSES.stream_encoder(asked), events)
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
    for pieces in cuts(stream):
        path = RESPONSES.stream_relay(JsonBody(b"{}"), case.get("client_model", "m"), TARGET)
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
    encoder = RESPONSES.stream_encoder(asked_in(case))
    written = encoder.feed([canonical.StreamError(error), canonical.End()])
    assert stream_of([case["event"]]) == written
