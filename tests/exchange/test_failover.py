"""From account to account, before the client notices (auth spec, 5; pains 7, 11, 12, 14, 18)."""

from __future__ import annotations

import pytest
from ppap_openai import testing as chat

from ppap_core.testing import HEAD_FAULTS, STREAM_FAULTS, Answer, in_band_error, refusal, streamed, whole

from .conftest import FAST, Bench, bench

ROTATED = [401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504, 529]
STOPPED = [413, 422]


def error_answer(status: int, retry_after: float | None = None) -> Answer:
    return refusal(status, chat.error(status), retry_after=retry_after)(whole(b""))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", ROTATED)
async def test_a_refusal_leads_to_the_next_account(two: Bench, status: int, stream: bool) -> None:
    two.first.answers(error_answer(status))
    two.second.answers(streamed(chat.stream("fine")) if stream else whole(chat.reply("fine")))
    answer = await two.ask(stream=stream)
    assert answer.status_code == 200
    assert "fine" in answer.text
    record = await two.record()
    assert [attempt.status for attempt in record.attempts] == [status, 200]
    assert record.outcome == "succeeded"


@pytest.mark.parametrize("status", STOPPED)
async def test_the_clients_own_mistake_is_not_tried_elsewhere(two: Bench, status: int) -> None:
    two.first.answers(error_answer(status))
    answer = await two.ask()
    assert answer.status_code == status
    assert two.second.requests == []
    candidates = two.proxy.proxy.snapshot.index.routes["m"].candidates
    assert two.proxy.proxy.pool.recovery(candidates) is None


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", HEAD_FAULTS)
async def test_a_fault_before_the_head_leads_to_the_next_account(
    two: Bench, fault: str, stream: bool
) -> None:
    """pain 14: fallback is proven per fault kind, not per status."""
    two.first.otherwise(HEAD_FAULTS[fault](whole(chat.reply())))
    two.second.answers(streamed(chat.stream("fine")) if stream else whole(chat.reply("fine")))
    answer = await two.ask(stream=stream)
    assert "fine" in answer.text
    assert len((await two.record()).attempts) == 2


@pytest.mark.parametrize("fault", STREAM_FAULTS)
@pytest.mark.parametrize("frames", [0, 1])
async def test_a_stream_that_fails_before_its_first_word_leads_to_the_next_account(
    two: Bench, fault: str, frames: int
) -> None:
    """pains 11 and 18: a role chunk alone is not an answer; nothing has been written yet."""
    two.first.otherwise(STREAM_FAULTS[fault](frames)(streamed(chat.stream("lost"))))
    two.second.answers(streamed(chat.stream("fine")))
    answer = await two.ask(stream=True)
    assert answer.status_code == 200
    assert "fine" in answer.text
    assert "lost" not in answer.text


async def test_an_error_told_on_a_200_is_a_failure(two: Bench) -> None:
    """pain 12: stream and whole answer alike."""
    two.first.answers(in_band_error(chat.error_frame(), after=1)(streamed(chat.stream("x"))))
    two.second.answers(streamed(chat.stream("fine")))
    assert "fine" in (await two.ask(stream=True)).text
    record = await two.record()
    assert record.attempts[0].status == 500


async def test_an_error_body_on_a_200_is_a_failure(two: Bench) -> None:
    """pain 12."""
    two.first.answers(whole(chat.error(429)))
    two.second.answers(whole(chat.reply("fine")))
    assert "fine" in (await two.ask()).text


async def test_a_cooling_account_is_not_asked_again(two: Bench) -> None:
    two.first.answers(error_answer(500))
    two.second.otherwise(whole(chat.reply("fine")))
    await two.ask()
    await two.ask()
    assert len(two.first.requests) == 1
    assert len(two.second.requests) == 2


async def test_when_all_are_out_of_quota_the_client_learns_when_to_come_back(two: Bench) -> None:
    """pain 7: 429 with a true Retry-After."""
    two.first.answers(error_answer(429, retry_after=120))
    two.second.answers(error_answer(429, retry_after=90))
    last = await two.ask()
    assert (last.status_code, last.headers["retry-after"]) == (429, "90")
    cooling = await two.ask()
    assert cooling.status_code == 429
    assert cooling.json()["error"]["code"] == "model_cooldown"
    assert 80 <= int(cooling.headers["retry-after"]) <= 90
    assert len(two.first.requests) == len(two.second.requests) == 1


