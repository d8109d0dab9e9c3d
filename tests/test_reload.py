"""Edits of config.yaml while requests run (config spec, 7; pain 38)."""

from __future__ import annotations

import asyncio
import json
import logging

import attrs
import httpx
import pytest
from ppap_openai import testing as chat

from ppap_core.config.schema import Routing
from ppap_core.errors import ConfigError
from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.running import RunningProxy, running


def config(stub: StubUpstream, *models: str) -> str:
    named = [{"name": model} for model in models]
    entry = {"name": "account", "base-url": f"{stub.url}/v1", "models": named}
    return f"openai-compatibility: {json.dumps([entry])}\n"


async def ask(proxy: RunningProxy, model: str, **fields: object) -> httpx.Response:
    async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
        return await client.post("/v1/chat/completions", content=chat.request(model=model, **fields))


async def test_the_next_request_uses_what_was_added() -> None:
    async with StubUpstream() as stub, running("debug: false\n") as proxy:
        stub.otherwise(whole(chat.reply("fine")))
        assert (await ask(proxy, "fresh")).status_code == 404
        await proxy.rewrite(config(stub, "fresh"))
        assert (await ask(proxy, "fresh")).status_code == 200
        await proxy.rewrite("debug: false\n# nobody\n")
        assert (await ask(proxy, "fresh")).status_code == 404


async def test_a_mistake_is_told_with_its_place_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with StubUpstream() as stub, running(config(stub, "m")) as proxy:
        stub.otherwise(whole(chat.reply("fine")))
        told = asyncio.Event()

        class Telling(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                if "stays in force" in record.getMessage():
                    told.set()

        handler = Telling()
        logging.getLogger("ppap.config").addHandler(handler)
        try:
            proxy.write("port: many\n")
            async with asyncio.timeout(20):
                await told.wait()
        finally:
            logging.getLogger("ppap.config").removeHandler(handler)
        assert "config.yaml:2:7: port" in caplog.text
        assert (await ask(proxy, "m")).status_code == 200


async def test_a_request_under_way_keeps_the_state_it_started_with() -> None:
    async with StubUpstream() as stub, running(config(stub, "old")) as proxy:
        gate = asyncio.Event()
        frames = chat.stream(["first", "second"])
        stub.answers(streamed([*frames[:2], gate, *frames[2:]]))
        asked = asyncio.create_task(ask(proxy, "old", stream=True))
        await stub.received()
        await proxy.rewrite(config(stub, "new"))
        assert (await ask(proxy, "old")).status_code == 404
        gate.set()
        answer = await asked
        assert "second" in answer.text
        assert answer.text.endswith("data: [DONE]\n\n")


def tasks_of_the_proxy() -> set[asyncio.Task[object]]:
    """Without this test's own, and without those of the stub, which has one per connection."""
    return {
        task
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task() and "stub" not in task.get_coro().cr_code.co_filename
    }


async def test_reloads_under_load_drop_no_request_and_leak_no_task() -> None:
    async with StubUpstream() as stub, running(config(stub, "m")) as proxy:
        stub.otherwise(whole(chat.reply("fine")))
        await ask(proxy, "m")
        tasks = tasks_of_the_proxy()
        stop = asyncio.Event()
        statuses: list[int] = []

        async def load() -> None:
            async with httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers)) as client:
                while not stop.is_set():
                    answer = await client.post("/v1/chat/completions", content=chat.request(model="m"))
                    statuses.append(answer.status_code)

        loads = [asyncio.create_task(load()) for _ in range(4)]
        for number in range(4):
            await proxy.rewrite(config(stub, "m", f"extra-{number}"))
        stop.set()
        await asyncio.gather(*loads)
        assert set(statuses) == {200}
        async with asyncio.timeout(10):
            while left := tasks_of_the_proxy() - tasks:
                await asyncio.wait(left)


async def test_what_was_learnt_outlives_a_reload_and_not_an_edit_of_the_account() -> None:
    async with StubUpstream() as stub, running("request-retry: 0\n" + config(stub, "m")) as proxy:
        stub.answers(whole(chat.error(429), status=429, headers={"Retry-After": "600"}))
        assert (await ask(proxy, "m")).status_code == 429
        await proxy.rewrite("request-retry: 0\npassthrough-headers: true\n" + config(stub, "m"))
        assert (await ask(proxy, "m")).json()["error"]["code"] == "model_cooldown"
        stub.otherwise(whole(chat.reply("fine")))
        await proxy.rewrite("request-retry: 0\n" + config(stub, "m", "n"))
        assert (await ask(proxy, "m")).status_code == 200


async def test_client_keys_change_at_once() -> None:
    async with running("api-keys: [one]\n") as proxy, httpx.AsyncClient(base_url=proxy.base_url) as client:
        assert (await client.get("/v1/models", headers={"x-api-key": "one"})).status_code == 200
        await proxy.rewrite("api-keys: [two]\n")
        assert (await client.get("/v1/models", headers={"x-api-key": "one"})).status_code == 401
        assert (await client.get("/v1/models", headers={"x-api-key": "two"})).status_code == 200


async def test_an_unknown_strategy_is_refused_and_the_old_one_stays() -> None:
    async with running("routing: {strategy: fill-first}\n") as proxy:
        before = proxy.proxy.pool.strategy
        config = proxy.proxy.config
        unknown = attrs.evolve(config, core=attrs.evolve(config.core, routing=Routing(strategy="coin-toss")))
        with pytest.raises(ConfigError, match="fill-first, round-robin"):
            proxy.proxy.apply(unknown)
        assert proxy.proxy.pool.strategy is before
        assert proxy.proxy.config is config
