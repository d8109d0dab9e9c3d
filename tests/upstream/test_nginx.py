"""Both transports behind a real nginx, with keep-alive on both of its sides."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ppap_core.upstream import Upstream

from .fault_server import FaultServer, Peer, Received, chunked, reply

CONFIG = """
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 30m;
    keepalive_requests 3;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    upstream behind {{ server 127.0.0.1:{behind}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
        location /small {{ client_max_body_size 1k; proxy_pass http://behind; }}
    }}
}}
"""


def nginx_program(request: pytest.FixtureRequest) -> str:
    """Where nginx is missing, the tests are skipped, and say so; in CI they fail."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is not None:
        return program
    message = "nginx is not installed: the upstream transports are NOT tested behind a reverse proxy"
    if os.environ.get("CI"):
        pytest.fail(message)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"\nSKIPPED: {message}", yellow=True, bold=True)
    pytest.skip(message)


async def serve(peer: Peer) -> None:
    """Answers by path: an echo, a stream of three, an answer that breaks off."""
    while True:
        request = await peer.request()
        await peer.send(*ANSWERS[request.line.split(" ")[1]](request))
        if "broken" in request.line:
            return


ANSWERS: dict[str, Callable[[Received], list[bytes]]] = {
    "/echo": lambda request: [reply(request.body)],
    "/stream": lambda _: [chunked(b"one").removesuffix(b"0\r\n\r\n"), b"3\r\ntwo\r\n", b"0\r\n\r\n"],
    "/broken": lambda _: [chunked(b"one").removesuffix(b"0\r\n\r\n")],
    "/nothing-broken": lambda _: [],
}


@pytest.fixture
async def nginx(request: pytest.FixtureRequest, tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[str]:
    """The URL of an nginx in front of `serve`."""
    program = nginx_program(request)
    async with FaultServer(serve) as behind:
        config = tmp_path / "nginx.conf"
        user = "user root root;" if os.geteuid() == 0 else ""  # else its worker cannot use the folder
        config.write_text(CONFIG.format(user=user, folder=tmp_path, behind=behind.port, port=unused_tcp_port))
        process = await asyncio.create_subprocess_exec(
            program, "-e", str(tmp_path / "error.log"), "-p", str(tmp_path), "-c", str(config),
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await accepting(unused_tcp_port)
            yield f"http://127.0.0.1:{unused_tcp_port}"
        finally:
            process.terminate()
            await process.wait()


async def accepting(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


async def test_behind_nginx(upstream: Upstream, nginx: str) -> None:
    """Bodies small and large arrive whole over connections that nginx closes after three requests."""
    for size in (0, 1, 1000, 100_000, 3_000_000):
        for _ in range(2):
            body = os.urandom(size)
            answer = await upstream.post(f"{nginx}/echo", body, {})
            assert answer.status == 200
            assert await answer.body() == body


async def test_many_behind_nginx(upstream: Upstream, nginx: str) -> None:
    """A hundred calls at once each get their own answer."""

    async def call(number: int) -> bytes:
        return await (await upstream.post(f"{nginx}/echo", b"%d" % number, {})).body()

    assert await asyncio.gather(*map(call, range(100))) == [b"%d" % number for number in range(100)]


async def test_stream_behind_nginx(upstream: Upstream, nginx: str) -> None:
    """A stream comes through as it is, also compressed by nginx."""
    assert await (await upstream.post(f"{nginx}/stream", b"{}", {})).body() == b"onetwo"
    answer = await upstream.post(f"{nginx}/stream", b"{}", {"accept-encoding": "gzip"})
    assert await answer.body() == b"onetwo"


async def test_refusals_of_nginx(upstream: Upstream, nginx: str) -> None:
    """A body that nginx finds too large, and an upstream that says nothing, are its answers."""
    answer = await upstream.post(f"{nginx}/small", bytes(2_000_000), {})
    assert answer.status == 413
    assert b"413" in await answer.body()
    answer = await upstream.post(f"{nginx}/nothing-broken", b"{}", {})
    assert answer.status == 502
    await answer.body()
