"""Which headers pass from upstream to client, and which from client to upstream (client API spec, 14)."""

from __future__ import annotations

import pytest
from ppap_openai import testing as chat

from ppap_core.testing import whole
from tests.exchange.conftest import bench

LIMITED = b'{"error":{"message":"slow down","type":"rate_limit_error"}}'
TOLD = {
    "Retry-After": "30",
    "X-RateLimit-Remaining": "0",
    "X-Request-Id": "one",
    "x-request-id": "two",
    "Set-Cookie": "a=b",
    "X-PPAP-Request-Id": "theirs",
    "Connection": "keep-alive, x-hop-a, x-hop-b",
    "connection": "x-hop-c",
    "X-Hop-A": "1",
    "X-Hop-C": "1",
}
"""Two spellings of a name are two lines."""


@pytest.mark.parametrize("passed", [False, True])
async def test_headers_of_an_error(passed: bool) -> None:
    """When to come again is always told, once; limits and ids only if headers pass."""
    setting = f"passthrough-headers: {str(passed).lower()}\nrequest-retry: 0\n"
    async with bench(setting, accounts=1) as one:
        one.first.otherwise(whole(LIMITED, status=429, headers=TOLD))
        answer = await one.ask()
    assert answer.status_code == 429
    assert answer.headers.get_list("retry-after") == ["30"]
    assert answer.headers.get("x-ratelimit-remaining") == ("0" if passed else None)
    assert answer.headers.get("x-request-id") == ("one, two" if passed else None)
    assert len(answer.headers.get_list("x-ppap-request-id")) == 1
    assert not {"set-cookie", "x-hop-a", "x-hop-b", "x-hop-c"} & answer.headers.keys()


async def test_the_headers_of_the_attempt_that_succeeded_count() -> None:
    """A retry's headers replace those of the first attempt."""
    setting = "passthrough-headers: true\nrequest-retry: 0\nstreaming: {bootstrap-retries: 1}\n"
    async with bench(setting) as two:
        two.first.otherwise(whole(LIMITED, status=429, headers=TOLD))
        two.second.otherwise(whole(chat.reply("fine"), headers={"X-Request-Id": "second"}))
        answer = await two.ask()
    assert answer.headers["x-request-id"] == "second"
    assert "x-ratelimit-remaining" not in answer.headers


async def test_a_refusal_of_our_own_account_brings_no_headers() -> None:
    async with bench("passthrough-headers: true\nrequest-retry: 0\n", accounts=1) as one:
        one.first.otherwise(whole(b"{}", status=401, headers={"X-Request-Id": "one"}))
        answer = await one.ask()
    assert answer.status_code == 503
    assert "x-request-id" not in answer.headers


async def test_the_clients_keys_and_cookies_stay_here() -> None:
    """Neither headers nor query parameters that may hold a key travel upstream."""
    async with bench(accounts=1) as one:
        one.first.otherwise(whole(chat.reply("fine")))
        headers = {"x-api-key": "k", "x-goog-api-key": "k", "cookie": "a=b", "proxy-authorization": "Basic x"}
        await one.client.post(
            "/v1/chat/completions?key=k&auth_token=k", content=chat.request("x", model="m"), headers=headers
        )
    (request,) = one.first.requests
    assert request.target == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-upstream-secret-0"
    assert not headers.keys() & request.headers.keys()
