"""Edge cases as data: one list in ``fixtures/<what is tested>.json``, each case with its source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ppap_gemini import GEMINI
from ppap_gemini.generate.names import sanitised
from ppap_gemini.generate.thinking import written
from ppap_gemini.generate.usage import read_usage
from ppap_gemini.schema import cleaned

from ppap_core.conversation import Finish, StreamError, ThinkingIntent, ThinkingSupport
from ppap_core.testing.fixtures import (
    built,
    conversation_of,
    events_however_cut,
    fixture_cases,
    noted,
    stream_however_batched,
)
from ppap_core.testing.guard_rules import keeps_the_rules
from ppap_core.wire import NO_NAMES, JsonBody, Target

FIXTURES = Path(__file__).parent / "fixtures"


def cases(kind: str) -> Any:
    """Every case of a kind, under its name."""
    loaded = fixture_cases(FIXTURES / kind)
    return pytest.mark.parametrize("case", loaded.values(), ids=loaded)


def target_of(told: Mapping[str, Any]) -> Target:
    """``support`` and ``intent`` are the fields of those classes."""
    known = dict(told)
    support, intent = known.pop("support", None), known.pop("intent", {})
    thinking = None if support is None else ThinkingSupport(**support)
    return Target(**{"model": "m", **known, "thinking": thinking, "intent": ThinkingIntent(**intent)})


def frames_of(stream: Sequence[Any]) -> bytes:
    """Objects are ``data:`` frames; texts stand for themselves."""
    return b"".join(
        each.encode() if isinstance(each, str) else b"data: " + msgspec.json.encode(each) + b"\n\n"
        for each in stream
    )


@cases("schema")
def test_a_schema_is_cleaned(case: dict[str, Any]) -> None:
    """A JSON Schema becomes what Gemini takes; cleaning it twice changes nothing, nor the one given."""
    before = json.dumps(case["schema"])
    assert cleaned(case["schema"]) == case["cleaned"]
    assert json.dumps(case["schema"]) == before
    assert cleaned(cleaned(case["schema"])) == case["cleaned"]


@cases("names")
def test_a_function_name_is_sanitised(case: dict[str, Any]) -> None:
    """Names come into the alphabet and length that Gemini takes."""
    assert sanitised(case["given"]) == case["sanitised"]


@cases("usage")
def test_usage_is_read(case: dict[str, Any]) -> None:
    """Counts come into one normal form, where input and output are whole (pain 30)."""
    told = read_usage(msgspec.json.encode(case["metadata"]))
    assert (None if told is None else noted(told)["Usage"]) == case["usage"]


@cases("thinking_write")
def test_thinking_is_written(case: dict[str, Any]) -> None:
    """An intent that fits the model is spelt as its family takes it."""
    target = target_of({"support": case["support"]})
    assert written(ThinkingIntent(**case["intent"]), target) == case["config"]


@cases("request_decode")
def test_a_request_is_read(case: dict[str, Any]) -> None:
    """A client's request becomes the conversation that it means."""
    told = noted(GEMINI.decode_request(JsonBody(msgspec.json.encode(case["request"]))))["Conversation"]
    assert told.pop("format") == "gemini"
    assert told.pop("model") == ""
    assert told.pop("include_usage") is True
    assert told.pop("prefills") is True
    assert told == case["conversation"]


@cases("request_encode")
def test_a_request_is_written(case: dict[str, Any]) -> None:
    """A conversation of any format becomes a request that Gemini accepts."""
    target = target_of(case.get("target", {}))
    encoded = GEMINI.encode_request(conversation_of(case["conversation"]), target)
    assert json.loads(encoded.body) == {**case["request"], "model": target.model}


@cases("request_patch")
def test_a_request_is_patched(case: dict[str, Any]) -> None:
    """A request in the upstream's own format keeps every byte but those that must change."""
    body = JsonBody(case["sent"].encode())
    patched = GEMINI.patch_request(body, target_of(case.get("target", {}))).body
    assert patched.decode() == case.get("patched", case["sent"])
    if "patched" not in case:
        assert patched is body.data


@cases("stream_decode")
def test_a_stream_is_read(case: dict[str, Any]) -> None:
    """An upstream's stream becomes the same events however it is cut."""
    told = events_however_cut(lambda: GEMINI.stream_decoder(NO_NAMES), frames_of(case["stream"]))
    assert told == case["events"]


@cases("stream_encode")
def test_a_stream_is_written(case: dict[str, Any]) -> None:
    """Events become the same chunks in one batch and one by one."""
    events = built(case["events"])
    asked = conversation_of({})
    written = stream_however_batched(lambda: GEMINI.stream_encoder(asked), events)
    frames = [frame.removeprefix(b"data: ") for frame in written.split(b"\n\n") if frame]
    assert list(map(json.loads, frames)) == case["stream"]
    ended = any(isinstance(event, Finish | StreamError) for event in events)
    keeps_the_rules(GEMINI, [written], ended=ended)


@cases("error_decode")
def test_an_error_is_read(case: dict[str, Any]) -> None:
    """An upstream's error answer is understood whatever its shape, with when to try again (17.2)."""
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    assert noted(GEMINI.decode_error(case["status"], body.encode()))["ErrorDetail"] == case["detail"]
