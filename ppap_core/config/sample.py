"""A first config.yaml: short, commented, and with keys that nobody else has (pain 39)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

import attrs
import bcrypt

from ..errors import ConfigError, ConfigProblem

_KEY_BYTES: Final = 30
"""40 characters of URL-safe base64."""
_TEXT: Final = """\
# Edit this file while the proxy runs: what you save is in force for the next request. A mistake is
# reported with its line, and the settings from before stay in force.
# Every key is explained in docs/configuration.md.

# Only this machine can connect. "" serves all interfaces.
host: "127.0.0.1"
port: 8317

# What clients send as their API key.
api-keys:
  - "{client_key}"

remote-management:
  # Hash of the management key, which was shown when this file was written. To change it, write a
  # bcrypt hash of another one here.
  secret-key: "{management_key_hash}"
  allow-remote: false

# How often, and for how many seconds at most, a request waits for an account to be usable again.
request-retry: 3
max-retry-interval: 30
"""


@attrs.frozen
class NewConfig:
    """The keys in clear, for the one time that they are shown."""

    client_key: str = attrs.field(repr=False)
    management_key: str = attrs.field(repr=False)


def new_config_text(client_key: str, management_key_hash: str) -> str:
    """The file's text. Both arguments consist of characters that need no escape in YAML quotes."""
    return _TEXT.format(client_key=client_key, management_key_hash=management_key_hash)


def create_config(path: Path) -> NewConfig:
    """Writes a new file that only its owner can read. Raises `ConfigError`, also if there is one already."""
    keys = NewConfig(
        client_key=f"sk-ppap-{secrets.token_urlsafe(_KEY_BYTES)}",
        management_key=secrets.token_urlsafe(_KEY_BYTES),
    )
    hashed = bcrypt.hashpw(keys.management_key.encode(), bcrypt.gensalt(rounds=10)).decode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError([ConfigProblem(str(path), 0, 0, "exists already, and was left as it is")]) from None
    except OSError as error:
        raise ConfigError([ConfigProblem(str(path), 0, 0, f"cannot be written: {error.strerror}")]) from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(new_config_text(keys.client_key, hashed))
    return keys
