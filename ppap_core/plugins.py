"""Finding plugins, asking them for contributions, and saying which were left out and why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import attrs
import pluggy

from . import hookspecs
from .config import CoreConfig, check_section, keys_of, section_keys
from .errors import PluginError, PpapError

log = logging.getLogger("ppap.plugins")
GROUP = "ppap"


@attrs.define
class PluginReport:
    """What ``ppap plugins`` shows of one plugin. ``reason`` says why it was left out."""

    name: str
    version: str = ""
    distribution: str = ""
    state: Literal["loaded", "disabled", "left out"] = "loaded"
    hooks: Sequence[str] = ()
    reason: str = ""


class PluginHost:
    """The plugins of one proxy. A plugin that breaks is left out by name; the rest go on."""

    def __init__(self, disabled: Collection[str] = ()) -> None:
        self.reports: dict[str, PluginReport] = {}
        self._disabled = frozenset(disabled)
        self._manager = pluggy.PluginManager("ppap")
        self._manager.add_hookspecs(hookspecs)

    def discover(self) -> None:
        """Registers every installed plugin that is not disabled."""
        for entry_point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
            report = _report(entry_point)
            self.reports[report.name] = report
            if report.name in self._disabled:
                report.state = "disabled"
                continue
            try:
                plugin = entry_point.load()
            except Exception as error:
                self._leave_out(report.name, f"cannot be imported: {_told(error)}")
            else:
                self.register(plugin, report.name)

    def register(self, plugin: object, name: str) -> None:
        """Adds one plugin, which is left out if it does not keep to the contract."""
        report = self.reports.setdefault(name, PluginReport(name))
        try:
            self._manager.register(plugin, name)
            callers = self._manager.get_hookcallers(plugin) or []
            unknown = sorted(caller.name for caller in callers if not caller.has_spec())
            if unknown:
                raise PluginError(name, f"implements unknown hooks: {', '.join(unknown)}")
        except Exception as error:
            self._leave_out(name, _told(error))
        else:
            report.hooks = sorted(caller.name for caller in callers)

    def contributions(self, hook: str, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """(plugin, result) of a hook that runs at start. Whoever raises is left out altogether."""
        for name, function in self._implementations(hook, arguments):
            try:
                result = function()
            except Exception as error:
                log.debug("plugin %s", name, exc_info=True)
                self._leave_out(name, f"{hook} raised {_told(error)}")
            else:
                if result is not None:
                    yield name, result

    def gathered(self, hook: str, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """(plugin, result) of a hook that runs on each reload. Whoever raises misses this one."""
        for name, function in self._implementations(hook, arguments):
            try:
                result = function()
            except PpapError as error:
                log.error("plugin %s: %s", name, error)
            except Exception as error:
                log.exception("plugin %s: %s raised %s", name, hook, _told(error))
            else:
                if result is not None:
                    yield name, result

    def named(self, hook: str, **arguments: Any) -> dict[str, Any]:
        """Like `merged`, for hooks that give lists of objects with a ``name``."""
        owners: dict[str, str] = {}
        merged: dict[str, Any] = {}
        for plugin, objects in self.contributions(hook, **arguments):
            for each in objects:
                if each.name in merged:
                    reason = f"{hook} gives {each.name}, which plugin {owners[each.name]} has"
                    self._leave_out(plugin, reason)
                    break
                merged[each.name] = each
                owners[each.name] = plugin
        return merged

    def functions(self, hook: str) -> tuple[Callable[..., Any], ...]:
        """The bare functions of a request-path hook, in call order: flat, because it is hot."""
        return tuple(implementation.function for implementation in self._in_order(hook))

    def sections(self) -> Mapping[str, Any]:
        """Top-level config keys that plugins declare. A key taken twice leaves the later plugin out."""
        owners = dict.fromkeys(keys_of(CoreConfig), "core")
        sections: dict[str, Any] = {}
        for name, declared in self.contributions("ppap_config_sections"):
            try:
                taken = set(declared)
                for key, section in declared.items():
                    check_section(section)
                    taken.update(section_keys(key, section))
                for key in sorted(taken & owners.keys()):
                    raise PluginError(name, f"declares {key}, which {owners[key]} has")
            except (PluginError, TypeError) as error:
                self._leave_out(name, f"ppap_config_sections: {_told(error)}")
                continue
            sections.update(declared)
            owners.update(dict.fromkeys(taken, name))
        return sections

    def _implementations(
        self, hook: str, arguments: Mapping[str, Any]
    ) -> list[tuple[str, Callable[[], Any]]]:
        found = []
        for implementation in self._in_order(hook):
            values = [arguments[name] for name in implementation.argnames]
            found.append((implementation.plugin_name, _bound(implementation.function, values)))
        return found

    def _in_order(self, hook: str) -> list[pluggy.HookImpl]:
        """First come, first asked, so that the later of two rivals is left out; ``tryfirst`` and
        ``trylast`` mean what they say."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        return sorted(implementations, key=lambda each: (not each.tryfirst, each.trylast))

    def _leave_out(self, name: str, reason: str) -> None:
        report = self.reports.setdefault(name, PluginReport(name))
        report.state, report.reason = "left out", reason
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        log.error("plugin %s is left out: %s", name, reason)


def _bound(function: Callable[..., Any], values: Sequence[Any]) -> Callable[[], Any]:
    return lambda: function(*values)


def _report(entry_point: EntryPoint) -> PluginReport:
    distribution = entry_point.dist
    if distribution is None:
        return PluginReport(entry_point.name)
    return PluginReport(entry_point.name, distribution.version, distribution.name)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
