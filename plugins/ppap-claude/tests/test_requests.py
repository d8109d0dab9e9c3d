"""Requests: read from clients, written for upstreams, passed on (fixtures/request_*.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_claude import MESSAGES
from ppap_claude.messages import NAME
from ppap_claude.messages.counting import COUNTED, count_request

from ppap_core.conversation import (
    Conversation,
    File,
    Identity,
    Image,
    Item,
    Message,
    OpaquePart,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    ServerToolItem,
    Text,
    ThinkingIntent,
    ThinkingSupport,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from ppap_core.errors import InvalidRequest
from ppap_core.testing.fixtures import fixture_cases
from ppap_core.testing.strategies import conversations
from ppap_core.wire import JsonBody, Target

FIXTURES = Path(__file__).parent / "fixtures"


def cases(name: str) -> Any:
    """The cases of a fixture file, as parameters."""
    listed = fixture_cases(FIXTURES / name)
    return pytest.mark.parametrize("case", listed.values(), ids=listed)


def body_of(fields: Any) -> JsonBody:
    return JsonBody(json.dumps(fields, separators=(",", ":")).encode())


# --- reading ----------------------------------------------------------------------------------


def _set(value: Any) -> dict[str, Any]:
    return attrs.asdict(value, recurse=False, filter=lambda _, each: each is not None)


def shown_part(part: Part) -> Any:
    match part:
        case Text(text=text, cache=cache):
            return {"text": text, "cache": cache} if cache else text
        case Image():
            return {"image": _set(part)}
        case File():
            return {"file": _set(part)}
        case OpaquePart(format=origin, value=value):
            assert origin == NAME
            return {"opaque": value}
        case _:
            raise AssertionError(part)


def shown(item: Item) -> Any:
    match item:
        case Message(role=role, parts=parts):
            return {role: list(map(shown_part, parts))}
        case Reasoning(redacted_data=str(data)):
            return {"redacted": data}
        case Reasoning():
            return {"thinking": [item.text, item.signature, item.origin]}
        case ToolCall():
            more = {"cache": item.cache} if item.cache else {}
            return {"call": [item.call_id, item.name, item.arguments.replace(" ", "")], **more}
        case ToolResult(content=content):
            told = content if isinstance(content, str) else list(map(shown_part, content))
            more = {key: value for key in ("cache", "is_error") if (value := getattr(item, key)) is not None}
            return {"result": [item.call_id, told], **more}
        case ServerToolItem(value=value):
            return {"server": value}
        case _:
            raise AssertionError(item)


@cases("request_decode")
def test_a_request_is_read(case: dict[str, Any]) -> None:
    """What a client says becomes items in the order it was said."""
    conversation = MESSAGES.decode_request(body_of(case["body"]))
    assert [shown(item) for item in conversation.items] == case["items"]
    assert conversation.prefills


@cases("refused")
def test_a_wrong_request_is_refused_with_its_place(case: dict[str, Any]) -> None:
    """A wrong type or a missing field is refused with a message that names it."""
    with pytest.raises(InvalidRequest) as refusal:
        MESSAGES.decode_request(body_of(case["body"]))
    assert case["says"] in refusal.value.detail.message


def test_all_settings_of_a_request_are_read() -> None:
    """Limits, sampling, tools, choice, identity, betas and unknown fields are all carried."""
    conversation = MESSAGES.decode_request(
        body_of(
            {
                "model": "m",
                "max_tokens": 9,
                "stream": True,
                "messages": [{"role": "user", "content": "hi"}],
                "temperature": 0.5,
                "top_p": 0.25,
                "top_k": 3,
                "stop_sequences": ["END"],
                "tools": [
                    {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True},
                    {"type": "custom", "name": "g", "input_schema": {"type": "object"}},
                    {"type": "web_search_20260209", "name": "browser_search", "max_uses": 2},
                    {"type": "bash_20250124", "name": "bash"},
                ],
                "tool_choice": {"type": "tool", "name": "browser_search", "disable_parallel_tool_use": True},
                "metadata": {"user_id": "u"},
                "service_tier": "auto",
                "betas": ["a", "b"],
                "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
                "context_management": {"edits": []},
            }
        )
    )
    assert (conversation.max_output_tokens, conversation.stream) == (9, True)
    assert conversation.sampling == Sampling(temperature=0.5, top_p=0.25, top_k=3)
    assert [(tool.kind, tool.name) for tool in conversation.tools] == [
        ("function", "f"),
        ("function", "g"),
        ("web_search", "browser_search"),
        ("bash_20250124", "bash"),
    ]
    assert conversation.tool_choice == ToolChoice(mode="named", name="browser_search", kind="web_search")
    assert conversation.parallel_tool_calls is False
    assert conversation.identity.user == "u"
    assert (conversation.stop, conversation.betas) == (("END",), ("a", "b"))
    assert conversation.output is not None
    assert conversation.output.schema == {"type": "object"}
    assert conversation.extras == {NAME: {"context_management": {"edits": []}}}


@pytest.mark.parametrize(
    ("choice", "mode"), [("auto", "auto"), ("any", "required"), ("none", "none"), ("odd", "unset")]
)
def test_a_choice_is_read(choice: str, mode: str) -> None:
    """The choice among tools has one meaning in all formats."""
    fields = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tool_choice": {"type": choice}}
    assert MESSAGES.decode_request(body_of(fields)).tool_choice.mode == mode


@pytest.mark.parametrize(
    ("stream", "streams"), [("true", True), ("false", False), ("null", False), ('"x"', False)]
)
def test_only_true_streams(stream: str, streams: bool) -> None:
    """A request streams when it says so with JSON true, and only then."""
    assert MESSAGES.peek(JsonBody(b'{"model":"m","stream":%b}' % stream.encode())).stream is streams


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 100_000))
def test_deep_nesting_is_refused(depth: int) -> None:
    """A body nested however deep is refused or read, and never crashes the reader."""
    nested = b"[" * depth + b"]" * depth
    try:
        MESSAGES.decode_request(JsonBody(b'{"model":"m","messages":[{"role":"user","content":%b}]}' % nested))
    except InvalidRequest:
        pass


# --- writing ----------------------------------------------------------------------------------

_PARTS = {"text": Text, "image": Image, "file": File, "opaque": OpaquePart}


def part_from(told: Any) -> Part:
    if isinstance(told, str):
        return Text(told)
    if "refusal" in told:
        return Refusal(told["refusal"])
    if "text" in told:
        return Text(**told)
    ((kind, fields),) = told.items()
    part: Part = _PARTS[kind](**fields)  # type: ignore[operator]
    return part


def item_from(told: dict[str, Any]) -> Item:
    ((kind, fields),) = told.items()
    if kind == "message":
        return Message(**{**fields, "parts": tuple(map(part_from, fields["parts"]))})
    if kind == "result" and not isinstance(fields["content"], str):
        return ToolResult(**{**fields, "content": tuple(map(part_from, fields["content"]))})
    made: Item = {"call": ToolCall, "result": ToolResult, "reasoning": Reasoning}[kind](**fields)
    return made


_FIELDS = {
    "tool_choice": ToolChoice,
    "sampling": Sampling,
    "thinking": ThinkingIntent,
    "identity": Identity,
    "output": OutputFormat,
}


def conversation_from(told: dict[str, Any]) -> Conversation:
    fields = {key: _FIELDS[key](**value) if key in _FIELDS else value for key, value in told.items()}
    fields["items"] = tuple(map(item_from, told["items"]))
    fields["tools"] = tuple(Tool(**tool) for tool in told.get("tools", ()))
    return Conversation(model="asked-for", format="some-other-format", **fields)


def target_from(told: Mapping[str, Any]) -> Target:
    """The target of a case: ``thinking`` is what the model can, ``intent`` what its name asks for."""
    fields = {"model": "claude-x", **told}
    if "thinking" in fields:
        fields["thinking"] = ThinkingSupport(**fields["thinking"])
    if "intent" in fields:
        fields["intent"] = ThinkingIntent(**fields["intent"])
    return Target(**fields)


@cases("request_encode")
def test_a_request_is_written(case: dict[str, Any]) -> None:
    """A conversation of another format becomes what the API accepts."""
    target = target_from(case.get("target", {}))
    encoded = MESSAGES.encode_request(conversation_from(case["conversation"]), target)
    body = json.loads(encoded.body)
    assert body["model"] == "claude-x"
    for key, value in case.get("body", {}).items():
        assert body[key] == value
    assert not [key for key in case.get("absent", ()) if key in body]
    if "tool_names" in case:
        assert [tool["name"] for tool in body["tools"]] == case["tool_names"]
    if "names" in case:
        assert {wire: encoded.names.client_name(wire) for wire in case["names"]} == case["names"]
    if "headers" in case:
        assert encoded.headers == case["headers"]
    for text in case.get("inputs", ()):
        assert f'"input":{text}'.encode() in encoded.body


_ROUND_TRIP = {
    "model": "claude-x",
    "max_tokens": 9,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "q"}]},
        {"role": "system", "content": [{"type": "text", "text": "now"}], "output_config": {"effort": "low"}},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}},
                {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"n": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "text", "text": "r"}],
                    "is_error": True,
                },
                {"type": "image", "source": {"type": "file", "file_id": "f1"}},
                {"type": "search_result", "source": "http://s", "title": "t", "content": []},
            ],
        },
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object", "anyOf": []}, "defer_loading": True}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "stop_sequences": ["END"],
    "metadata": {"user_id": "u"},
    "context_management": {"edits": []},
    "service_tier": "auto",
    "stream": True,
}


def test_what_this_format_says_survives_the_way_through_the_model() -> None:
    """A request that is read and written again says the same, in all that is this format's own."""
    conversation = MESSAGES.decode_request(body_of(_ROUND_TRIP))
    assert json.loads(MESSAGES.encode_request(conversation, Target(model="claude-x")).body) == _ROUND_TRIP


