"""The core's own settings: every top-level key of config.yaml that no plugin brings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

import attrs

from . import normalise
from .clients import KeyControl
from .models import KnownModel, ModelAlias, aliases_by_channel, patterns_by_provider
from .setting import InvalidSetting, Validator, setting

_STRATEGY_SPELLINGS: Final = {
    "": "round-robin",
    "roundrobin": "round-robin",
    "rr": "round-robin",
    "fillfirst": "fill-first",
    "ff": "fill-first",
}
_SAMPLE_KEY: Final = re.compile(r"your-api-key(-\d+)?|sk-your-.*", re.IGNORECASE)
"""What published example configurations have under ``api-keys`` (client API spec, 4.2; pain 39)."""
_HIGHEST_PORT: Final = 65535
_MOST_BODY_MB: Final = 1024 * 1024


def _strategy(name: str) -> str:
    known = name.strip().lower()
    return _STRATEGY_SPELLINGS.get(known, known)


def _between(lowest: int, highest: int) -> Validator:
    def check(instance: object, attribute: object, value: int) -> None:
        if not lowest <= value <= highest:
            raise InvalidSetting(f"expected a number from {lowest} to {highest}, found {value}")

    return check


@attrs.frozen(kw_only=True)
class Tls:
    """HTTPS for clients."""

    enable: bool = setting("Serve HTTPS instead of HTTP.", default=False, reload="restart")
    cert: str = setting(
        "Path of the certificate chain, PEM.", default="", reload="restart", normalise=normalise.trimmed
    )
    key: str = setting(
        "Path of its private key, PEM.", default="", reload="restart", normalise=normalise.trimmed
    )

    def __attrs_post_init__(self) -> None:
        if self.enable and not (self.cert and self.key):
            raise InvalidSetting("tls.cert or tls.key is empty; HTTPS needs both files, or enable: false")


@attrs.frozen(kw_only=True)
class Streaming:
    """Streamed answers."""

    keepalive_seconds: int = setting(
        "Seconds of silence after which a streamed answer gets a keep-alive comment; 0: never.",
        default=0,
        normalise=normalise.not_negative,
    )
    bootstrap_retries: int = setting(
        "How often a stream that fails before its first byte is begun anew; 0: never.",
        default=0,
        normalise=normalise.not_negative,
    )


@attrs.frozen(kw_only=True)
class Routing:
    """Choosing among the credentials that can serve a request."""

    strategy: str = setting(
        "`round-robin`: each in turn; `fill-first` (also `fillfirst`, `ff`): the first that is ready. "
        "Plugins may bring more.",
        default="round-robin",
        normalise=_strategy,
    )


@attrs.frozen(kw_only=True)
class RemoteManagement:
    """The management API."""

    secret_key: str = setting(
        "Management key, as bcrypt hash or in clear; empty: the management API is off.",
        default="",
        secret=True,
        normalise=normalise.trimmed,
    )
    allow_remote: bool = setting("Accept management requests from other machines.", default=False)


@attrs.frozen(kw_only=True)
class Plugins:
    """Installed plugins."""

    disabled: tuple[str, ...] = setting(
        "Names of plugins to leave out; `ppap plugins` lists them.",
        factory=tuple,
        reload="restart",
        normalise=normalise.distinct,
    )


@attrs.frozen(kw_only=True)
class Upstream:
    """Connections to upstreams. Times are in seconds; 0: no limit."""

    transport: Literal["own", "httpx"] = setting(
        "`own`: the fast HTTP/1.1 transport; `httpx`: the one of httpx, which is also used for proxies.",
        default="own",
    )
    connect_timeout: float = setting(
        "Until a connection stands, TLS included.", default=15.0, normalise=normalise.not_negative
    )
    first_byte_timeout: float = setting(
        "From the request being sent to the answer's head.", default=600.0, normalise=normalise.not_negative
    )
    between_bytes_timeout: float = setting(
        "Longest silence within an answer.", default=300.0, normalise=normalise.not_negative
    )
    first_event_timeout: float = setting(
        "Longest silence before a streamed answer says something: without an event for so long, the next "
        "credential is tried.",
        default=180.0,
        normalise=normalise.not_negative,
    )
    max_connections_per_host: int = setting(
        "Connections open to one upstream host at a time; 0: no limit.",
        default=10_000,
        normalise=normalise.not_negative,
    )
    idle_seconds: float = setting(
        "How long an unused connection is kept; 0: until the upstream closes it.",
        default=60.0,
        normalise=normalise.not_negative,
    )
    ca_file: str = setting(
        "PEM file of certificate authorities to trust besides the system's.",
        default="",
        normalise=normalise.trimmed,
    )


@attrs.frozen(kw_only=True)
class Limits:
    """Bounds on what a client may send."""

    max_body_mb: int = setting(
        "Largest request body in MiB, after decompression; at least 1.",
        default=256,
        validator=_between(1, _MOST_BODY_MB),
    )


@attrs.frozen(kw_only=True)
class Access:
    """Who may use the proxy."""

    allow_anonymous_remote: bool = setting(
        "Serve other machines even while `api-keys` is empty. Anyone who reaches the port can then "
        "spend your accounts.",
        default=False,
    )


@attrs.frozen(kw_only=True)
class CoreConfig:
    """The top-level keys that the core itself reads."""

    host: str = setting(
        "Address to listen on; empty: all interfaces, IPv4 and IPv6.",
        default="",
        reload="restart",
        normalise=normalise.trimmed,
    )
    port: int = setting(
        "Port to listen on; 0: any free one.",
        default=8317,
        reload="restart",
        validator=_between(0, _HIGHEST_PORT),
    )
    tls: Tls = setting("HTTPS for clients.", factory=Tls)
    auth_dir: str = setting(
        "Directory of credential files; a leading `~` is the home directory.",
        default="~/.cli-proxy-api",
        normalise=lambda text: text.strip() or "~/.cli-proxy-api",
    )
    debug: bool = setting("Log at debug level.", default=False)
    api_keys: tuple[str, ...] = setting(
        "Keys that clients may use. Without any, only this machine is served. "
        "Keys of published example configurations are refused.",
        factory=tuple,
        secret=True,
        normalise=normalise.distinct,
    )
    api_key_controls: tuple[KeyControl, ...] = setting("What single client keys may do.", default=())
    access: Access = setting("Who may use the proxy.", factory=Access)
    remote_management: RemoteManagement = setting("The management API.", factory=RemoteManagement)
    proxy_url: str = setting(
        "Proxy for all upstream requests: `http://`, `https://`, `socks5://` or `socks5h://`; `direct`: "
        "none at all; empty: the one of the environment, if any.",
        default="",
        secret=True,
        normalise=normalise.proxy_url,
    )
    force_model_prefix: bool = setting(
        "Models of credentials with a prefix are found by their prefixed name only.", default=False
    )
    model_catalogue: tuple[KnownModel, ...] = setting(
        "What is known of models, before what the built-in catalogues say.", default=()
    )
    oauth_model_alias: dict[str, tuple[ModelAlias, ...]] = setting(
        "Other names for models, by the channel of the accounts that serve them: mostly their provider. For "
        "accounts that were logged in, not for API keys: those have `models` for it.",
        factory=dict,
        normalise=aliases_by_channel,
    )
    oauth_excluded_models: dict[str, tuple[str, ...]] = setting(
        "Models not to serve, by the same channels; `*` stands for any characters.",
        factory=dict,
        normalise=patterns_by_provider,
    )
    passthrough_headers: bool = setting("Hand the upstream's response headers on to clients.", default=False)
    request_retry: int = setting(
        "Rounds over all credentials after the first, when every one failed or is cooling down.",
        default=3,
        normalise=normalise.not_negative,
    )
    max_retry_interval: int = setting(
        "Longest wait in seconds for a credential to come back before a new round; 0: do not wait.",
        default=30,
        normalise=normalise.not_negative,
    )
    max_retry_credentials: int = setting(
        "How many credentials one round tries; 0: all.", default=0, normalise=normalise.not_negative
    )
    disable_cooling: bool = setting("Never pause a credential after a failure.", default=False)
    nonstream_keepalive_interval: int = setting(
        "Seconds between the blank lines sent ahead of an answer that is not streamed; 0: none.",
        default=0,
        normalise=normalise.not_negative,
    )
    streaming: Streaming = setting("Streamed answers.", factory=Streaming)
    stream_guard: Literal["off", "observe", "repair"] = setting(
        "What is done about streamed answers that break the rules of the client's format: nothing; count "
        "and log them (`observe`); or mend what is safe to mend, too: what an answer must begin and end "
        "with, and what comes twice (`repair`).",
        default="observe",
    )
    routing: Routing = setting("Choosing among credentials.", factory=Routing)
    upstream: Upstream = setting("Connections to upstreams.", factory=Upstream)
    limits: Limits = setting("Bounds on what a client may send.", factory=Limits)
    shutdown_grace_seconds: float = setting(
        "How many seconds requests in flight may go on after a stop signal.",
        default=30.0,
        reload="restart",
        normalise=normalise.not_negative,
    )
    plugins: Plugins = setting("Installed plugins.", factory=Plugins)

    @property
    def auth_directory(self) -> Path:
        """``auth_dir`` with the home directory filled in; the file keeps what the operator wrote."""
        return Path(self.auth_dir).expanduser()

    @property
    def sample_keys(self) -> tuple[str, ...]:
        """Those of ``api_keys`` that stand in published example configurations, so everyone has them."""
        return tuple(key for key in self.api_keys if _SAMPLE_KEY.fullmatch(key))
