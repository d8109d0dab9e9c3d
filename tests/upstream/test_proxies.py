"""Calls through proxies, chosen by call, config or environment."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from ppap_core.errors import ConnectFailed, ConnectTimeout
from ppap_core.upstream import Deadlines, redacted_proxy
from ppap_core.upstream.address import target_of
from ppap_core.upstream.proxies import ProxyChoice

from .conftest import NewUpstream
from .fault_server import FaultServer, Peer, answering, reply
from .proxy_servers import HttpProxy, SocksProxy

BASIC_ME_PW = "Basic bWU6cHc="


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


async def test_http_proxy(new_upstream: NewUpstream) -> None:
    """A plain call goes through the HTTP proxy that the settings name."""
    proxy = HttpProxy()
    async with FaultServer(proxy) as between, FaultServer(answering(reply())) as server:
        upstream = new_upstream(proxy_url=f"http://localhost:{between.port}")
        assert await (await upstream.post(server.url, b"{}", {})).body() == b"ok"
        assert proxy.lines == [f"POST {server.url} HTTP/1.1"]


async def test_tunnel(new_upstream: NewUpstream, context: ssl.SSLContext, ca_file: str) -> None:
    """A TLS call goes through a CONNECT tunnel, with user and password, and keeps it."""
    proxy = HttpProxy(authorization=BASIC_ME_PW)
    async with FaultServer(proxy) as between, FaultServer(answering(reply()), context) as server:
        upstream = new_upstream(ca_file=ca_file, proxy_url=f"http://me:pw@localhost:{between.port}")
        for _ in range(2):
            assert await (await upstream.post(server.url, b"{}", {})).body() == b"ok"
        assert proxy.lines == [f"CONNECT localhost:{server.port} HTTP/1.1"]


async def test_tls_to_the_proxy(new_upstream: NewUpstream, context: ssl.SSLContext, ca_file: str) -> None:
    """The way to the proxy itself may be TLS."""
    proxy = HttpProxy()
    async with FaultServer(proxy, context) as between, FaultServer(answering(reply()), context) as server:
        upstream = new_upstream(ca_file=ca_file)
        answer = await upstream.post(server.url, b"{}", {}, proxy_url=f"https://localhost:{between.port}")
        assert await answer.body() == b"ok"
        assert proxy.lines == [f"CONNECT localhost:{server.port} HTTP/1.1"]


async def test_wrong_proxy_password(new_upstream: NewUpstream, context: ssl.SSLContext, ca_file: str) -> None:
    """A proxy that wants another password is named as the cause; the password is not shown."""
    async with FaultServer(HttpProxy(authorization="Basic x")) as between:
        upstream = new_upstream(ca_file=ca_file, proxy_url=f"http://me:pw@localhost:{between.port}")
        with pytest.raises(ConnectFailed, match="407; check user and password") as caught:
            await upstream.post("https://localhost:1/", b"{}", {})
        assert "pw" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_socks_proxy(new_upstream: NewUpstream, scheme: str) -> None:
    """Through SOCKS5 the proxy is given the host's name, in both spellings of the scheme."""
    proxy = SocksProxy(password=b"me:pw")
    async with FaultServer(proxy) as between, FaultServer(answering(reply())) as server:
        upstream = new_upstream(proxy_url=f"{scheme}://me:pw@localhost:{between.port}")
        assert await (await upstream.post(server.url, b"{}", {})).body() == b"ok"
        assert proxy.targets == [(3, "localhost", server.port)]


async def test_socks_proxy_refuses(new_upstream: NewUpstream) -> None:
    """A SOCKS proxy that cannot connect, or does not let us in, is a failed connection."""
    full, locked = SocksProxy(password=b"me:pw", verdict=5), SocksProxy(password=b"a:b")
    for proxy in (full, locked, SocksProxy()):
        async with FaultServer(proxy) as between:
            upstream = new_upstream(proxy_url=f"socks5://me:pw@localhost:{between.port}")
            with pytest.raises(ConnectFailed, match="the proxy refused"):
                await upstream.post("http://localhost:1/", b"", {})


async def test_silent_socks_proxy(new_upstream: NewUpstream) -> None:
    """Pain 18: a proxy that accepts and says nothing is given up at the connect deadline."""

    async def script(peer: Peer) -> None:
        await peer.gone()

    async with FaultServer(script) as between:
        upstream = new_upstream(proxy_url=f"socks5://localhost:{between.port}")
        with pytest.raises(ConnectTimeout):
            await upstream.post("http://localhost:1/", b"", {}, deadlines=Deadlines(connect=0.05))


async def test_something_else_where_the_proxy_should_be(new_upstream: NewUpstream) -> None:
    """A proxy that does not speak SOCKS is a failed connection, not a crash."""

    async def script(peer: Peer) -> None:
        await peer.send(b"220 smtp ready\r\n")
        await peer.gone()

    async with FaultServer(script) as between:
        upstream = new_upstream(proxy_url=f"socks5://localhost:{between.port}")
        with pytest.raises(ConnectFailed):
            await upstream.post("http://localhost:1/", b"", {})


async def test_no_one_at_the_proxy(new_upstream: NewUpstream, unused_tcp_port: int) -> None:
    """A dead proxy is not gone around."""
    async with FaultServer(answering(reply())) as server:
        upstream = new_upstream(proxy_url=f"http://user:secret@127.0.0.1:{unused_tcp_port}")
        with pytest.raises(ConnectFailed, match="cannot connect") as caught:
            await upstream.post(server.url, b"{}", {})
        assert "secret" not in str(caught.value)
        assert server.connections == 0


