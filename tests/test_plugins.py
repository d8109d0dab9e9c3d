"""Plugins that keep to the contract, and plugins that do not."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import attrs
import pytest

from ppap_core import hookimpl, hookspecs
from ppap_core.config import setting
from ppap_core.plugins import PluginHost
from ppap_core.proxy import Proxy


@attrs.frozen(kw_only=True)
class Tea:
    kind: str = setting("What is poured.", default="green")


class Good:
    @hookimpl
    def ppap_config_sections(self) -> dict[str, Any]:
        return {"tea": Tea}


class Twin(Good):
    pass


class Usurper:
    @hookimpl
    def ppap_config_sections(self) -> dict[str, Any]:
        return {"port": Tea}


class Unclear:
    @hookimpl
    def ppap_config_sections(self) -> dict[str, Any]:
        return {"coffee": int}


class Raises:
    @hookimpl
    def ppap_config_sections(self) -> dict[str, Any]:
        raise RuntimeError("out of tea")


class Unknown:
    @hookimpl
    def ppap_make_coffee(self) -> None:
        """No such hook."""


class WrongArguments:
    @hookimpl
    def ppap_credentials(self, kettle: object) -> list[Any]:
        return []


def test_a_section_of_a_plugin_is_read() -> None:
    host = PluginHost()
    host.register(Good(), "good")
    assert host.sections() == {"tea": Tea}
    assert host.reports["good"].hooks == ["ppap_config_sections"]


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        (Raises(), "ppap_config_sections raised RuntimeError: out of tea"),
        (Unknown(), "implements unknown hooks: ppap_make_coffee"),
        (WrongArguments(), "kettle"),
        (Twin(), "declares tea, which good has"),
        (Usurper(), "declares port, which core has"),
        (Unclear(), "TypeError"),
    ],
    ids=["raises", "unknown hook", "wrong arguments", "name taken", "core's name", "no section"],
)
def test_a_broken_plugin_is_named_and_left_out_and_the_rest_works(plugin: object, reason: str) -> None:
    host = PluginHost()
    host.register(Good(), "good")
    host.register(plugin, "broken")
    assert host.sections() == {"tea": Tea}
    assert host.reports["broken"].state == "left out"
    assert reason in host.reports["broken"].reason
    assert host.reports["good"].state == "loaded"


def test_a_disabled_plugin_is_not_even_imported(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("plugins: {disabled: [demo]}\n")
    proxy = Proxy(tmp_path / "config.yaml")
    assert proxy.plugins.reports["demo"].state == "disabled"
    assert "demo" not in proxy.snapshot.credentials


def test_every_hook_says_when_it_runs_and_has_an_implementation_that_we_ship(tmp_path: Path) -> None:
    """No speculative hooks: each one is used by the core or a first-party plugin."""
    (tmp_path / "config.yaml").write_text("port: 0\n")
    used = {
        hook for report in Proxy(tmp_path / "config.yaml").plugins.reports.values() for hook in report.hooks
    }
    declared = {
        name
        for name, value in vars(hookspecs).items()
        if name.startswith("ppap_") and inspect.isfunction(value)
    }
    assert declared == used
    for name in declared:
        assert (inspect.getdoc(getattr(hookspecs, name)) or "").strip()


def test_every_hook_is_documented_with_its_arguments() -> None:
    page = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text()
    for name, value in vars(hookspecs).items():
        if name.startswith("ppap_") and inspect.isfunction(value):
            assert f"`{name}({', '.join(inspect.signature(value).parameters)})`" in page
