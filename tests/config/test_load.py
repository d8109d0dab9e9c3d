"""From a path to a config."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import attrs
import pytest

from ppap_core.config import ConfigError, load, parse, setting


@attrs.frozen(kw_only=True)
class Section:
    """A section."""

    word: str = setting("A word.", default="")


def test_a_file_becomes_a_config(tmp_path: Path) -> None:
    """With its sections by key, its path, and the digest of its bytes."""
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbfport: 1234\r\none: {word: a}\r\nmany: [{word: b}]\r\n")
    config = load(path, {"one": Section, "many": list[Section], "tuple": tuple[Section, ...]})
    assert config.core.port == 1234
    assert config["one"] == Section(word="a")
    assert config["many"] == [Section(word="b")]
    assert config["tuple"] == []
    assert config.path == path
    assert config.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(KeyError):
        config["three"]


@pytest.mark.parametrize("text", ["", "# only comments\n", "---\n"])
def test_an_empty_file_means_defaults_and_a_warning(tmp_path: Path, text: str) -> None:
    """It is usable, yet hardly what the operator wants."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    config = load(path, {"one": Section})
    assert config.core.port == 8317
    assert config["one"] == Section()
    assert config.warnings == (f"{path}: the file sets nothing, so every setting has its default",)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With what to do about it; there is no line to point at."""
    path = tmp_path / "config.yaml"
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value).endswith(f"{path}: there is no such file; `ppap init` writes one")
    assert caught.value.line == 0


def test_a_directory_in_its_place_is_explained(tmp_path: Path) -> None:
    """Container engines make one when the file to mount is missing."""
    with pytest.raises(ConfigError, match="this is a directory, not a file"):
        load(tmp_path, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    path = tmp_path / "config.yaml"
    path.touch(mode=0o000)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        load(path, {})


def test_an_impossible_path_is_named() -> None:
    """Even one that the system refuses to look up."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(Path("a\0b"), {})


@pytest.mark.parametrize("text", ["- a", "just words", "42"])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    """It must consist of keys."""
    with pytest.raises(ConfigError, match=r'config\.yaml:1:1: expected "key: value" lines'):
        parse(text.encode(), Path("config.yaml"), {})


@pytest.mark.parametrize("declared", [str, dict[str, Section], 3, list[str]])
def test_a_section_must_be_a_class_or_a_list_of_one(declared: Any) -> None:
    """Anything else is the plugin's mistake, not the operator's."""
    with pytest.raises(TypeError, match="neither an attrs class"):
        parse(b"x: 1", Path("config.yaml"), {"x": declared})
