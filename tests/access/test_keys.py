"""Where a client's key may stand, and who is let in (client API spec, 4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppap_core import hookimpl
from ppap_core.access import Identity, KeyRing, presented_keys
from ppap_core.errors import RequestError, Unauthorized
from ppap_core.exchange import Arrival
from ppap_core.proxy import Proxy


def arrival(headers: dict[str, str] | None = None, query: str = "", client: str = "127.0.0.1") -> Arrival:
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    return Arrival(
        {
            "type": "http",
            "method": "POST",
            "path": "/x",
            "raw_path": b"/x",
            "query_string": query.encode(),
            "headers": raw,
            "client": (client, 1),
        }
    )


def proxy_with(tmp_path: Path, text: str, *plugins: object) -> Proxy:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return Proxy(path, plugins=plugins)


@pytest.mark.parametrize(
    ("headers", "query", "source"),
    [
        ({"Authorization": "Bearer good"}, "", "authorization"),
        ({"Authorization": "bearer  good"}, "", "authorization"),
        ({"Authorization": "good"}, "", "authorization"),
        ({"X-Goog-Api-Key": "good"}, "", "x-goog-api-key"),
        ({"X-Api-Key": "good"}, "", "x-api-key"),
        ({}, "key=good", "query-key"),
        ({}, "auth_token=good", "query-auth-token"),
        ({}, "key=g%6Fod", "query-key"),
        ({"Authorization": "Bearer wrong", "X-Api-Key": "good"}, "", "x-api-key"),
    ],
)
def test_a_key_is_found_wherever_clients_put_it(
    tmp_path: Path, headers: dict[str, str], query: str, source: str
) -> None:
    proxy = proxy_with(tmp_path, "api-keys: [good, other]")
    assert proxy.authenticate(arrival(headers, query)).source == source


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Missing API key"),
        ({"Authorization": "Bearer nope"}, "Invalid API key"),
        ({"Authorization": "Basic good"}, "Invalid API key"),
        ({"X-Api-Key": "GOOD"}, "Invalid API key"),
    ],
)
def test_without_a_right_key_nobody_gets_in(tmp_path: Path, headers: dict[str, str], message: str) -> None:
    proxy = proxy_with(tmp_path, "api-keys: [good]")
    with pytest.raises(Unauthorized, match=message):
        proxy.authenticate(arrival(headers))


def test_no_principal_shows_its_key() -> None:
    ring = KeyRing(["a-very-secret-key"])
    principal = ring.principal(b"a-very-secret-key")
    assert principal is not None
    assert "secret" not in principal


def test_keys_of_published_examples_are_refused(tmp_path: Path) -> None:
    """pain 39: open ports are scanned with the keys of the example file."""
    proxy = proxy_with(tmp_path, "api-keys: [your-api-key-1, mine]")
    assert proxy.authenticate(arrival({"X-Api-Key": "mine"}))
    with pytest.raises(RequestError) as refused:
        proxy.authenticate(arrival({"X-Api-Key": "your-api-key-1"}))
    assert (refused.value.detail.status, refused.value.detail.code) == (403, "unsafe_example_api_key")


def test_only_example_keys_means_closed_and_not_open(tmp_path: Path) -> None:
    proxy = proxy_with(tmp_path, "api-keys: [your-api-key-1]")
    with pytest.raises(RequestError) as refused:
        proxy.authenticate(arrival())
    assert refused.value.detail.status == 403


def test_without_keys_only_this_machine_is_served(tmp_path: Path) -> None:
    proxy = proxy_with(tmp_path, "port: 0")
    assert proxy.authenticate(arrival(client="127.0.0.1")).principal == ""
    assert proxy.authenticate(arrival(client="::1")).principal == ""
    with pytest.raises(RequestError) as refused:
        proxy.authenticate(arrival(client="192.168.1.20"))
    assert refused.value.detail.status == 403


def test_open_access_for_everybody_must_be_asked_for(tmp_path: Path) -> None:
    proxy = proxy_with(tmp_path, "access: {allow-anonymous-remote: true}")
    assert proxy.authenticate(arrival(client="192.168.1.20")).principal == ""


class Badge:
    """An access plugin: who wears a badge is let in."""

    @hookimpl
    def ppap_authenticate(self, arrival: Arrival) -> Identity | None:
        badge = arrival.header(b"x-badge").decode()
        return Identity(principal=badge, source="badge") if badge else None


def test_a_plugin_may_vouch_for_a_client_that_has_no_key(tmp_path: Path) -> None:
    proxy = proxy_with(tmp_path, "api-keys: [good]", Badge())
    assert proxy.authenticate(arrival({"X-Badge": "eve"})).principal == "eve"
    with pytest.raises(Unauthorized):
        proxy.authenticate(arrival())


def test_keys_are_tried_in_the_documented_order() -> None:
    both = arrival(
        {"X-Api-Key": "3", "X-Goog-Api-Key": "2", "Authorization": "Bearer 1"}, "key=4&auth_token=5"
    )
    assert [key for _, key in presented_keys(both)] == [b"1", b"2", b"3", b"4", b"5"]
