"""TLS to upstreams: who is trusted, and who is not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from ppap_core.errors import ConnectFailed

from .conftest import NewUpstream
from .fault_server import FaultServer, Peer, answering, reply


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def server_context(authority: trustme.CA, host: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


async def test_trusted(
    new_upstream: NewUpstream, transport: str, authority: trustme.CA, ca_file: str
) -> None:
    """With its CA named, a server is reached; it is told the host's name and offered HTTP/1.1 only."""
    names: list[str | None] = []
    protocols: list[str | None] = []
    context = server_context(authority)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    async def script(peer: Peer) -> None:
        protocols.append(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        while True:
            request = await peer.request()
            await peer.send(reply(request.body))

    upstream = new_upstream(transport=transport, ca_file=ca_file)
    body = b"0123456789" * 100_000
    async with FaultServer(script, context) as server:
        for _ in range(2):
            assert await (await upstream.post(server.url, body, {})).body() == body
        assert server.connections == 1
    assert names == ["localhost"]
    assert protocols == ["http/1.1"]


async def test_named_in_the_environment(
    new_upstream: NewUpstream,
    transport: str,
    authority: trustme.CA,
    ca_file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``SSL_CERT_FILE`` names the authorities, as for other programs."""
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    upstream = new_upstream(transport=transport)
    async with FaultServer(answering(reply()), server_context(authority)) as server:
        assert await (await upstream.post(server.url, b"{}", {})).body() == b"ok"


async def test_unknown_authority(new_upstream: NewUpstream, transport: str, authority: trustme.CA) -> None:
    """A certificate by a stranger is refused, with a hint at the setting."""
    upstream = new_upstream(transport=transport)
    async with FaultServer(answering(reply()), server_context(authority)) as server:
        with pytest.raises(ConnectFailed, match=r"certificate is not accepted.*upstream\.ca-file"):
            await upstream.post(server.url, b"{}", {})


async def test_certificate_of_another_host(
    new_upstream: NewUpstream, transport: str, authority: trustme.CA, ca_file: str
) -> None:
    """A trusted certificate for another name is refused."""
    upstream = new_upstream(transport=transport, ca_file=ca_file)
    async with FaultServer(answering(reply()), server_context(authority, "other.example")) as server:
        with pytest.raises(ConnectFailed, match="certificate is not accepted: Hostname mismatch"):
            await upstream.post(server.url, b"{}", {})


async def test_no_tls_behind_https(new_upstream: NewUpstream, transport: str) -> None:
    """An https URL that leads to a plain server is a failed handshake."""

    async def script(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    upstream = new_upstream(transport=transport)
    async with FaultServer(script) as server:
        with pytest.raises(ConnectFailed, match=r"the TLS handshake failed|cannot connect"):
            await upstream.post(server.url.replace("http:", "https:"), b"{}", {})


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_ca_file_that_cannot_be_used(
    new_upstream: NewUpstream, transport: str, tmp_path: Path, content: str | None
) -> None:
    """A missing or empty CA file fails the call and names setting and file."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    upstream = new_upstream(transport=transport, ca_file=str(path))
    with pytest.raises(ConnectFailed, match=r"^upstream\.ca-file: .*ca\.pem cannot be used for TLS"):
        await upstream.post("https://localhost:1/", b"{}", {})
