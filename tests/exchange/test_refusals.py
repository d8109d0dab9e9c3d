"""Bad input is a clear 4xx in the client's own dialect, and nothing upstream is called."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ppap_openai import testing as chat

from ppap_core import hookimpl
from ppap_core.exchange import Arrival
from ppap_core.testing import whole
from ppap_core.testing.running import running
from ppap_core.upstream import Upstream, UpstreamSettings

from .conftest import Bench, bench

PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/messages/count_tokens"]


def message_of(path: str, text: bytes) -> str:
    """The message, once the body has the shape that SDKs of this path expect."""
    body = json.loads(text)
    if path.startswith("/v1/messages"):
        assert body["type"] == "error"
        assert isinstance(body["error"]["type"], str)
    else:
        assert set(body["error"]) >= {"message", "type", "code"}
    message = body["error"]["message"]
    assert isinstance(message, str)
    assert message
    return message


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b"{}", 400),
        (b'{"model": 5}', 400),
        (b'{"model": "nobody-serves-this", "messages": []}', 404),
        (b'{"model": "m", "messages": "hello", "prompt": [[1]]}', 400),
        (b'{"model": "m", "messages": {}, "prompt": [1, 2]}', 400),
    ],
)
async def test_bad_bodies_are_refused_in_the_clients_dialect(path: str, body: bytes, status: int) -> None:
    async with bench(accounts=1) as one:
        one.first.otherwise(whole(chat.reply("ok")))
        answer = await one.client.post(path, content=body)
        assert answer.status_code == status, answer.text
        message_of(path, answer.content)
        assert one.first.requests == []


@pytest.mark.parametrize(
    "messages",
    ["[5]", '[{"role": "nobody", "content": "x"}]', '[{"role": "user", "content": 5}]', "[]"],
)
async def test_what_must_be_translated_is_checked_to_the_bottom(messages: str) -> None:
    """What is relayed is left to the upstream, which judges its own dialect best."""
    async with bench(accounts=1) as one:
        body = f'{{"model": "m", "max_tokens": 5, "messages": {messages}}}'
        answer = await one.client.post("/v1/messages", content=body)
        assert answer.status_code == 400
        assert "messages" in message_of("/v1/messages", answer.content)
        assert one.first.requests == []


@pytest.mark.parametrize("path", PATHS)
async def test_wrong_and_missing_keys_are_401_in_the_clients_dialect(path: str) -> None:
    async with running("") as proxy, httpx.AsyncClient(base_url=proxy.base_url) as client:
        for headers, message in (({}, "Missing API key"), ({"x-api-key": "nope"}, "Invalid API key")):
            answer = await client.post(path, headers=headers, content=b"{}")
            assert answer.status_code == 401
            assert message_of(path, answer.content) == message
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_beyond_the_limit_is_a_413(path: str) -> None:
    async with bench("limits: {max-body-mb: 1}\n", accounts=1) as one:
        answer = await one.client.post(path, content=b'{"model": "m", "x": "' + b"x" * 2**20 + b'"}')
        assert answer.status_code == 413
        assert "limits.max-body-mb" in message_of(path, answer.content)


@contextlib.asynccontextmanager
async def client_of_its_own() -> AsyncIterator[Upstream]:
    """Ten thousand requests are a matter of seconds for our own upstream client."""
    upstream = Upstream(UpstreamSettings())
    try:
        yield upstream
    finally:
        await upstream.close()


BODIES = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"model": st.just("absent")},
        optional={
            name: st.none()
            | st.booleans()
            | st.integers()
            | st.text(max_size=5)
            | st.lists(st.integers(), max_size=2)
            for name in ("messages", "prompt", "stream", "tools", "system", "max_tokens")
        },
    ).map(lambda value: json.dumps(value).encode()),
)


async def test_thousands_of_made_up_bodies_never_cause_a_500_nor_a_hang() -> None:
    """Each is a 4xx, over a real socket, and the proxy goes on serving."""
    async with bench(accounts=1) as one, client_of_its_own() as upstream:
        bodies: list[bytes] = []

        @settings(max_examples=2500, suppress_health_check=list(HealthCheck), deadline=None, database=None)
        @given(BODIES)
        def gather(body: bytes) -> None:
            bodies.append(body)

        gather()
        gate = asyncio.Semaphore(32)

        async def post(path: str, body: bytes) -> int:
            async with gate:
                url = f"{one.proxy.base_url}{path}"
                answer = await upstream.post(url, body, one.proxy.headers)
                text = await answer.body()
                await answer.close()
            message_of(path, text)
            return answer.status

        statuses = await asyncio.gather(*(post(path, body) for body in bodies for path in PATHS))
        assert len(statuses) >= 10_000
        assert set(statuses) <= {400, 404}
        assert one.first.requests == []


class Crashes:
    """A plugin that breaks on the request path, for one client only."""

    @hookimpl(tryfirst=True)
    def ppap_authenticate(self, arrival: Arrival) -> None:
        if arrival.header(b"x-crash"):
            raise RuntimeError("a bug in a plugin")


class DeafListener:
    @hookimpl
    def ppap_exchange_finished(self, record: Any) -> None:
        raise RuntimeError("a bug in a listener")


async def test_a_plugin_that_breaks_fails_that_request_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async with bench(accounts=1, plugins=[Crashes(), DeafListener()]) as one:
        one.first.otherwise(whole(chat.reply("fine")))
        body = chat.request(model="m")
        broken = await one.client.post("/v1/chat/completions", content=body, headers={"x-crash": "1"})
        assert broken.status_code == 500
        assert "a bug in a plugin" not in broken.text
        assert broken.headers["x-ppap-request-id"] in caplog.text
        assert (await one.ask()).status_code == 200


async def test_compressed_requests_are_understood(two: Bench) -> None:
    two.first.answers(whole(chat.reply("fine")))
    answer = await two.client.post(
        "/v1/chat/completions",
        content=gzip.compress(chat.request(model="m")),
        headers={"content-encoding": "gzip"},
    )
    assert answer.status_code == 200
    assert two.first.requests[0].json()["model"] == "upstream-m"
    assert "content-encoding" not in two.first.requests[0].headers


async def test_the_clients_keys_never_go_upstream(two: Bench) -> None:
    two.first.answers(whole(chat.reply("fine")))
    await two.client.post(
        "/v1/chat/completions?key=also-secret",
        content=chat.request(model="m"),
        headers={"x-api-key": "other-secret", "cookie": "session=secret"},
    )
    (request,) = two.first.requests
    sent = f"{request.target} {request.header_lines}"
    assert "secret" not in sent.replace("sk-upstream-secret-0", "")
    assert two.proxy.client_key not in sent
