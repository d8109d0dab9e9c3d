"""Streams from the first byte on (client API spec, 11; pains 13, 16, 17)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import attrs
import httpx
import pytest
from ppap_openai import testing as chat

from ppap_core import hookimpl
from ppap_core.conversation import End, ErrorDetail, Event, Start, StreamError
from ppap_core.credentials import Credential
from ppap_core.exchange import by_status
from ppap_core.exchange.disconnect import HEAD_START
from ppap_core.models import Model
from ppap_core.testing import STREAM_FAULTS, in_band_error, streamed, whole

from .conftest import FAST, Bench, bench


def events_of(text: str) -> list[str]:
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


async def test_a_relayed_stream_is_the_upstreams_own_bytes() -> None:
    """Same format, same name on both sides: nothing has to change."""
    async with bench(accounts=1, models=[{"name": chat.MODEL, "alias": ""}]) as one:
        frames = chat.stream(["a", "b"], reasoning="hm")
        one.first.answers(streamed(frames))
        answer = await one.ask(stream=True, model=chat.MODEL, stream_options={"include_usage": True})
        assert answer.content == b"".join(frames)
        sent = one.first.requests[0]
        assert sent.body == chat.request(
            "Hello", model=chat.MODEL, stream=True, stream_options={"include_usage": True}
        )


async def test_the_answer_carries_the_name_the_client_used(two: Bench) -> None:
    two.first.answers(
        streamed(chat.stream("a", model="upstream-m")), whole(chat.reply("a", model="upstream-m"))
    )
    streamed_answer = await two.ask(stream=True)
    assert {json.loads(event)["model"] for event in events_of(streamed_answer.text)[:-1]} == {"m"}
    assert (await two.ask()).json()["model"] == "m"
    assert two.first.requests[0].json()["model"] == "upstream-m"


@pytest.mark.parametrize("fault", ["cut", "reset", "malformed_chunk", "clean_end", "stall"])
async def test_a_stream_that_breaks_ends_with_an_error_and_never_in_silence(two: Bench, fault: str) -> None:
    """pain 13: a client must not store half an answer as whole."""
    two.first.answers(STREAM_FAULTS[fault](2)(streamed(chat.stream(["half", "lost"]))))
    answer = await two.ask(stream=True)
    events = events_of(answer.text)
    assert answer.status_code == 200
    assert "half" in events[1]
    assert "error" in json.loads(events[-1])
    assert "[DONE]" not in events
    record = await two.record()
    assert record.outcome == "failed"
    assert two.second.requests == []


async def test_an_in_band_error_after_the_first_word_is_passed_on(two: Bench) -> None:
    two.first.answers(in_band_error(chat.error_frame("full"), after=2)(streamed(chat.stream(["half", "x"]))))
    events = events_of((await two.ask(stream=True)).text)
    assert json.loads(events[-1])["error"]["message"] == "full"
    assert (await two.record()).outcome == "failed"


async def test_usage_is_recorded_and_its_chunk_kept_from_who_did_not_ask(two: Bench) -> None:
    two.first.answers(streamed(chat.stream("a")))
    answer = await two.ask(stream=True)
    assert all(json.loads(event)["choices"] for event in events_of(answer.text)[:-1])
    usage = (await two.record()).usage
    assert usage is not None
    assert (usage.input_total, usage.cache_read, usage.output_total) == (11, 4, 7)
    assert two.first.requests[0].json()["stream_options"] == {"include_usage": True}


async def test_a_client_that_leaves_cancels_its_upstream_and_is_nobodys_failure(two: Bench) -> None:
    """pain 16: noticed within a second, recorded as 499, neutral for the account."""
    two.first.answers(STREAM_FAULTS["stall"](2)(streamed(chat.stream(["half", "x"]))))
    async with asyncio.timeout(5):
        body = chat.request(model="m", stream=True)
        async with two.client.stream("POST", "/v1/chat/completions", content=body) as answer:
            await anext(answer.aiter_bytes())
        (request,) = await two.first.received()
        await request.disconnected.wait()
    record = await two.record()
    assert (record.status, record.outcome) == (499, "cancelled")
    assert two.proxy.proxy.pool.recovery(two.proxy.proxy.snapshot.index.routes["m"].candidates) is None


async def test_a_client_that_leaves_before_the_answer_cancels_its_upstream() -> None:
    """pain 16, not streamed."""
    async with bench(accounts=1) as one:
        one.first.answers(attrs.evolve(whole(chat.reply()), before_head=asyncio.Event()))
        async with asyncio.timeout(5):
            with pytest.raises(httpx.ReadTimeout):
                await one.client.post("/v1/chat/completions", content=chat.request(model="m"), timeout=0.5)
            (request,) = await one.first.received()
            await request.disconnected.wait()
            record = await one.record()
        assert (record.status, record.outcome) == (499, "cancelled")
        assert record.attempts[0].reason == "client_cancelled"


async def test_a_slow_answer_is_kept_alive_from_the_start() -> None:
    """pain 17: comments before the first byte, once configured."""
    async with bench("streaming: {keepalive-seconds: 1}\n", accounts=1) as one:
        gate = asyncio.Event()
        frames = chat.stream("late")
        one.first.answers(streamed([gate, *frames]))
        body = chat.request(model="m", stream=True)
        async with one.client.stream("POST", "/v1/chat/completions", content=body) as answer:
            pieces = answer.aiter_text()
            assert (await anext(pieces)).startswith(": ")
            gate.set()
            rest = "".join([piece async for piece in pieces])
        assert "late" in rest
        assert rest.endswith("data: [DONE]\n\n")


async def test_a_refusal_after_the_first_keep_alive_goes_into_the_stream() -> None:
    """pain 17: the status is out already, so the client's dialect tells of the failure."""
    async with bench("streaming: {keepalive-seconds: 1}\nrequest-retry: 0\n", accounts=1) as one:
        gate = asyncio.Event()
        one.first.answers(attrs.evolve(whole(chat.error(400), status=400), before_head=gate))
        body = chat.request(model="m", stream=True)
        async with one.client.stream("POST", "/v1/chat/completions", content=body) as answer:
            pieces = answer.aiter_text()
            assert (await anext(pieces)).startswith(": ")
            gate.set()
            rest = "".join([piece async for piece in pieces])
        assert answer.status_code == 200
        assert "error" in json.loads(events_of(rest)[-1])
        assert (await one.record()).outcome == "failed"