async def test_what_is_wrong_with_our_own_key_is_not_told_as_the_clients_fault(two: Bench) -> None:
    """A client that is told 401 throws its key away (auth spec, 5.6)."""
    two.first.answers(error_answer(401))
    two.second.answers(error_answer(403))
    for _ in range(2):  # refused by the upstreams, then by nobody being left
        answer = await two.ask()
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "auth_unavailable"
        assert "retry-after" not in answer.headers  # nobody knows when the operator mends it
    assert len(two.first.requests) == len(two.second.requests) == 1


async def test_an_upstreams_refusal_in_the_clients_dialect_comes_through_as_it_is() -> None:
    async with bench(accounts=1) as one:
        body = b'{"error": {"message": "too big", "type": "invalid_request_error", "code": "x", "extra": 1}}'
        one.first.answers(refusal(413, body)(whole(b"")))
        answer = await one.ask()
        assert (answer.status_code, answer.content) == (413, body)


async def test_no_secret_shows_in_what_an_upstream_repeats() -> None:
    async with bench(accounts=1) as one:
        body = b'{"error": {"message": "Incorrect API key provided: sk-upstream-secret-0"}}'
        one.first.otherwise(refusal(400, body)(whole(b"")))
        answer = await one.ask()
        assert "sk-upstream-secret-0" not in answer.text
        assert "Incorrect API key" in answer.text


async def test_max_retry_credentials_bounds_a_round() -> None:
    async with bench("request-retry: 0\nmax-retry-credentials: 1\n") as limited:
        limited.first.answers(error_answer(500))
        assert (await limited.ask()).status_code == 500
        assert limited.second.requests == []


async def test_without_cooling_a_failed_account_is_asked_again_at_once() -> None:
    async with bench("disable-cooling: true\nrequest-retry: 0\n", accounts=1) as one:
        one.first.answers(error_answer(429, retry_after=60), whole(chat.reply("fine")))
        assert (await one.ask()).status_code == 429
        assert (await one.ask()).status_code == 200


async def test_a_short_cooldown_is_waited_for() -> None:
    async with bench("request-retry: 1\nmax-retry-interval: 5\n", accounts=1) as one:
        one.first.answers(error_answer(429, retry_after=0.05), whole(chat.reply("fine")))
        answer = await one.ask()
        assert answer.status_code == 200
        assert len((await one.record()).attempts) == 2


async def test_a_longer_cooldown_than_allowed_is_not_waited_for() -> None:
    async with bench("request-retry: 3\nmax-retry-interval: 5\n", accounts=1) as one:
        one.first.answers(error_answer(429, retry_after=60))
        assert (await one.ask()).status_code == 429
        assert len(one.first.requests) == 1


async def test_the_only_account_gets_another_try_after_a_passing_trouble() -> None:
    async with bench("request-retry: 1\nmax-retry-interval: 1\n", accounts=1) as one:
        one.first.answers(error_answer(503), whole(chat.reply("fine")))
        assert (await one.ask()).status_code == 200


async def test_a_dead_upstream_is_a_502_and_not_a_hang() -> None:
    async with bench(f"request-retry: 0\n{FAST}", accounts=1) as one:
        await one.first.close()
        answer = await one.ask()
        assert answer.status_code == 502
        assert answer.json()["error"]["code"] == "upstream_connect_failed"


async def test_a_silent_upstream_is_a_504_in_time() -> None:
    """pain 18."""
    async with bench(f"request-retry: 0\n{FAST}", accounts=1) as one:
        one.first.answers(HEAD_FAULTS["slow_headers"](whole(b"")))
        answer = await one.ask()
        assert answer.status_code == 504


async def test_bootstrap_retries_begin_a_stream_anew() -> None:
    settings = "request-retry: 0\ndisable-cooling: true\nstreaming: {bootstrap-retries: 1}\n"
    async with bench(settings, accounts=1) as one:
        one.first.answers(error_answer(500), streamed(chat.stream("fine")))
        assert "fine" in (await one.ask(stream=True)).text


async def test_an_alias_pool_moves_on_within_the_account() -> None:
    pool = [{"name": "up-a", "alias": "m"}, {"name": "up-b", "alias": "m"}]
    async with bench("request-retry: 0\n", accounts=1, models=pool) as one:
        one.first.answers(error_answer(500), whole(chat.reply("fine")))
        assert (await one.ask()).status_code == 200
        assert [request.json()["model"] for request in one.first.requests] == ["up-a", "up-b"]
