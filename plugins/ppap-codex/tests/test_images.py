"""Pictures drawn by the tool of a Responses request (client API spec, 10.7)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import openai
import pytest

from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running

PNG = b"\x89PNG\r\n\x1a\n"
B64 = base64.b64encode(PNG).decode()
DATA_URL = f"data:image/png;base64,{B64}"
SAID = {"type": "input_text", "text": "a parrot"}
NO_URL = "images[].image_url is required (file_id is not supported)"
DRAWING = {
    "input_tokens": 9,
    "input_tokens_details": {"image_tokens": 2, "text_tokens": 7},
    "output_tokens": 30,
    "total_tokens": 39,
}
ITEM = {
    "type": "image_generation_call",
    "id": "ig_1",
    "status": "completed",
    "result": B64,
    "output_format": "png",
    "size": "1024x1024",
    "quality": "high",
    "background": "opaque",
    "revised_prompt": "a blue parrot",
}


def sse(*events: dict[str, Any]) -> list[bytes]:
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


CREATED = {"type": "response.created", "response": {"id": "r", "created_at": 1_730_000_000}}
PARTIAL = {
    "type": "response.image_generation_call.partial_image",
    "item_id": "ig_1",
    "output_index": 0,
    "partial_image_index": 0,
    "partial_image_b64": "cGFydA==",
    "output_format": "png",
}
DONE = {"type": "response.output_item.done", "output_index": 0, "item": ITEM}
COMPLETED = {
    "type": "response.completed",
    "response": {
        "id": "r",
        "created_at": 1_730_000_000,
        "status": "completed",
        "output": [],
        "usage": {"input_tokens": 50, "output_tokens": 5, "total_tokens": 55},
        "tool_usage": {"image_gen": DRAWING},
    },
}
DRAWN = sse(CREATED, PARTIAL, DONE, COMPLETED)


@contextlib.asynccontextmanager
async def drawn(stub: StubUpstream, more: str = "") -> AsyncIterator[tuple[RunningProxy, openai.AsyncOpenAI]]:
    entry = {"api-key": "sk-codex-upstream", "base-url": stub.url, "prefix": "team"}
    config = f"codex-api-key: {json.dumps([entry])}\nrequest-retry: 0\n{more}"
    async with running(config) as proxy:
        client = openai.AsyncOpenAI(base_url=f"{proxy.base_url}/v1", api_key=proxy.client_key, max_retries=0)
        async with client:
            yield proxy, client


@pytest.mark.parametrize("model", ["gpt-image-2", "team/gpt-image-2"])
async def test_a_picture_is_drawn_by_the_tool(model: str) -> None:
    """One streamed request, in which the model that draws is a tool of another."""
    async with StubUpstream(streamed(DRAWN)) as stub, drawn(stub) as (proxy, client):
        answer = await client.images.generate(
            model=model, prompt=" a parrot ", size="1024x1024", n=2, output_compression=80, user="u"
        )
        (record,) = await proxy.finished()
    (request,) = stub.requests
    sent = request.json()
    assert request.path == "/responses"
    assert sent.pop("prompt_cache_key")
    assert sent == {
        "model": "gpt-5.4-mini",
        "instructions": "",
        "stream": True,
        "store": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "parallel_tool_calls": True,
        "include": ["reasoning.encrypted_content"],
        "tool_choice": {"type": "image_generation"},
        "input": [{"type": "message", "role": "user", "content": [SAID]}],
        "tools": [
            {
                "type": "image_generation",
                "action": "generate",
                "model": "gpt-image-2",
                "size": "1024x1024",
                "output_compression": 80,
            }
        ],
    }
    assert answer.model_dump(exclude_unset=True) == {
        "created": 1_730_000_000,
        "data": [{"b64_json": B64, "revised_prompt": "a blue parrot"}],
        "background": "opaque",
        "output_format": "png",
        "quality": "high",
        "size": "1024x1024",
        "usage": DRAWING,
    }
    assert (record.surface, record.served_model) == ("openai-images", "gpt-image-2")


async def test_pictures_are_streamed() -> None:
    """Each partial one at once; the finished one with what it cost."""
    async with StubUpstream(streamed(DRAWN)) as stub, drawn(stub) as (_, client):
        stream = await client.images.generate(model="gpt-image-2", prompt="x", stream=True, partial_images=1)
        partial, done = [each async for each in stream]
    assert stub.requests[0].json()["tools"][0]["partial_images"] == 1
    assert partial.type == "image_generation.partial_image"
    assert (partial.partial_image_index, partial.b64_json) == (0, "cGFydA==")
    assert done.type == "image_generation.completed"
    assert (done.b64_json, done.size) == (B64, "1024x1024")
    assert done.usage is not None
    assert done.usage.total_tokens == 39


async def test_a_file_is_edited() -> None:
    """Files become data URLs, by their own kind or by what they begin with."""
    async with StubUpstream(streamed(DRAWN)) as stub, drawn(stub) as (_, client):
        stream = await client.images.edit(
            model="gpt-image-2",
            image=[("one.bin", PNG, "application/octet-stream"), ("two.webp", b"two", "image/webp")],
            mask=("mask.png", PNG, "image/png"),
            prompt="bluer",
            input_fidelity="high",
            stream=True,
        )
        kinds = [each.type async for each in stream]
    assert kinds == ["image_edit.partial_image", "image_edit.completed"]
    sent = stub.requests[0].json()
    two = base64.b64encode(b"two").decode()
    assert sent["input"][0]["content"] == [
        {"type": "input_text", "text": "bluer"},
        {"type": "input_image", "image_url": DATA_URL},
        {"type": "input_image", "image_url": f"data:image/webp;base64,{two}"},
    ]
    assert sent["tools"] == [
        {
            "type": "image_generation",
            "action": "edit",
            "model": "gpt-image-2",
            "input_fidelity": "high",
            "input_image_mask": {"image_url": DATA_URL},
        }
    ]


async def posted(proxy: RunningProxy, body: dict[str, Any], path: str = "edits") -> httpx.Response:
    async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
        return await client.post(f"/v1/images/{path}", json=body)


async def test_an_edit_in_json() -> None:
    """``image_url`` as a text or an object; the answer as addresses, if wanted."""
    body = {
        "prompt": "bluer",
        "images": [{"image_url": "https://x.example/a.png"}, {"image_url": {"url": DATA_URL}}],
        "mask": {"image_url": DATA_URL},
        "response_format": "url",
        "style": "vivid",
    }
    async with StubUpstream(streamed(DRAWN)) as stub, drawn(stub) as (proxy, _):
        answer = await posted(proxy, body)
    sent = stub.requests[0].json()
    assert [part.get("image_url") for part in sent["input"][0]["content"][1:]] == [
        "https://x.example/a.png",
        DATA_URL,
    ]
    assert sent["tools"][0]["input_image_mask"] == {"image_url": DATA_URL}
    assert answer.json()["data"] == [{"url": DATA_URL, "revised_prompt": "a blue parrot"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"prompt": "x"}, NO_URL),
        (
            {"prompt": "x", "images": [{"file_id": "f"}]},
            "images[].image_url is required (file_id is not supported)",
        ),
        (
            {"prompt": "x", "images": [{"image_url": DATA_URL}], "mask": {"file_id": "f"}},
            "mask.file_id is not supported (use mask.image_url instead)",
        ),
        ({"images": []}, "prompt is required"),
    ],
)
async def test_what_is_missing_is_told(body: dict[str, Any], message: str) -> None:
    async with StubUpstream() as stub, drawn(stub) as (proxy, _):
        answer = await posted(proxy, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Invalid request: {message}"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_without_a_picture_is_an_error(stream: bool) -> None:
    """502, or 400 where the model says why it will not draw; streams that showed nothing yet, too."""
    said = {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "No!"}],
    }
    spoken = {"type": "response.output_item.done", "output_index": 0, "item": said}
    async with StubUpstream(streamed(sse(CREATED, spoken, COMPLETED))) as stub, drawn(stub) as (proxy, _):
        answer = await posted(proxy, {"prompt": "x", "stream": stream}, "generations")
        (record,) = await proxy.finished()
    error = answer.json()["error"]
    assert error["message"] == "upstream did not return image output: No!"
    assert error["code"] == "content_policy_violation"
    assert (answer.status_code, record.outcome) == (400, "failed")
    async with StubUpstream(streamed(sse(CREATED, COMPLETED))) as stub, drawn(stub) as (proxy, _):
        answer = await posted(proxy, {"prompt": "x", "stream": stream}, "generations")
        (record,) = await proxy.finished()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "no_image_output")
    assert (record.outcome, record.error) == ("failed", "no_image_output")


async def test_a_stream_that_ends_without_its_picture() -> None:
    """After a partial one, an error event; it is a failure, and the account is judged (auth spec, 5)."""
    failed = {**DONE, "item": {**ITEM, "status": "failed", "result": None}}
    frames = sse(CREATED, PARTIAL, failed, COMPLETED)
    async with StubUpstream(streamed(frames)) as stub, drawn(stub) as (proxy, _):
        answer = await posted(proxy, {"prompt": "x", "stream": True}, "generations")
        (record,) = await proxy.finished()
        (candidate,) = proxy.proxy.snapshot.index.routes["gpt-image-2"].candidates
        assert proxy.proxy.pool.recovery((candidate,)) is not None
    kinds = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event")]
    assert kinds == ["image_generation.partial_image", "error"]
    assert (record.status, record.outcome, record.error) == (200, "failed", "no_image_output")


SURFACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "responses": ("/v1/responses", {"input": "x"}),
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    "messages": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
    "gemini": ("/v1beta/models/gpt-5.5:{method}", {"contents": [{"parts": [{"text": "x"}]}]}),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("surface", SURFACES)
async def test_what_drawing_took_is_recorded_apart(surface: str, stream: bool) -> None:
    """Under the model of the tool, for clients of every format (usage spec, 1; translation spec, C.9)."""
    path, fields = SURFACES[surface]
    path = path.format(method="streamGenerateContent" if stream else "generateContent")
    async with StubUpstream(streamed(DRAWN)) as stub, drawn(stub) as (proxy, _):
        proxy.expects_violations = surface == "responses"  # the stub tells the least it can
        async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
            answer = await client.post(path, json={"model": "gpt-5.5", "stream": stream, **fields})
        (record,) = await proxy.finished()
    assert answer.status_code == 200
    assert record.usage is not None
    assert (record.served_model, record.usage.input_total, record.usage.output_total) == ("gpt-5.5", 50, 5)
    ((model, usage),) = record.further_usage
    assert (model, usage.input_total, usage.output_total, usage.total) == ("gpt-image-2", 9, 30, 39)


@pytest.mark.parametrize(
    ("response", "recorded"),
    [
        ({"tool_usage": {"image_gen": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}}}, []),
        ({"tool_usage": {"image_gen": {"input_tokens_details": {"cached_tokens": 3}}}}, ["gpt-image-2"]),
        (
            {
                "tool_usage": {"image_gen": DRAWING},
                "tools": [{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-3"}],
            },
            ["gpt-image-3"],
        ),
        ({"tool_usage": {"web_search": {"num_requests": 1}}}, []),
    ],
)
async def test_whose_tokens_those_are(response: dict[str, Any], recorded: list[str]) -> None:
    """Of the model that the answer names for the tool; where all counts are 0, of nobody's."""
    ended = {**COMPLETED, "response": {**COMPLETED["response"], "tool_usage": None, **response}}
    frames = sse(CREATED, DONE, ended)
    async with StubUpstream(streamed(frames)) as stub, drawn(stub) as (proxy, client):
        await client.responses.create(model="gpt-5.5", input="x")
        (record,) = await proxy.finished()
    assert [model for model, _ in record.further_usage] == recorded


async def test_the_tool_is_kept_where_only_pictures_are_wanted() -> None:
    """``disable-image-generation: chat`` takes it from all other requests (translation spec, C.16)."""
    setting = "disable-image-generation: chat\n"
    async with StubUpstream() as stub, drawn(stub, setting) as (proxy, client):
        stub.answers(streamed(DRAWN), whole(b'{"error": {"message": "x"}}', status=400))
        await client.images.generate(model="gpt-image-2", prompt="x")
        with pytest.raises(openai.BadRequestError):
            await client.responses.create(model="gpt-5.5", input="x")
        assert proxy.proxy.snapshot.shapers
    drew, spoke = (request.json() for request in stub.requests)
    assert drew["tools"][0]["type"] == "image_generation"
    assert "tools" not in spoke


async def test_a_model_that_writes_is_refused() -> None:
    async with StubUpstream() as stub, drawn(stub) as (_, client):
        with pytest.raises(openai.BadRequestError, match=r"Model gpt-5.5 is not supported on /v1/images"):
            await client.images.generate(model="gpt-5.5", prompt="x")
    assert stub.requests == []
