"""Listening, TLS, small routes, and the end (client API spec, 1, 2 and 18)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trustme
from ppap_openai import testing as chat

from ppap_core.proxy import Proxy
from ppap_core.server import LOOPBACK, safe_host
from ppap_core.testing import StubUpstream, streamed
from ppap_core.testing.running import running


async def test_health_front_page_preflight_and_unknown_paths() -> None:
    async with running("") as proxy, httpx.AsyncClient(base_url=proxy.base_url) as client:
        health = await client.get("/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        head = await client.head("/healthz")
        assert (head.status_code, head.content) == (200, b"")
        page = (await client.get("/")).json()
        assert page["message"] == "CLI Proxy API Server"
        assert "POST /v1/chat/completions" in page["endpoints"]
        for path in ("/nowhere", "/v1/chat/completions"):
            missing = await client.get(path)
            assert (missing.status_code, missing.text) == (404, "404 page not found")
            assert missing.headers["access-control-allow-origin"] == "*"
        preflight = await client.options("/v1/whatever", headers={"origin": "https://x.example"})
        assert (preflight.status_code, preflight.content) == (204, b"")
        assert preflight.headers["access-control-allow-headers"] == "*"


async def test_models_are_listed_in_the_shape_that_the_client_knows() -> None:
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(running("demo: {model: team/demo}\n"))
        client = httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers))
        async with client:
            plain = (await client.get("/v1/models")).json()
            assert plain["object"] == "list"
            assert [model["id"] for model in plain["data"]] == ["team/demo"]
            other = (await client.get("/v1/models", headers={"anthropic-version": "2023-06-01"})).json()
            assert other["has_more"] is False
            assert other["data"][0]["type"] == "model"
            assert (await client.get("/v1/models/team/demo")).json()["id"] == "team/demo"
            assert (await client.get("/v1/models/nope")).status_code == 404
            assert (await client.get("/v1/models", headers={"authorization": "x"})).status_code == 401


async def test_https_for_clients(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    context = ssl.create_default_context()
    authority.configure_trust(context)
    tls = json.dumps({"enable": True, "cert": str(cert), "key": str(key)})
    async with running(f"tls: {tls}\n") as proxy, httpx.AsyncClient(verify=context) as client:
        assert proxy.base_url.startswith("https://")
        assert (await client.get(f"{proxy.base_url}/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("", LOOPBACK),
        ('host: "0.0.0.0"', LOOPBACK),
        ("host: localhost", "localhost"),
        ("api-keys: [k]", ""),
        ("access: {allow-anonymous-remote: true}", ""),
    ],
)
def test_without_keys_only_this_machine_can_connect(
    tmp_path: Path, text: str, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """pain 39."""
    (tmp_path / "config.yaml").write_text(text + "\n")
    assert safe_host(Proxy(tmp_path / "config.yaml")) == host
    assert ("api-keys" in caplog.text) == (text in ("", 'host: "0.0.0.0"'))


@contextlib.asynccontextmanager
async def process(folder: Path, *arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """``ppap`` in a process of its own, with its greeting read up to the last line."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ppap_core",
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert started.stdout is not None
    greeting = ""
    try:
        async with asyncio.timeout(30):
            while "while it runs" not in greeting:
                line = (await started.stdout.readline()).decode()
                assert line, (await started.communicate())[1].decode()
                greeting += line
        yield started, greeting
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_a_newcomer_gets_keys_and_an_answer_from_one_command(tmp_path: Path) -> None:
    """`ppap serve --init` in an empty folder: a private file, and a line to paste that works."""
    async with process(tmp_path, "serve", "--init") as (_, greeting):
        file = tmp_path / "config.yaml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        found = re.search(r"client key\s+(\S+)", greeting)
        assert found is not None
        assert found.group(1) in file.read_text()
        curl = re.search(r"curl (\S+) .*'Authorization: (.+?)'.*-d '(.+?)'", greeting, re.DOTALL)
        assert curl is not None
        url, authorization, body = curl.groups()
        async with httpx.AsyncClient() as client:
            answer = await client.post(url, content=body, headers={"authorization": authorization})
        assert "Hello" in answer.json()["choices"][0]["message"]["content"]


async def test_streams_may_finish_after_sigterm(tmp_path: Path) -> None:
    """Listening stops at once; what is under way goes on until the grace period ends."""
    async with StubUpstream() as stub:
        gate = asyncio.Event()
        frames = chat.stream(["first", "last"])
        stub.answers(streamed([*frames[:2], gate, *frames[2:]]))
        entry = {"name": "a", "base-url": f"{stub.url}/v1", "models": [{"name": "m"}]}
        (tmp_path / "config.yaml").write_text(
            f"host: 127.0.0.1\nport: 0\napi-keys: [k]\nopenai-compatibility: {json.dumps([entry])}\n"
        )
        async with process(tmp_path, "serve") as (server, greeting), httpx.AsyncClient(timeout=20) as client:
            url = greeting.split("listens on ")[1].split()[0]
            body = chat.request(model="m", stream=True)
            asked = client.stream(
                "POST", f"{url}/v1/chat/completions", content=body, headers={"x-api-key": "k"}
            )
            async with asked as answer:
                pieces = answer.aiter_text()
                text = await anext(pieces)
                server.send_signal(signal.SIGTERM)
                async with asyncio.timeout(10):
                    while await is_listening(url):
                        pass
                gate.set()
                text += "".join([piece async for piece in pieces])
            assert "last" in text
            assert text.endswith("data: [DONE]\n\n")
            async with asyncio.timeout(10):
                await server.wait()


async def is_listening(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
