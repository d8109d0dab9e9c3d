"""The core's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from ppap_core.config import Config, ConfigError, CoreConfig, parse, setting
from ppap_core.config.declaration import declared_fields

FIXTURES = Path(__file__).parent / "fixtures"


@attrs.frozen(kw_only=True)
class Upstreams:
    """Stands for what a plugin declares."""

    api_key: str = setting("A key.", default="")


def core(text: str) -> CoreConfig:
    return parse(text.encode(), Path("config.yaml"), {}).core


def at(config: Any, path: str) -> Any:
    for name in path.split("."):
        config = getattr(config, name.replace("-", "_"))
    return config


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("host", ""),
        ("port", 8317),
        ("tls.enable", False),
        ("tls.cert", ""),
        ("tls.key", ""),
        ("auth-dir", "~/.cli-proxy-api"),
        ("debug", False),
        ("api-keys", ()),
        ("access.allow-anonymous-remote", False),
        ("remote-management.secret-key", ""),
        ("remote-management.allow-remote", False),
        ("proxy-url", ""),
        ("force-model-prefix", False),
        ("passthrough-headers", False),
        ("request-retry", 3),
        ("max-retry-interval", 30),
        ("max-retry-credentials", 0),
        ("disable-cooling", False),
        ("nonstream-keepalive-interval", 0),
        ("streaming.keepalive-seconds", 0),
        ("streaming.bootstrap-retries", 0),
        ("routing.strategy", "round-robin"),
        ("upstream.transport", "own"),
        ("upstream.connect-timeout", 15.0),
        ("upstream.first-byte-timeout", 600.0),
        ("upstream.between-bytes-timeout", 300.0),
        ("upstream.first-event-timeout", 180.0),
        ("upstream.max-connections-per-host", 10_000),
        ("upstream.idle-seconds", 60.0),
        ("upstream.ca-file", ""),
        ("limits.max-body-mb", 256),
        ("shutdown-grace-seconds", 30.0),
        ("plugins.disabled", ()),
    ],
)
def test_defaults(path: str, expected: object) -> None:
    """Of an absent key, in a file that sets nothing about it (config spec, 2, with its Betters)."""
    assert at(core("x: 1"), path) == expected


@pytest.mark.parametrize(
    ("written", "path", "expected"),
    [
        ("host: ' ::1 '", "host", "::1"),
        ("port: 0", "port", 0),
        ("api-keys: [' a ', a, '', b, ~, 0123]", "api-keys", ("a", "b", "0123")),
        ("request-retry: -1", "request-retry", 0),
        ("max-retry-credentials: -1", "max-retry-credentials", 0),
        ("max-retry-interval: -5", "max-retry-interval", 0),
        ("nonstream-keepalive-interval: -1", "nonstream-keepalive-interval", 0),
        ("streaming: {keepalive-seconds: -1}", "streaming.keepalive-seconds", 0),
        ("upstream: {connect-timeout: -0.5}", "upstream.connect-timeout", 0.0),
        ("routing: {strategy: ff}", "routing.strategy", "fill-first"),
        ("routing: {strategy: FillFirst}", "routing.strategy", "fill-first"),
        ("routing: {strategy: fill-first}", "routing.strategy", "fill-first"),
        ("routing: {strategy: RR}", "routing.strategy", "round-robin"),
        ("routing: {strategy: ' '}", "routing.strategy", "round-robin"),
        ("routing: {strategy: sticky}", "routing.strategy", "sticky"),
        ("auth-dir: ''", "auth-dir", "~/.cli-proxy-api"),
        ("auth-dir: ~", "auth-dir", "~/.cli-proxy-api"),
        ("plugins: {disabled: [a, ' a', b]}", "plugins.disabled", ("a", "b")),
        ("proxy-url: ' Direct '", "proxy-url", "direct"),
        ("proxy-url: socks5h://u:p@h:1080", "proxy-url", "socks5h://u:p@h:1080"),
        ("tls: {enable: on, cert: ' a ', key: b}", "tls.cert", "a"),
    ],
)
def test_values_are_normalised(written: str, path: str, expected: object) -> None:
    """As the column "Normalisation" of config spec, 2, says."""
    assert at(core(written), path) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("port: 65536", "1:7: port: expected a number from 0 to 65535, found 65536"),
        ("port: -1", "1:7: port: expected a number from 0 to 65535, found -1"),
        ("limits: {max-body-mb: 0}", "1:23: limits.max-body-mb: expected a number from 1 to"),
        ("tls: {enable: true, cert: a}", "1:6: tls: tls.cert or tls.key is empty"),
        ("upstream: {transport: http2}", "1:23: upstream.transport: expected one of own, httpx, found"),
        (
            "proxy-url: ftp://user:secret@h",
            "1:12: proxy-url: a proxy URL needs one of http://, https://, socks5://",
        ),
        ("proxy-url: secret", "1:12: proxy-url: a proxy URL needs one of"),
        ("proxy-url: 'http://h:secret'", "1:12: proxy-url: a proxy URL needs one of"),
        ("proxy-url: 'http://[secret'", "1:12: proxy-url: a proxy URL needs one of"),
    ],
)
def test_impossible_values_are_refused(written: str, expected: str) -> None:
    """With their place, and without secrets."""
    with pytest.raises(ConfigError) as caught:
        core(written)
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"config.yaml:{expected}")
    assert "secret" not in str(problem)


def test_published_sample_keys_are_told_apart() -> None:
    """They are no mistake of the file, but nobody may be let in with them (pain 39)."""
    config = core(
        "api-keys: [your-api-key-1, your-api-key, Your-API-Key-22, sk-your-key-here, mine, not-your-api-key]"
    )
    assert config.sample_keys == ("your-api-key-1", "your-api-key", "Your-API-Key-22", "sk-your-key-here")
    assert "mine" in config.api_keys


def test_the_home_directory_is_filled_in_on_use_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operator wrote stays what the config says (config spec, 3, Better)."""
    monkeypatch.setenv("HOME", "/home/somebody")
    config = core("auth-dir: ~/auths")
    assert config.auth_dir == "~/auths"
    assert config.auth_directory == Path("/home/somebody/auths")


def test_every_key_of_the_reference_is_accepted_calmly() -> None:
    """No mistake and no misspelling among them, whichever plugins are there; one note at most."""
    data = (FIXTURES / "every-reference-key.yaml").read_bytes()
    known = ("openai-compatibility", "claude-api-key")
    for sections in ({}, dict.fromkeys(known, list[Upstreams])):
        config: Config = parse(data, Path("config.yaml"), sections)
        assert config.warnings == ()
        assert len(config.notes) == 1
        assert "codex-api-key" in config.notes[0]
        assert "routing.session-affinity-ttl" in config.notes[0]


def declarations(cls: type) -> list[Any]:
    found = []
    for field in declared_fields(cls):
        found.append(field)
        if isinstance(field.type, type) and attrs.has(field.type):
            found += declarations(field.type)
    return found


@pytest.mark.parametrize("field", declarations(CoreConfig), ids=lambda field: field.key)
def test_every_core_setting_is_declared_in_full(field: Any) -> None:
    """It has a sentence of meaning and a default, which its own checks accept."""
    assert field.setting.doc.endswith(".")
    assert not field.required


def test_secrets_are_declared_as_such() -> None:
    """Client keys, the management key, and the proxy's password inside its URL."""
    secret = {field.key for field in declarations(CoreConfig) if field.setting.secret}
    assert secret == {"api-keys", "secret-key", "proxy-url"}