@pytest.mark.parametrize(
    "value", ["localhost:3128", "ftp://localhost:1", "socks4://localhost:1", "http://", "http://h:x"]
)
async def test_invalid_proxy(new_upstream: NewUpstream, value: str) -> None:
    """A value that is no proxy's URL fails the call, says what is allowed, and is not shown."""
    async with FaultServer(answering(reply())) as server:
        with pytest.raises(ConnectFailed, match=r"`direct`, `none`, or .* http://, .*, socks5h://") as caught:
            await new_upstream().post(server.url, b"{}", {}, proxy_url=value)
        assert value not in str(caught.value).replace("http://,", "")
        assert server.connections == 0


async def test_direct_goes_around_the_global_proxy(new_upstream: NewUpstream, unused_tcp_port: int) -> None:
    """A credential's `direct` wins over the global proxy."""
    async with FaultServer(answering(reply())) as server:
        upstream = new_upstream(proxy_url=f"http://127.0.0.1:{unused_tcp_port}")
        answer = await upstream.post(server.url, b"{}", {}, proxy_url="Direct")
        assert await answer.body() == b"ok"


async def test_proxy_from_the_environment(new_upstream: NewUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any other value, the environment's proxy is used, except for hosts it excepts."""
    proxy = HttpProxy()
    async with FaultServer(proxy) as between, FaultServer(answering(reply())) as server:
        monkeypatch.setenv("HTTP_PROXY", f"localhost:{between.port}")
        assert await (await new_upstream().post(server.url, b"{}", {})).body() == b"ok"
        assert len(proxy.lines) == 1
        monkeypatch.setenv("NO_PROXY", "example.com, localhost")
        assert await (await new_upstream().post(server.url, b"{}", {})).body() == b"ok"
        assert len(proxy.lines) == 1


async def test_one_client_per_proxy(new_upstream: NewUpstream) -> None:
    """Calls through the same proxy share its connections; another proxy has its own."""
    one, two = HttpProxy(), HttpProxy()
    async with (
        FaultServer(one) as first,
        FaultServer(two) as second,
        FaultServer(answering(reply())) as server,
    ):
        upstream = new_upstream()
        for between in (first, first, second):
            proxy_url = f"http://localhost:{between.port}"
            await (await upstream.post(server.url, b"{}", {}, proxy_url=proxy_url)).body()
        assert (first.connections, second.connections) == (1, 1)


ENVIRONMENT = {"http": "http://plain:1", "https": "secure:2", "all": "socks5://any:3"}


@pytest.mark.parametrize(
    ("own", "everywhere", "environment", "chosen"),
    [
        ("", "", {}, ""),
        ("", "", ENVIRONMENT, "http://secure:2"),
        ("", "", {"all": "socks5://any:3"}, "socks5://any:3"),
        ("", "http://global:1", ENVIRONMENT, "http://global:1"),
        ("http://own:1", "http://global:1", ENVIRONMENT, "http://own:1"),
        ("", "direct", ENVIRONMENT, ""),
        ("NONE", "http://global:1", ENVIRONMENT, ""),
        (" http://own:1 ", "", {}, "http://own:1"),
    ],
)
def test_order(own: str, everywhere: str, environment: dict[str, str], chosen: str) -> None:
    """The call's own value comes before the global one, and that before the environment."""
    origin = target_of("https://api.example.com/").origin
    assert ProxyChoice(everywhere, environment).proxy_for(origin, own) == chosen


@pytest.mark.parametrize(
    ("no_proxy", "url", "excepted"),
    [
        ("*", "https://api.example.com", True),
        ("example.com", "https://example.com", True),
        ("example.com", "https://api.example.com", True),
        (".example.com", "https://api.example.com", True),
        ("*.example.com", "https://api.example.com", True),
        ("example.com", "https://notexample.com", False),
        ("EXAMPLE.com", "https://example.com", True),
        ("example.com:8443", "https://example.com", False),
        ("example.com:8443", "https://example.com:8443", True),
        ("10.0.0.0/8", "http://10.1.2.3:80", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.0.0.0/8", "http://ten.example", False),
        ("10.1.2.3", "http://10.1.2.3", True),
        ("::1", "http://[::1]:8080", True),
        ("fd00::/8", "http://10.0.0.1", False),
        ("a.example, ,b.example", "https://b.example", True),
    ],
)
def test_exceptions(no_proxy: str, url: str, excepted: bool) -> None:
    """``NO_PROXY`` knows names, what lies below them, ports, addresses and networks."""
    choice = ProxyChoice("", {"all": "http://proxy:1", "no": no_proxy})
    assert choice.proxy_for(target_of(url).origin, "") == ("" if excepted else "http://proxy:1")


@pytest.mark.parametrize(
    ("proxy_url", "shown"),
    [
        ("http://host:3128", "http://host:3128"),
        ("http://me:pw@host:3128/path?q=1", "http://redacted@host:3128"),
        ("socks5://me@host", "socks5://redacted@host"),
        ("https://me:pw@[::1]:8443", "https://redacted@[::1]:8443"),
        ("me:pw@host", "<invalid proxy URL>"),
        ("http://me:pw@host:port", "<invalid proxy URL>"),
        ("http://[::1", "<invalid proxy URL>"),
        ("", "<invalid proxy URL>"),
    ],
)
def test_redacted(proxy_url: str, shown: str) -> None:
    """A proxy in a log line shows neither user nor password."""
    assert redacted_proxy(proxy_url) == shown
