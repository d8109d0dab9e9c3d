"""The routes for Responses, on a running proxy: over a chat upstream, and over one that speaks Responses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
from ppap_openai import testing as chat
from ppap_openai.responses import RESPONSES, ResponsesGuard
from ppap_openai.responses import testing as canned

from ppap_core.credentials import Credential
from ppap_core.exchange import Call, Failure, Verdict, by_status
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model
from ppap_core.proxy import Proxy
from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running
from ppap_core.upstream import Upstream, UpstreamReply

CHAT_UPSTREAM = """
openai-compatibility:
  - name: acme
    base-url: {url}/v1
    api-key-entries: [{{api-key: sk-upstream-one}}]
    models: [{{name: upstream-model, alias: client-model}}]
"""


@attrs.frozen
class Speaker:
    """A provider whose upstreams speak Responses, as small as one can be."""

    upstream: Upstream
    name = "speaker"
    wire = RESPONSES

    async def send(self, call: Call) -> UpstreamReply:
        url = f"{call.credential.settings}/responses"
        return await self.upstream.post(url, call.body, {"content-type": "application/json"})

    def classify(self, failure: Failure) -> Verdict:
        return by_status(failure)


@attrs.frozen
class SpeakerPlugin:
    """Brings it, with as many accounts as there are URLs."""

    urls: Sequence[str]

    @hookimpl
    def ppap_providers(self, proxy: Proxy) -> Sequence[Speaker]:
        return [Speaker(proxy.upstream)]

    @hookimpl
    def ppap_credentials(self) -> Sequence[Credential]:
        return [
            Credential(id=f"speaker:{n}", provider="speaker", label="speaker", settings=url)
            for n, url in enumerate(self.urls)
        ]

    @hookimpl
    def ppap_models(self, credential: Credential) -> Sequence[Model] | None:
        mine = credential.provider == "speaker"
        return [Model(id="client-model", upstream=("upstream-model",))] if mine else None


@asynccontextmanager
async def proxied(stub: StubUpstream, kind: str) -> AsyncIterator[RunningProxy]:
    plugins = [SpeakerPlugin([stub.url])] if kind == "responses" else []
    config = "" if plugins else CHAT_UPSTREAM.format(url=stub.url)
    async with running(f"request-retry: 0\n{config}", plugins=plugins) as proxy:
        yield proxy


async def posted(
    stub: StubUpstream, body: object, *, upstream: str = "chat", path: str = "/v1/responses"
) -> httpx.Response:
    """One request through a proxy whose only upstream is `stub`."""
    async with proxied(stub, upstream) as proxy, httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"{proxy.base_url}{path}", json=body, headers=dict(proxy.headers))


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream; a violation of the format's rules fails the test."""
    guard = ResponsesGuard()
    assert guard.feed(response.content) + guard.close() == []
    return [
        json.loads(line.removeprefix("data: "))
        for line in response.text.split("\n")
        if line.startswith("data: ")
    ]


def asked(**fields: Any) -> Mapping[str, Any]:
    return {"model": "client-model", "input": "Hello", **fields}


CUSTOM = {
    "type": "custom",
    "name": "apply_patch",
    "format": {"type": "grammar", "syntax": "lark", "definition": "x"},
}


# --- over a chat upstream -----------------------------------------------------------------------


