"""The feature "errors": what upstreams refuse, and what they tell in the middle of a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest
import pytest_asyncio

from ppap_core.testing import streamed, whole

from ..dialects import Turn
from ..dialects.gemini import STATUS
from .asking import Message, Request, Words
from .exchange import Place, place
from .formats import FORMATS, GUARDED
from .frames import data_of
from .kinds import CLIENTS, UPSTREAMS, dialect_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED: Final = Request(messages=[Message("user", [Words("What does the sign say?")])])
WORDS: Final = "No luck today"
TOLD_AS: Final = {400: 400, 401: 503, 403: 503, 429: 429, 500: 500, 529: 529}
"""Upstream status → the client's. What is wrong with the proxy's own credential is not the client's."""
IN_BAND: Final = {"chat": 502, "codex": 500, "messages": 529, "gemini": 503, "vertex": 503}
"""Upstream kind → the status of what it tells on a 200; a Chat error says none (T-ERR)."""
MESSAGES_TYPES: Final = {
    400: "invalid_request_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def way() -> AsyncIterator[Place]:
    async with place() as found:
        yield found


def asked(client: str, upstream: str, *, stream: bool) -> Any:
    return FORMATS[client].ask(ASKED, f"to-{upstream}", stream, None)


def check_openai(error: Mapping[str, Any], status: int) -> None:
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["type"]


def check_messages(error: Mapping[str, Any], status: int) -> None:
    assert error.keys() == {"type", "message"}
    assert error["type"] in (MESSAGES_TYPES.get(status, "api_error"), "upstream_says_no")


def check_gemini(error: Mapping[str, Any], status: int) -> None:
    assert error.keys() - {"details"} == {"code", "message", "status"}
    assert (error["code"], error["status"]) == (status, STATUS.get(status, "INTERNAL"))


CHECKS: Final = {
    "chat": check_openai,
    "responses": check_openai,
    "messages": check_messages,
    "gemini": check_gemini,
}


def check_body(client: str, body: Mapping[str, Any], status: int) -> None:
    """The body of a refusal: the upstream's words in the client's shape (client spec, 12.3)."""
    assert body.get("type") == ("error" if client == "messages" else None)
    CHECKS[client](body["error"], status)
    assert body["error"]["message"] == WORDS


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", TOLD_AS)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_refusal(way: Place, client: str, upstream: str, status: int, stream: bool) -> None:
    """An upstream's error has its status, its class and its words, whether a stream was asked for or not."""
    way.stub.otherwise(whole(dialect_of(upstream).error(status, WORDS), status=status))
    response = await way.post(client, upstream, asked(client, upstream, stream=stream), stream=stream)
    assert response.status_code == TOLD_AS[status]
    assert response.headers["content-type"].startswith("application/json")
    check_body(client, response.json(), TOLD_AS[status])


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_in_band_before_the_first_word(way: Place, client: str, upstream: str) -> None:
    """A failure told on a 200 is a refusal with its own status while nothing was sent (pain 12)."""
    way.stub.otherwise(streamed([dialect_of(upstream).in_band_error(WORDS)]))
    response = await way.post(client, upstream, asked(client, upstream, stream=True), stream=True)
    assert response.status_code == IN_BAND[upstream]
    check_body(client, response.json(), IN_BAND[upstream])


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", CLIENTS)
async def test_in_band_after_the_first_word(way: Place, client: str, upstream: str) -> None:
    """Later the client hears what was said, then an error of its own format, and nothing more (pain 13)."""
    dialect = dialect_of(upstream)
    frames = dialect.frames(Turn(text="Hello, world"))
    said = next(number for number, frame in enumerate(frames, 1) if b"Hello," in frame)
    way.stub.otherwise(streamed([*frames[:said], dialect.in_band_error(WORDS, said)]))
    response = await way.post(client, upstream, asked(client, upstream, stream=True), stream=True)
    assert response.status_code == 200
    guard = GUARDED[client].stream_guard()
    assert guard.feed(response.content) + guard.close() == []
    *before, last = data_of(response.content)
    assert "Hello," in "".join(before)
    told = json.loads(last)
    if client == "responses":
        assert (told["type"], told["message"], told["sequence_number"]) == ("error", WORDS, len(before))
    else:
        check_body(client, told, IN_BAND[upstream])
