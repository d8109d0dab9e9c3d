"""Gemini CLI after a login: the local endpoint, and the envelope in every pair of formats."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import ppap_claude.testing as messages
import ppap_openai.testing as chat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ppap_gemini import CODE_ASSIST, GEMINI
from ppap_gemini.generate.envelope import closed_frames, for_project
from ppap_gemini.testing import (
    SIGNATURE,
    TRAFFIC,
    enveloped_frame,
    error,
    error_frame,
    frame,
    reply,
    stream,
)

from ppap_core import hookimpl
from ppap_core.credentials import Credential
from ppap_core.exchange import Call, by_status
from ppap_core.models import Model
from ppap_core.proxy import Proxy
from ppap_core.testing import StubUpstream, cut_after, streamed, whole
from ppap_core.testing.running import RunningProxy, running
from ppap_core.upstream import UpstreamReply
from ppap_core.wire import JsonBody, StreamPath, Target

TARGET = Target(model="m")
INNER: Mapping[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
    "safetySettings": [],
}
ASKED: Mapping[str, Any] = {
    "model": "client-model",
    "project": "my-project",
    "user_prompt_id": "u-1",
    "request": {**INNER, "session_id": "s-1"},
}
SWITCH = """
enable-gemini-cli-endpoint: true
request-retry: 0
gemini-cli: {{base-url: "{url}"}}
"""
MODELS = "models: [{{name: upstream-model, alias: client-model}}]"
UPSTREAMS = {
    "gemini": f"gemini-api-key: [{{{{api-key: sk-upstream-1, base-url: '{{url}}', {MODELS}}}}}]",
    "claude": f"claude-api-key: [{{{{api-key: sk-upstream-1, base-url: '{{url}}', {MODELS}}}}}]",
    "chat": "openai-compatibility: [{{name: stub, base-url: '{url}', "
    f"api-key-entries: [{{{{api-key: sk-upstream-1}}}}], {MODELS}}}}}]",
}
PATH = "/v1internal"


@asynccontextmanager
async def proxied(
    stub: StubUpstream, upstream: str = "gemini", *, switch: str = SWITCH, **options: Any
) -> AsyncIterator[tuple[RunningProxy, httpx.AsyncClient]]:
    """A proxy, and a client that shows no key of it, as Gemini CLI has none."""
    config = (switch + UPSTREAMS.get(upstream, "") + "\n").format(url=stub.url)
    async with (
        running(config, **options) as proxy,
        httpx.AsyncClient(
            base_url=proxy.base_url, headers={"authorization": "Bearer ya29.of-google"}, trust_env=False
        ) as client,
    ):
        yield proxy, client


def chunks(response: httpx.Response) -> list[Any]:
    return [json.loads(each[6:]) for each in response.text.split("\n\n") if each.startswith("data: ")]


# --- who may come in --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["generateContent", "streamGenerateContent", "loadCodeAssist"])
async def test_the_endpoint_is_off_unless_wanted(method: str) -> None:
    """Off by default, in the reference's own words (client API spec, 10.9)."""
    async with StubUpstream() as stub, proxied(stub, switch="# {url}\n") as (_, client):
        response = await client.post(f"{PATH}:{method}", json=ASKED)
        assert response.status_code == 403
        assert response.json() == {
            "error": {"message": "Gemini CLI endpoint is disabled", "type": "forbidden"}
        }
        assert not stub.requests


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8317"}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"host": "[::1]:8317"}, 200),
        ({"host": "LocalHost:1"}, 200),
        ({"host": "evil.example:8317"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "localhost@evil.example"}, 403),
        ({"host": "[::1"}, 403),
        ({"host": "10.0.0.1"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["generateContent", "loadCodeAssist"])
async def test_only_programs_on_this_machine_come_in(
    headers: dict[str, str], status: int, method: str
) -> None:
    """No name but the machine's own, so that no page in a browser gets in by renaming (10.9)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(reply("Hi")))
        response = await client.post(f"{PATH}:{method}", json=ASKED, headers=headers)
        assert response.status_code == status
        if status == 403:
            assert response.json() == {
                "error": {"message": "CLI reply only allow local access", "type": "forbidden"}
            }
            assert not stub.requests


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("192.168.0.7", 403),
        ("::ffff:10.0.0.1", 403),
    ],
)
async def test_only_peers_on_this_machine_come_in(peer: str, status: int) -> None:
    """Whatever the ``Host`` header says, the connection must be local (10.9)."""
    async with StubUpstream() as stub, proxied(stub) as (proxy, _):
        stub.otherwise(whole(b"{}"))
        transport = httpx.ASGITransport(app=proxy.proxy.app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            assert (await client.post(f"{PATH}:loadCodeAssist", json={})).status_code == status


async def test_other_paths_are_none_of_its_business() -> None:
    """The route takes every single segment; what is not its own stays unknown."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        for path in ("/v1internalx:generateContent", "/nonsense", "/healthz"):
            response = await client.post(path, json=ASKED)
            assert (response.status_code, response.text) == (404, "404 page not found")
        assert (await client.get(f"{PATH}:generateContent")).status_code == 404


# --- models -----------------------------------------------------------------------------------


async def test_a_gemini_upstreams_answer_comes_in_an_envelope() -> None:
    """The request leaves bare and without the session's id; the answer's bytes are kept (Gemini spec, 1)."""
    sent = reply("Hi", thinking="Hm", tool_calls=[("f", {"a": 1.0})])
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(whole(sent))
        response = await client.post(f"{PATH}:generateContent", json=ASKED)
        assert response.content == b'{"response":%b}' % sent
        (request,) = stub.requests
        assert request.target == "/v1beta/models/upstream-model:generateContent"
        assert request.json() == INNER
        assert "ya29" not in str(request.headers)
        (record,) = proxy.records
        assert (record.surface, record.requested_model, record.principal) == (
            "gemini-cli",
            "client-model",
            "",
        )
        assert record.usage is not None
        assert record.usage.output_total == 7


@pytest.mark.parametrize("query", ["", "?alt=sse", "?alt=json"])
async def test_a_stream_is_always_one_of_events(query: str) -> None:
    """Every chunk in its envelope, none lost, nothing else changed (Gemini spec, 1 and 2)."""
    frames = stream("Hello", thinking="Hm", tool_calls=[("f", {"a": 1})])
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(streamed(frames))
        response = await client.post(f"{PATH}:streamGenerateContent{query}", json=ASKED)
        assert response.headers["content-type"].startswith("text/event-stream")
        assert chunks(response) == [{"response": json.loads(each[6:])} for each in frames]
        assert stub.requests[0].target.endswith(":streamGenerateContent?alt=sse")
        assert proxy.records[0].stream


@pytest.mark.parametrize("upstream", ["claude", "chat"])
@pytest.mark.parametrize("streams", [False, True])
async def test_every_upstream_answers(upstream: str, streams: bool) -> None:
    """Other formats are translated as for a client of the bare format (Gemini spec, 1)."""
    traffic: Any = {"claude": messages, "chat": chat}[upstream]
    answer = streamed(traffic.stream("Hello")) if streams else whole(traffic.reply("Hello"))
    async with StubUpstream() as stub, proxied(stub, upstream) as (_, client):
        stub.otherwise(answer)
        method = "streamGenerateContent" if streams else "generateContent"
        response = await client.post(f"{PATH}:{method}", json=ASKED)
        answers = chunks(response) if streams else [response.json()]
        assert all(set(each) == {"response"} for each in answers)
        parts = [part for each in answers for part in each["response"]["candidates"][0]["content"]["parts"]]
        assert "".join(part["text"] for part in parts) == "Hello"
        assert answers[-1]["response"]["candidates"][0]["finishReason"] == "STOP"
        assert "session_id" not in stub.requests[0].json()


async def test_a_named_level_is_written_into_the_request() -> None:
    """The model stands in the envelope, with what its name says about thinking (8.1)."""
    level = UPSTREAMS["gemini"].replace("upstream-model", "gemini-3.1-pro-preview")
    async with StubUpstream() as stub, proxied(stub, "", switch=SWITCH + level) as (_, client):
        stub.otherwise(whole(reply("Hi")))
        await client.post(f"{PATH}:generateContent", json={**ASKED, "model": "client-model(high)"})
        assert stub.requests[0].json()["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "high"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "client-model"}, 400),
        ({"model": "client-model", "request": []}, 400),
        ({"request": {}}, 400),
        ({"model": "nobody", "request": {}}, 404),
        ({"model": 5, "request": {}}, 400),
    ],
)
@pytest.mark.parametrize("upstream", ["gemini", "chat"])
async def test_a_bad_request_is_refused_in_googles_words(
    body: dict[str, Any], status: int, upstream: str
) -> None:
    """Bare, as errors have no envelope, and before any upstream is called."""
    async with StubUpstream() as stub, proxied(stub, upstream) as (_, client):
        response = await client.post(f"{PATH}:streamGenerateContent", json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (status, status)
        assert not stub.requests


async def test_an_early_failure_is_a_plain_answer_and_a_late_one_a_chunk() -> None:
    """The status waits for the first chunk, here as elsewhere; errors have no envelope (12.1)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.answers(whole(error(400), status=400), cut_after(2)(streamed(stream("Hello", pieces=3))))
        early = await client.post(f"{PATH}:streamGenerateContent", json=ASKED)
        assert (early.status_code, early.content) == (400, error(400))
        late = await client.post(f"{PATH}:streamGenerateContent", json=ASKED)
        assert [set(each) for each in chunks(late)] == [{"response"}, {"response"}, {"error"}]


@pytest.mark.parametrize("body", [b"<html>no", b'[{"error":{"code":503,"message":"No"}}]', b""])
async def test_a_refusal_that_is_no_error_object_is_told_anew(body: bytes) -> None:
    """HTML and lists become the object that Google's clients read, with the status (17.1)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(body, status=503))
        response = await client.post(f"{PATH}:generateContent", json=ASKED)
        told = response.json()["error"]
        assert (response.status_code, told["code"], told["status"]) == (503, 503, "UNAVAILABLE")
        assert told["message"]


# --- what is not about models -----------------------------------------------------------------


@pytest.mark.parametrize("method", ["loadCodeAssist", "retrieveUserQuota", "listExperiments", "countTokens"])
async def test_other_methods_go_to_google_as_they_are(method: str) -> None:
    """With the login's own token and headers, and the answer as it is (10.9; clients spec, 5)."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(b'{"a":1}', headers={"X-Goog-Trace": "t", "Set-Cookie": "c=1"}))
        asked = b'{ "metadata" : {} }'
        response = await client.post(
            f"{PATH}:{method}?alt=json&key=sk-x&auth_token=y",
            content=asked,
            headers={
                "x-goog-api-key": "sk-x",
                "cookie": "a=b",
                "connection": "keep-alive, x-hop",
                "x-hop": "1",
                "x-goog-api-client": "gl-node/22",
                "user-agent": "GeminiCLI-tui",
            },
        )
        assert (response.status_code, response.content) == (200, b'{"a":1}')
        assert response.headers["x-goog-trace"] == "t"
        assert "set-cookie" not in response.headers
        (request,) = stub.requests
        assert request.target == f"{PATH}:{method}?alt=json"
        assert request.body == asked
        sent = request.headers
        assert sent["authorization"] == "Bearer ya29.of-google"
        assert (sent["x-goog-api-client"], sent["user-agent"]) == ("gl-node/22", "GeminiCLI-tui")
        assert not {"x-goog-api-key", "cookie", "x-hop"} & set(sent)


async def test_a_key_of_ours_never_travels() -> None:
    """Who shows the proxy's key instead of a token goes on without one (client API spec, 14)."""
    async with StubUpstream() as stub, proxied(stub) as (proxy, client):
        stub.otherwise(whole(b"{}"))
        await client.post(f"{PATH}:loadCodeAssist", json={}, headers=dict(proxy.headers))
        assert "authorization" not in stub.requests[0].headers


async def test_googles_refusals_keep_their_status() -> None:
    """The real status and words, not a 400 (10.9); an unreachable Google is a 502 in its own words."""
    async with StubUpstream() as stub, proxied(stub) as (_, client):
        stub.otherwise(whole(error(401), status=401))
        response = await client.post(f"{PATH}:loadCodeAssist", json={})
        assert (response.status_code, response.content) == (401, error(401))
        await stub.close()
        gone = await client.post(f"{PATH}:loadCodeAssist", json={})
        assert (gone.status_code, gone.json()["error"]["code"]) == (502, 502)


# --- as an upstream ---------------------------------------------------------------------------


class Service:
    """An upstream that wants envelopes, as a plugin with logins would bring it."""

    name = "service"
    wire = CODE_ASSIST
    classify = staticmethod(by_status)

    @hookimpl
    def ppap_providers(self, proxy: Proxy) -> Sequence[Any]:
        self.upstream = proxy.upstream
        return [self]

    @hookimpl
    def ppap_credentials(self, config: Any) -> Sequence[Credential]:
        return [Credential(id="s", provider="service", label="s", settings=config["gemini-cli"].base_url)]

    @hookimpl
    def ppap_models(self, credential: Credential) -> Sequence[Model] | None:
        ours = credential.provider == self.name
        return [Model(id="client-model", upstream=["upstream-model"])] if ours else None

    async def send(self, call: Call) -> UpstreamReply:
        method = "streamGenerateContent?alt=sse" if call.stream else "generateContent"
        url = f"{call.credential.settings}/v1internal:{method}"
        return await self.upstream.post(url, for_project(call.body, "theirs"), {}, deadlines=call.deadlines)


ENVELOPE = {"project": "theirs", "model": "upstream-model"}


async def test_between_envelopes_everything_else_stays() -> None:
    """Only project and model are set; the answer passes byte for byte, trace and all (Gemini spec, 10)."""
    sent = b'{"traceId":"t", "response" : %b}' % reply("Hi")
    frames = [enveloped_frame(json.loads(each[6:])) for each in stream("Hello")]
    async with StubUpstream() as stub, proxied(stub, "", plugins=[Service()]) as (proxy, client):
        stub.answers(whole(sent), streamed(frames))
        assert (await client.post(f"{PATH}:generateContent", json=ASKED)).content == sent
        assert stub.requests[0].json() == {**ASKED, **ENVELOPE}
        response = await client.post(f"{PATH}:streamGenerateContent", json=ASKED)
        assert response.content == b"".join(frames)
        usages = [record.usage for record in proxy.records]
        assert [usage and usage.output_total for usage in usages] == [7, 7]


async def test_a_bare_client_gets_what_is_in_the_envelope() -> None:
    """Byte for byte, and chunks without a response are skipped (Gemini spec, 11.1 and 20)."""
    frames = stream("Hello", tool_calls=[("f", {"a": 1.0})])
    wrapped = [b'data: {"traceId":"t","response":%b}\n\n' % each[6:].strip() for each in frames]
    async with StubUpstream() as stub, proxied(stub, "", plugins=[Service()]) as (proxy, client):
        headers = {"authorization": "", "x-goog-api-key": proxy.client_key}
        stub.answers(whole(b'{"response":%b}' % reply("Hi")), streamed(wrapped))
        url = "/v1beta/models/client-model"
        body = {**INNER, "model": "models/other", "session_id": "s"}
        answer = await client.post(f"{url}:generateContent", json=body, headers=headers)
        assert answer.content == reply("Hi")
        assert stub.requests[0].json() == {**ENVELOPE, "request": INNER}
        streamed_answer = await client.post(f"{url}:streamGenerateContent", json=INNER, headers=headers)
        assert streamed_answer.content == b"".join(frames)


@pytest.mark.parametrize("streams", [False, True])
async def test_other_formats_reach_it_too(streams: bool) -> None:
    """A chat client's request arrives in an envelope, and its answer comes out of one."""
    wrapped = [enveloped_frame(json.loads(each[6:])) for each in stream("Hello")]
    answer = streamed(wrapped) if streams else whole(b'{"response":%b}' % reply("Hello"))
    async with StubUpstream() as stub, proxied(stub, "", plugins=[Service()]) as (proxy, client):
        stub.otherwise(answer)
        asked = chat.request(model="client-model", stream=streams)
        response = await client.post("/v1/chat/completions", content=asked, headers=dict(proxy.headers))
        assert response.status_code == 200
        sent = stub.requests[0].json()
        assert {key: sent[key] for key in ENVELOPE} == ENVELOPE
        assert set(sent) == {*ENVELOPE, "request"}
        assert "model" not in sent["request"]


# --- the envelope by itself -------------------------------------------------------------------


def relayed(path: StreamPath, reads: Sequence[bytes]) -> tuple[bytes, bool, bool, Any, Any]:
    written = b"".join([*(path.feed(read) for read in reads), path.close()])
    return written, path.committed, path.complete, path.error, path.usage


BARE = JsonBody(b'{"contents":[]}')
WRAPPED = JsonBody(b'{"model":"m","request":{"contents":[]}}')
STREAMS = {**TRAFFIC.streams, **TRAFFIC.stream_errors}


@pytest.mark.parametrize("name", STREAMS)
@given(size=st.integers(1, 400))
@settings(max_examples=20, deadline=None)
def test_an_envelope_more_or_less_changes_nothing_else(name: str, size: int) -> None:
    """Through either door the path notices what the bare one does, however the stream is cut."""
    sent = STREAMS[name]
    wrapped = closed_frames(sent)
    plain = relayed(GEMINI.stream_relay(BARE, "m", TARGET), [sent])
    into, out_of = GEMINI.relay_from("gemini-cli"), CODE_ASSIST.relay_from("gemini")
    assert into is not None
    assert out_of is not None
    cut = [sent[place : place + size] for place in range(0, len(sent), size)]
    cut_wrapped = [wrapped[place : place + size] for place in range(0, len(wrapped), size)]
    to_cli = relayed(into.stream_relay(WRAPPED, "m", TARGET), cut)
    to_bare = relayed(out_of.stream_relay(BARE, "m", TARGET), cut_wrapped)
    same = relayed(CODE_ASSIST.stream_relay(WRAPPED, "m", TARGET), cut_wrapped)
    assert to_cli[0] == closed_frames(plain[0])
    assert to_bare[0] == plain[0].replace(b"\r\n", b"\n")
    assert to_cli[1:] == to_bare[1:] == same[1:] == plain[1:]


@pytest.mark.parametrize(
    ("told", "text", "output"),
    [
        ({"response": {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}}, "a", None),
        ({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}, "a", None),
        ({"response": None, "responseId": "r", "usageMetadata": {"candidatesTokenCount": 2}}, "", 2),
        ({"response": {"usage_metadata": {"candidates_token_count": 3}}}, "", 3),
        ({"response": {}, "usageMetadata": {"candidatesTokenCount": 4}}, "", 4),
        ({"response": {}, "usage_metadata": {"candidates_token_count": 5}}, "", 5),
        ({"response": {"usageMetadata": {"trafficType": "ON_DEMAND"}}}, "", None),
        ({"traceId": "t"}, "", None),
    ],
)
def test_a_chunk_is_read_in_and_out_of_an_envelope(told: Any, text: str, output: int | None) -> None:
    """Where the envelope is missing the root counts; usage is found in all four places (1 and 13)."""
    decoder = CODE_ASSIST.stream_decoder(GEMINI.encode_request(CONVERSATION, TARGET).names)
    events = [*decoder.feed(frame(told)), *decoder.close()]
    assert "".join(getattr(event, "text", "") for event in events) == text
    usages = [event.usage for event in events if type(event).__name__ == "UsageUpdate"]
    assert (usages[-1].output_total if usages else None) == output


CONVERSATION = GEMINI.decode_request(JsonBody(json.dumps(INNER).encode()))


def test_an_error_in_an_envelope_is_one() -> None:
    """Inside of the envelope as well as outside (pain 12)."""
    for told in (error_frame(429), b'data: {"response":%b}\n\n' % error(429)):
        path = CODE_ASSIST.stream_relay(WRAPPED, "m", TARGET)
        path.feed(told)
        assert path.error is not None
        assert path.error.status == 429


def test_foreign_signatures_are_judged_inside_the_envelope() -> None:
    """A call keeps what Google issued, and gets the stand-in otherwise (Gemini spec, 6)."""
    for signature, kept in ((SIGNATURE, SIGNATURE), ("E" + SIGNATURE, "skip_thought_signature_validator")):
        call = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": signature}
        turns = [*INNER["contents"], {"role": "model", "parts": [call]}]
        body = JsonBody(json.dumps({"model": "m", "request": {"contents": turns}}).encode())
        sent = json.loads(CODE_ASSIST.patch_request(body, TARGET).body)["request"]["contents"]
        assert sent[1]["parts"][0]["thoughtSignature"] == kept