async def test_a_chat_upstream_answers_a_responses_client() -> None:
    """The request is translated, the answer comes as a response under the client's model name."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(chat.reply("Hi", reasoning="Hm", tool_calls=(chat.WEATHER,))))
        response = await posted(stub, asked(instructions="Be brief", reasoning={"effort": "high"}))
        told = response.json()
        sent = stub.requests[0].json()
    assert [item["type"] for item in told["output"]] == ["reasoning", "message", "function_call"]
    assert told["output"][0]["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert told["output"][1]["content"][0]["text"] == "Hi"
    assert told["output"][2]["call_id"] == "call_weather"
    assert (told["status"], told["model"]) == ("completed", "client-model")
    assert (told["instructions"], told["reasoning"]) == ("Be brief", {"effort": "high"})
    assert told["usage"]["input_tokens_details"]["cached_tokens"] == 4
    assert sent["reasoning_effort"] == "high"
    assert sent["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "Be brief"}]},
        {"role": "user", "content": "Hello"},
    ]


async def test_a_chat_stream_becomes_a_stream_of_responses() -> None:
    """Reasoning, text and parallel calls each are an item of their own (pains 22 and 24)."""
    async with StubUpstream() as stub:
        calls = (chat.WEATHER, chat.TIME)
        stub.otherwise(streamed(chat.stream(["Hel", "lo"], reasoning="Hm", tool_calls=calls)))
        events = events_of(await posted(stub, asked(stream=True)))
    last = events[-1]["response"]
    assert events[-1]["type"] == "response.completed"
    assert [item["type"] for item in last["output"]] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    assert [item["name"] for item in last["output"][2:]] == ["get_weather", "get_time"]
    assert last["usage"]["total_tokens"] == 18


@pytest.mark.parametrize("stream", [False, True])
async def test_a_free_text_tool_makes_the_round_trip(stream: bool) -> None:
    """It goes up as a function and its call comes back as free text, now and in the history (C.16)."""
    wrapped = chat.Call("call_patch", "apply_patch", '{"input": "*** Begin Patch"}')
    history = [
        {"role": "user", "content": "Patch it"},
        {"type": "custom_tool_call", "call_id": "call_old", "name": "apply_patch", "input": "old patch"},
        {"type": "custom_tool_call_output", "call_id": "call_old", "output": "done"},
    ]
    async with StubUpstream() as stub:
        answer = (
            streamed(chat.stream(tool_calls=(wrapped,)))
            if stream
            else whole(chat.reply(tool_calls=(wrapped,)))
        )
        stub.otherwise(answer)
        response = await posted(stub, asked(input=history, tools=[CUSTOM], stream=stream))
        sent = stub.requests[0].json()
    told = events_of(response)[-1]["response"] if stream else response.json()
    (item,) = told["output"]
    assert (item["type"], item["name"], item["input"]) == (
        "custom_tool_call",
        "apply_patch",
        "*** Begin Patch",
    )
    assert told["tools"] == [CUSTOM]
    assert sent["tools"][0]["function"]["parameters"]["required"] == ["input"]
    assert json.loads(sent["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"input": "old patch"}
    assert sent["messages"][2] == {"role": "tool", "tool_call_id": "call_old", "content": "done"}


async def test_tools_in_namespaces_make_the_round_trip() -> None:
    """They are called by flat names upstream, and by namespace and name again by the client (C.16)."""
    child = {"type": "function", "name": "search", "parameters": {"type": "object"}}
    tools = [{"type": "namespace", "name": "docs", "tools": [child]}]
    async with StubUpstream() as stub:
        stub.otherwise(streamed(chat.stream(tool_calls=(chat.Call("call_1", "docs__search"),))))
        events = events_of(await posted(stub, asked(tools=tools, stream=True)))
        assert stub.requests[0].json()["tools"][0]["function"]["name"] == "docs__search"
    (item,) = events[-1]["response"]["output"]
    assert (item["namespace"], item["name"]) == ("docs", "search")


async def test_an_answer_that_was_cut_off_is_incomplete() -> None:
    """The upstream's limit shows in the status, the reason and the item (C.10)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed(chat.stream("Half", finish_reason="length")))
        events = events_of(await posted(stub, asked(stream=True)))
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert events[-1]["response"]["output"][0]["status"] == "incomplete"


async def test_a_stream_that_breaks_off_ends_in_an_error() -> None:
    """Nothing that was open is told as done, and no call can be run by mistake (pains 11 and 13)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed(chat.stream("Hello", tool_calls=(chat.WEATHER,))[:4]))
        events = events_of(await posted(stub, asked(stream=True)))
    assert events[-1]["type"] == "error"
    assert events[-1]["code"] == "upstream_disconnected"
    done = [event["item"]["type"] for event in events if event["type"] == "response.output_item.done"]
    assert done == ["message"]


async def test_an_earlier_answer_cannot_be_continued_on_another_kind_of_upstream() -> None:
    """Rather a refusal than an answer to half a conversation (A.2.5; pain 19)."""
    async with StubUpstream() as stub:
        response = await posted(stub, asked(previous_response_id="resp_1"))
        assert stub.requests == []
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "previous_response_id"


async def test_a_refusal_has_the_shape_of_all_openai_errors() -> None:
    """Before the first byte an error is an HTTP error in the client's dialect (client API spec, 12)."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(chat.error(429, "Slow down"), status=429, headers={"Retry-After": "7"}))
        response = await posted(stub, asked(stream=True))
    assert response.status_code == 429
    assert response.json()["error"]["message"] == "Slow down"
    assert response.headers["retry-after"] == "7"


