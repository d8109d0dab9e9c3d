"""The first config.yaml."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import bcrypt
import pytest

from ppap_core.config import ConfigError, create_config, load


def test_a_new_config_works_as_it_is(tmp_path: Path) -> None:
    """It loads without a warning, serves this machine only, and holds the keys shown (pain 39)."""
    path = tmp_path / "config.yaml"
    keys = create_config(path)
    config = load(path, {})
    assert config.warnings == config.notes == ()
    assert (config.core.host, config.core.port) == ("127.0.0.1", 8317)
    assert config.core.api_keys == (keys.client_key,)
    assert config.core.sample_keys == ()
    assert not config.core.remote_management.allow_remote
    assert bcrypt.checkpw(keys.management_key.encode(), config.core.remote_management.secret_key.encode())


def test_keys_are_generated_for_each_file(tmp_path: Path) -> None:
    """Nobody else has them, and the management key stands nowhere in clear."""
    first, second = create_config(tmp_path / "a"), create_config(tmp_path / "b")
    assert re.fullmatch(r"sk-ppap-[A-Za-z0-9_-]{40}", first.client_key)
    assert first.client_key != second.client_key
    assert first.management_key != second.management_key
    assert first.management_key not in (tmp_path / "a").read_text()
    assert first.client_key not in repr(first)


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """From the moment that it exists."""
    create_config(tmp_path / "config.yaml")
    assert stat.S_IMODE((tmp_path / "config.yaml").stat().st_mode) == 0o600


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    """Also when it is a link, whose target must not be written through."""
    path = tmp_path / "config.yaml"
    path.write_text("port: 1\n")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for taken in (path, tmp_path / "link"):
        with pytest.raises(ConfigError, match="exists already"):
            create_config(taken)
    assert path.read_text() == "port: 1\n"
    assert not (tmp_path / "elsewhere").exists()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        create_config(tmp_path / "missing" / "config.yaml")
