"""The images routes before an upstream that has them: all passes (client API spec, 10.7)."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ppap_openai.images.form import Field, read_form, written

from ppap_core.errors import InvalidRequest
from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running

PNG = b"\x89PNG\r\n\x1a\n--not a boundary--\r\n"
B64 = base64.b64encode(PNG).decode()
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"image_tokens": 2, "text_tokens": 7},
    "output_tokens": 30,
    "total_tokens": 39,
}
ANSWER = {"created": 1_730_000_000, "data": [{"b64_json": B64}], "size": "1024x1024", "usage": USAGE}
DRAWN = whole(json.dumps(ANSWER).encode())
MODELS = [{"name": "gpt-image-2-upstream", "alias": "gpt-image-2"}]


@contextlib.asynccontextmanager
async def drawing(stub: StubUpstream, more: str = "") -> AsyncIterator[RunningProxy]:
    entry = {"name": "c", "base-url": f"{stub.url}/v1", "models": MODELS}
    async with running(f"openai-compatibility: {json.dumps([entry])}\nrequest-retry: 0\n{more}") as proxy:
        yield proxy


def client_of(proxy: RunningProxy) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{proxy.base_url}/v1", api_key=proxy.client_key, max_retries=0)


@contextlib.asynccontextmanager
async def drawn(stub: StubUpstream) -> AsyncIterator[tuple[RunningProxy, openai.AsyncOpenAI]]:
    async with drawing(stub) as proxy, client_of(proxy) as client:
        yield proxy, client


def event(kind: str, prefix: str = "image_generation", **fields: Any) -> bytes:
    name = f"{prefix}.{kind}"
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()


PARTIAL = event("partial_image", partial_image_index=0, b64_json=B64)
COMPLETED = event("completed", b64_json=B64, usage=USAGE)


async def test_a_generation_is_relayed() -> None:
    """The SDK's request arrives as it is, but for the model; the answer comes back as it is."""
    async with (
        StubUpstream(DRAWN) as stub,
        drawing(stub) as proxy,
        client_of(proxy) as client,
    ):
        answer = await client.images.generate(model="gpt-image-2", prompt="a parrot", n=2, size="1024x1024")
        (record,) = await proxy.finished()
    (request,) = stub.requests
    assert request.path == "/v1/images/generations"
    assert request.json() == {
        "model": "gpt-image-2-upstream",
        "prompt": "a parrot",
        "n": 2,
        "size": "1024x1024",
    }
    assert answer.data is not None
    assert answer.data[0].b64_json == B64
    assert answer.usage is not None
    assert (record.surface, record.outcome) == ("openai-images", "succeeded")
    assert record.usage is not None
    assert (record.usage.input_total, record.usage.output_total) == (9, 30)


async def test_the_default_model() -> None:
    async with (
        StubUpstream(DRAWN) as stub,
        drawing(stub) as proxy,
        client_of(proxy) as client,
    ):
        await client.images.generate(prompt="a parrot")
    assert stub.requests[0].json()["model"] == "gpt-image-2-upstream"


async def test_an_edit_with_a_file_is_relayed() -> None:
    """A form goes on as a form, with every part, under the upstream's name of the model."""
    async with (
        StubUpstream(DRAWN) as stub,
        drawing(stub) as proxy,
        client_of(proxy) as client,
    ):
        answer = await client.images.edit(
            model="gpt-image-2",
            image=("pärrot.png", PNG, "image/png"),
            mask=("mask.png", PNG, "image/png"),
            prompt="bluer, größer",
        )
    (request,) = stub.requests
    assert request.path == "/v1/images/edits"
    form = read_form(request.body, request.headers["content-type"]).form
    texts = {field.name: field.data.decode() for field in form.fields if field.filename is None}
    assert texts == {"model": "gpt-image-2-upstream", "prompt": "bluer, größer"}
    assert [(file.filename, file.media_type, file.data) for file in form.files("image")] == [
        ("pärrot.png", "image/png", PNG)
    ]
    assert form.files("mask")[0].data == PNG
    assert answer.data is not None
    assert answer.data[0].b64_json == B64


async def test_streams_are_relayed() -> None:
    """The very frames; what they cost is recorded."""
    async with (
        StubUpstream(streamed([PARTIAL, COMPLETED])) as stub,
        drawing(stub) as proxy,
        client_of(proxy) as client,
    ):
        stream = await client.images.generate(
            model="gpt-image-2", prompt="a parrot", stream=True, partial_images=1
        )
        kinds = [each.type async for each in stream]
        (record,) = await proxy.finished()
    assert kinds == ["image_generation.partial_image", "image_generation.completed"]
    assert stub.requests[0].headers["accept"] == "text/event-stream"
    assert record.outcome == "succeeded"
    assert record.usage is not None
    assert record.usage.total == 39


async def test_an_edit_is_streamed_if_its_form_says_so() -> None:
    frames = [
        event("partial_image", "image_edit", b64_json=B64),
        event("completed", "image_edit", b64_json=B64),
    ]
    async with StubUpstream(streamed(frames)) as stub, drawn(stub) as (_, client):
        stream = await client.images.edit(model="gpt-image-2", image=PNG, prompt="bluer", stream=True)
        kinds = [each.type async for each in stream]
    assert kinds == ["image_edit.partial_image", "image_edit.completed"]