# --- over an upstream that speaks Responses -----------------------------------------------------


async def test_a_request_is_relayed_byte_for_byte() -> None:
    """Only the model differs between what the client sends and what the upstream gets (pain 23)."""
    body = b'{ "input" : [ ] , "model":"client-model", "x": 1e5, "previous_response_id":"resp_0" }'
    async with StubUpstream() as stub, proxied(stub, "responses") as proxy:
        stub.otherwise(whole(canned.reply("Hi")))
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.post(
                f"{proxy.base_url}/v1/responses", content=body, headers=dict(proxy.headers)
            )
        assert stub.requests[0].body == body.replace(b"client-model", b"upstream-model")
        assert response.content == canned.reply("Hi", model="client-model")
        (record,) = await proxy.finished()
    assert record.usage == attrs.evolve(canned.USAGE, cache_write=0)


async def test_a_stream_is_relayed_with_its_output_filled_in() -> None:
    """Frames pass as they are; the last one gets the items that the upstream left out (C.14)."""
    async with StubUpstream() as stub:
        frames = canned.stream("Hello", tool_calls=(canned.WEATHER,), output=False)
        stub.otherwise(streamed(frames))
        response = await posted(stub, asked(stream=True), upstream="responses")
        events = events_of(response)
    assert [item["type"] for item in events[-1]["response"]["output"]] == ["message", "function_call"]
    assert response.content.startswith(frames[0].replace(b"upstream-model", b"client-model"))
    assert b"".join(frames[2:-1]) in response.content


async def test_an_overload_told_in_band_goes_to_the_next_account() -> None:
    """A failure on a 200 before anything was said counts as its status (pains 11 and 12)."""
    async with StubUpstream() as busy, StubUpstream() as well:
        busy.otherwise(streamed([*canned.stream("x")[:2], canned.failed_event(code="server_is_overloaded")]))
        well.otherwise(streamed(canned.stream("Hello")))
        plugin = SpeakerPlugin([busy.url, well.url])
        async with running("", plugins=[plugin]) as proxy, httpx.AsyncClient(trust_env=False) as client:
            for _ in range(2):
                url = f"{proxy.base_url}/v1/responses"
                response = await client.post(url, json=asked(stream=True), headers=dict(proxy.headers))
                assert events_of(response)[-1]["type"] == "response.completed"
            records = await proxy.finished(2)
        assert [attempt.status for record in records for attempt in record.attempts].count(503) == 1


async def test_data_that_is_no_json_never_reaches_the_client() -> None:
    """It is told as a broken upstream, without its bytes (client API spec, 11.6)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed([*canned.stream("Hello")[:5], b"data: {secret\n\n"]))
        events = events_of(await posted(stub, asked(stream=True), upstream="responses"))
    assert events[-1]["type"] == "error"
    assert events[-1]["message"] == "openai-responses: invalid SSE data JSON (len=7)"


async def test_a_stream_without_a_last_event_ends_in_an_error() -> None:
    """A clean close in the middle is no clean end (pain 13)."""
    async with StubUpstream() as stub:
        stub.otherwise(streamed(canned.stream("Hello")[:-1]))
        events = events_of(await posted(stub, asked(stream=True), upstream="responses"))
    assert (events[-1]["type"], events[-1]["sequence_number"]) == ("error", len(events) - 1)


async def test_a_chat_client_gets_the_pictures_of_a_responses_upstream() -> None:
    """A picture comes once as it is drawn, and again only if it changes (C.12, T-IMG)."""
    partial = {
        "type": "response.image_generation_call.partial_image",
        "item_id": "ig_canned",
        "output_index": 0,
        "partial_image_b64": "aGVsbG8=",
        "output_format": "png",
    }
    frames = [
        b"data: %b\n\n" % json.dumps(partial).encode(),
        b"data: %b\n\n" % json.dumps(partial).encode(),
        *canned.stream_of([canned.drawn("aGVsbG8=")])[3:-1],
        *canned.stream_of([canned.drawn("Ymll", "jpeg")])[3:],
    ]
    async with StubUpstream() as stub:
        stub.otherwise(streamed(frames))
        body = {"model": "client-model", "stream": True, "messages": [{"role": "user", "content": "Draw"}]}
        response = await posted(stub, body, upstream="responses", path="/v1/chat/completions")
    chunks = [json.loads(frame[6:]) for frame in response.text.split("\n\n")[:-2]]
    images = [each for chunk in chunks for each in chunk["choices"][0]["delta"].get("images", ())]
    assert [image["image_url"]["url"] for image in images] == [
        "data:image/png;base64,aGVsbG8=",
        "data:image/jpeg;base64,Ymll",
    ]
    assert [image["index"] for image in images] == [0, 1]


@pytest.mark.parametrize("stream", [False, True])
async def test_pictures_go_both_ways(stream: bool) -> None:
    """A chat upstream's pictures are items of a response, and a response's are a chat answer's images."""
    shown = {"type": "image_url", "image_url": {"url": "data:image/webp;base64,aGk="}}
    async with StubUpstream() as stub:
        if stream:
            chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "See", "images": [shown]}}]}
            frames = [b"data: %b\n\n" % json.dumps(chunk).encode(), *chat.stream("")[1:]]
            stub.otherwise(streamed(frames))
            told = events_of(await posted(stub, asked(stream=True)))[-1]["response"]
        else:
            answer = json.loads(chat.reply("See"))
            answer["choices"][0]["message"]["images"] = [shown]
            stub.otherwise(whole(json.dumps(answer).encode()))
            told = (await posted(stub, asked())).json()
    assert [item["type"] for item in told["output"]] == ["message", "image_generation_call"]
    assert (told["output"][1]["result"], told["output"][1]["output_format"]) == ("aGk=", "webp")
    async with StubUpstream() as stub:
        answers = canned.stream_of([canned.drawn("aGk=", "webp")])
        body = canned.response([canned.drawn("aGk=", "webp")])
        stub.otherwise(streamed(answers) if stream else whole(json.dumps(body).encode()))
        path = "/v1/chat/completions"
        messages = [{"role": "user", "content": "Draw"}]
        response = await posted(
            stub,
            {"model": "client-model", "messages": messages, "stream": stream},
            upstream="responses",
            path=path,
        )
    assert response.text.count("data:image/webp;base64,aGk=") == 1