async def test_a_slow_whole_answer_is_kept_alive_with_blank_lines() -> None:
    """pain 17: valid JSON all the same."""
    async with bench("nonstream-keepalive-interval: 1\n", accounts=1) as one:
        gate = asyncio.Event()
        one.first.answers(attrs.evolve(whole(chat.reply("late")), before_head=gate))
        async with one.client.stream(
            "POST", "/v1/chat/completions", content=chat.request(model="m")
        ) as answer:
            pieces = answer.aiter_text()
            first = await anext(pieces)
            gate.set()
            text = first + "".join([piece async for piece in pieces])
        assert first == "\n"
        assert json.loads(text)["choices"][0]["message"]["content"] == "late"


async def test_an_upstream_that_answers_a_stream_in_one_piece_is_streamed_on(two: Bench) -> None:
    two.first.answers(whole(chat.reply("whole")))
    events = events_of((await two.ask(stream=True)).text)
    assert "whole" in "".join(events)
    assert events[-1] == "[DONE]"


async def test_an_upstream_that_only_streams_still_gives_a_whole_answer(two: Bench) -> None:
    two.first.answers(streamed(chat.stream(["par", "ts"])))
    assert (await two.ask()).json()["choices"][0]["message"]["content"] == "parts"


async def test_the_upstream_connection_is_used_again_after_a_stream(two: Bench) -> None:
    two.first.answers(streamed(chat.stream("a")), streamed(chat.stream("b")))
    await two.ask(stream=True)
    await two.ask(stream=True)
    assert [request.connection for request in two.first.requests] == [0, 0]