async def test_an_answer_in_one_piece_is_streamed() -> None:
    """Some upstreams do not stream: the client gets its last event."""
    async with (
        StubUpstream(DRAWN) as stub,
        drawing(stub) as proxy,
        client_of(proxy) as client,
    ):
        stream = await client.images.generate(model="gpt-image-2", prompt="x", stream=True)
        (done,) = [each async for each in stream]
    assert done.type == "image_generation.completed"
    assert done.b64_json == B64
    assert done.size == "1024x1024"


async def test_a_stream_that_ends_early_is_an_error() -> None:
    """Client API spec, 10.7: reported as an error event, not silently ended."""
    async with StubUpstream(streamed([PARTIAL])) as stub, drawing(stub) as proxy:
        answer = await asked(proxy, {"prompt": "x", "stream": True})
        (record,) = await proxy.finished()
    assert PARTIAL in answer.content
    last = answer.text.strip().split("\n\n")[-1].split("\n")
    assert last[0] == "event: error"
    assert json.loads(last[1].removeprefix("data: "))["error"]["code"] == "upstream_disconnected"
    assert record.outcome == "failed"


async def asked(proxy: RunningProxy, body: Any, path: str = "generations", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{proxy.base_url}/v1/images/{path}"
    async with httpx.AsyncClient() as client:
        return await client.post(url, content=content, headers={**proxy.headers, **headers})


@pytest.mark.parametrize(
    ("path", "body", "media_type", "message"),
    [
        ("generations", {}, "application/json", "Invalid request: prompt is required"),
        ("generations", {"prompt": " "}, "application/json", "Invalid request: prompt is required"),
        ("generations", b"{", "application/json", "Invalid request: body must be valid JSON"),
        ("edits", b"x", "text/plain", 'Invalid request: unsupported Content-Type "text/plain"'),
        ("edits", b"x", "multipart/form-data; boundary=b", "Invalid request: the body is not a whole form"),
        ("edits", b"x", "multipart/form-data", "Invalid request: the body is not a whole form"),
    ],
)
async def test_what_is_refused(path: str, body: Any, media_type: str, message: str) -> None:
    """In OpenAI's shape, without a call upstream."""
    async with StubUpstream() as stub, drawing(stub) as proxy:
        answer = await asked(proxy, body, path, **{"content-type": media_type})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"].startswith(message)
    assert error["type"] == "invalid_request_error"
    assert stub.requests == []


async def test_a_model_that_cannot_draw_is_refused_before_anything_else() -> None:
    """Client API spec, 10.7 and 21: also where the prompt is missing."""
    async with StubUpstream() as stub, drawing(stub, "demo: {enabled: true}\n") as proxy:
        model = next(each.id for each in proxy.proxy.snapshot.index.listed if each.owner != "c")
        answer = await asked(proxy, {"model": model})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        f"Model {model} is not supported on /v1/images/generations or /v1/images/edits. Use gpt-image-2."
    )


@pytest.mark.parametrize(("setting", "status"), [("true", 404), ("chat", 200), ("false", 200)])
@pytest.mark.parametrize("path", ["generations", "edits"])
async def test_the_routes_can_be_closed(setting: str, status: int, path: str) -> None:
    """``disable-image-generation``: ``chat`` leaves them open (client API spec, 21)."""
    async with (
        StubUpstream(DRAWN) as stub,
        drawing(stub, f"disable-image-generation: {setting}\n") as proxy,
    ):
        answer = await asked(proxy, {"prompt": "x", "images": []}, path)
    assert answer.status_code == status
    assert len(stub.requests) == (status == 200)


async def test_an_upstreams_refusal_reaches_the_client() -> None:
    refusal = {
        "error": {"message": "safety", "type": "image_generation_user_error", "code": "moderation_blocked"}
    }
    async with (
        StubUpstream(whole(json.dumps(refusal).encode(), status=400)) as stub,
        drawing(stub) as proxy,
        client_of(proxy) as client,
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            await client.images.generate(model="gpt-image-2", prompt="x")
    assert refused.value.code == "moderation_blocked"


@given(
    st.lists(
        st.tuples(st.sampled_from(["image", "image[]", "mask", 'o"dd']), st.binary(max_size=60)), max_size=4
    ),
    st.dictionaries(st.sampled_from(["model", "prompt", "size"]), st.text(max_size=20), max_size=3),
)
def test_a_form_that_is_written_reads_the_same(files: list[tuple[str, bytes]], texts: dict[str, str]) -> None:
    fields = [Field(name=name, filename="f.png", media_type="image/png", data=data) for name, data in files]
    fields += [Field(name=name, data=text.encode()) for name, text in texts.items()]
    form = written(fields)
    told = read_form(form.data, form.media_type)
    assert [field.data for field in told.form.fields] == [field.data for field in fields]
    assert told.value("prompt") == texts.get("prompt")
    renamed = told.form.with_model("m")
    assert read_form(renamed.data, renamed.media_type).value("model") == "m"


@given(st.binary(max_size=200))
def test_no_form_raises_anything_else(data: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        read_form(data, "multipart/form-data; boundary=b")