# --- compaction ---------------------------------------------------------------------------------

COMPACTED = b'{"id":"cmp_1", "object":"response.compaction","output":[]}'


async def test_payload_rules_apply_to_compaction() -> None:
    """By the word for Responses, which is what its body is (translation spec, 0.3)."""
    rule = '{models: [{name: "*", protocol: openai-response}], params: {x: 2, stream: true}}'
    async with StubUpstream(whole(COMPACTED)) as stub, proxied(stub, "chat") as proxy:
        text = proxy.config_path.read_text()
        await proxy.rewrite(f"{text}\npayload: {{override: [{rule}]}}\n")
        async with httpx.AsyncClient(trust_env=False, headers=dict(proxy.headers)) as client:
            await client.post(f"{proxy.base_url}/v1/responses/compact", json=asked(stream=False))
    sent = stub.requests[0].json()
    assert sent["x"] == 2
    assert "stream" not in sent


async def test_compaction_is_passed_on() -> None:
    """The body goes to the upstream's own route, and its answer comes back as it is (10.4)."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(COMPACTED))
        response = await posted(stub, asked(stream=False, x=1), path="/v1/responses/compact")
        sent = stub.requests[0]
    assert response.content == COMPACTED
    assert (sent.path, sent.json()) == (
        "/v1/responses/compact",
        {"model": "upstream-model", "input": "Hello", "x": 1},
    )
    assert sent.headers["authorization"] == "Bearer sk-upstream-one"


async def test_compaction_cannot_be_streamed() -> None:
    """No upstream is asked (10.4)."""
    async with StubUpstream() as stub:
        response = await posted(stub, asked(stream=True), path="/v1/responses/compact")
        assert stub.requests == []
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "Streaming not supported for compact responses"
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_compaction_needs_an_upstream_that_offers_it() -> None:
    """Others have nothing that could stand for it (10.4)."""
    async with StubUpstream() as stub:
        response = await posted(stub, asked(), upstream="responses", path="/v1/responses/compact")
        assert stub.requests == []
    assert response.status_code == 501
    assert "/responses/compact not supported" in response.json()["error"]["message"]


async def test_a_refused_compaction_is_told_with_its_status() -> None:
    """The upstream's words and its hint when to come back reach the client."""
    async with StubUpstream() as stub:
        stub.otherwise(whole(chat.error(429, "Slow down"), status=429, headers={"Retry-After": "7"}))
        response = await posted(stub, asked(), path="/v1/responses/compact")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["error"]["message"] == "Slow down"