async def test_an_upstream_that_ends_late_spoils_neither_the_record_nor_its_connection() -> None:
    """The answer is whole at its last event. A server calls a finished request disconnected, too,
    once the watch for that has begun; that is no cancellation."""
    async with bench(accounts=1) as one:
        middle, last = asyncio.Event(), asyncio.Event()
        *frames, done = chat.stream("a")
        one.first.answers(streamed([*frames, middle, done, last]), whole(chat.reply("next")))
        asyncio.get_running_loop().call_later(HEAD_START * 2, middle.set)
        answer = await one.ask(stream=True)
        assert answer.text.endswith("data: [DONE]\n\n")
        last.set()
        record = await one.record()
        assert (record.status, record.outcome) == (200, "succeeded")
        await one.ask()
        assert [request.connection for request in one.first.requests] == [0, 0]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_upstream_headers_reach_the_client_only_when_asked_for(stream: bool) -> None:
    """And then without those of a connection, and never over our own (client API spec, 14)."""
    given = {
        "X-Request-Id": "up-1",
        "X-Ratelimit-Remaining": "7",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "Set-Cookie": "a=b",
        "Access-Control-Allow-Origin": "https://elsewhere.example",
    }
    for passed in (False, True):
        async with bench(f"passthrough-headers: {str(passed).lower()}\n", accounts=1) as one:
            frames, body = chat.stream("a"), chat.reply("a")
            one.first.answers(streamed(frames, headers=given) if stream else whole(body, headers=given))
            answer = await one.ask(stream=stream)
        assert answer.status_code == 200
        assert ("x-request-id" in answer.headers, "x-ratelimit-remaining" in answer.headers) == (
            passed,
            passed,
        )
        assert not {"x-hop", "set-cookie"} & set(answer.headers)
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
        assert len(answer.headers.get_list("content-type")) == 1


class Stumbles:
    """A provider without a wire that fails before its first word, and says when it was closed."""

    name = "stumbles"
    classify = staticmethod(by_status)

    def __init__(self) -> None:
        self.closed = False

    async def generate(
        self, conversation: object, credential: object, target: object
    ) -> AsyncIterator[Event]:
        try:
            yield Start()
            yield StreamError(ErrorDetail(message="no words", status=500))
            yield End()
        finally:
            self.closed = True

    @hookimpl
    def ppap_providers(self) -> list[Any]:
        return [self]

    @hookimpl
    def ppap_credentials(self) -> list[Credential]:
        return [Credential(id="s", provider=self.name, label="s", settings=None)]

    @hookimpl
    def ppap_models(self, credential: Credential) -> list[Model] | None:
        return [Model(id="s", upstream=["s"])] if credential.provider == self.name else None


async def test_a_provider_that_fails_before_its_first_word_is_closed() -> None:
    provider = Stumbles()
    async with bench("request-retry: 0\n", accounts=1, plugins=[provider]) as one:
        answer = await one.ask(stream=True, model="s")
        assert (answer.status_code, answer.json()["error"]["message"]) == (500, "no words")
        assert provider.closed


async def test_twenty_streams_at_once_do_not_mix() -> None:
    async with bench(FAST, accounts=1) as one:
        one.first.otherwise(
            lambda request: streamed(chat.stream(request.json()["messages"][0]["content"].split()))
        )

        async def ask(number: int) -> str:
            body = chat.request(f"{number} {number}", model="m", stream=True)
            return (await one.client.post("/v1/chat/completions", content=body)).text

        answers = await asyncio.gather(*(ask(number) for number in range(20)))
        for number, answer in enumerate(answers):
            said = [
                json.loads(event)["choices"][0]["delta"].get("content") for event in events_of(answer)[:-1]
            ]
            assert [word for word in said if word] == [str(number), str(number)]


async def test_all_events_of_one_upstream_read_leave_in_one_write() -> None:
    """Relayed and translated: a burst costs one write, not one per event."""
    async with bench(accounts=1) as one:
        gate = asyncio.Event()
        preamble, *rest = chat.stream(["a", "b", "c", "d"])
        one.first.otherwise(streamed([preamble, gate, b"".join(rest)]))
        for path in ("/v1/chat/completions", "/v1/messages"):
            gate.clear()  # what comes before is a read of its own
            body = chat.request(model="m", stream=True, max_tokens=9)
            reader, writer = await asyncio.open_connection(
                *one.proxy.base_url.removeprefix("http://").split(":")
            )
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {one.proxy.client_key}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            gate.set()
            await reader.readuntil(b"\r\n\r\n")
            chunks = await chunks_of(reader)
            writer.close()
            words = [chunk for chunk in chunks if b'"a"' in chunk or b'"d"' in chunk]
            assert len(words) == 1, path


async def chunks_of(reader: asyncio.StreamReader) -> list[bytes]:
    """The HTTP chunks of a body, as the server made them."""
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append((await reader.readexactly(size + 2))[:-2])
    return chunks