@settings(max_examples=100, deadline=None)
@given(conversations())
def test_a_written_request_pairs_every_call(conversation: Conversation) -> None:
    """Whatever the conversation, each result answers a call of the turn before, and ids are unique."""
    body = json.loads(MESSAGES.encode_request(conversation, Target(model="claude-x")).body)
    open_ids: set[str] = set()
    seen: set[str] = set()
    for message in body["messages"]:
        blocks = message["content"]
        assert blocks
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        assert answered <= open_ids
        called = [block["id"] for block in blocks if block["type"] == "tool_use"]
        assert not seen.intersection(called)
        assert len(set(called)) == len(called)
        seen.update(called)
        open_ids = set(called)


def test_a_count_asks_only_what_the_endpoint_knows() -> None:
    """A token count has none of the fields that the counting endpoint refuses."""
    conversation = MESSAGES.decode_request(body_of(_ROUND_TRIP))
    counted = json.loads(count_request(conversation, Target(model="claude-x")).body)
    assert set(counted) <= COUNTED
    assert counted["messages"] == _ROUND_TRIP["messages"]


# --- passing on -------------------------------------------------------------------------------


@cases("request_relay")
def test_a_request_is_passed_on(case: dict[str, Any]) -> None:
    """A client's bytes reach an upstream of its own format with only what must change, changed (pain 23)."""
    data = case["body"].encode()
    body = JsonBody(data)
    encoded = MESSAGES.patch_request(body, target_from(case.get("target", {})))
    assert encoded.headers == case.get("headers", {})
    if case.get("same"):
        assert encoded.body is data
    elif "text" in case:
        assert encoded.body.decode() == case["text"]
    else:
        _assert_changed(body, JsonBody(encoded.body), case["changed"])


def _assert_changed(before: JsonBody, after: JsonBody, changed: dict[str, Any]) -> None:
    assert {key: after.value(key) for key in changed} == changed
    rest = [key for key in before if key not in changed]
    assert [after.raw(key) for key in rest] == [before.raw(key) for key in rest]
    assert [key for key in after if key in before] == [
        key for key in before if changed.get(key, 1) is not None
    ]


@pytest.mark.parametrize("betas", ["7", "[7]", "{}"])
def test_betas_of_a_wrong_type_are_refused(betas: str) -> None:
    """A ``betas`` field that cannot become a header is the client's mistake."""
    body = JsonBody(b'{"model":"m","max_tokens":1,"messages":[],"betas":%b}' % betas.encode())
    with pytest.raises(InvalidRequest):
        MESSAGES.patch_request(body, Target(model="m"))
