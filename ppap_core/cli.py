"""The ``ppap`` command."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import __version__
from .config import Config, create_config, load, load_environment
from .errors import ConfigError
from .plugins import PluginHost

if TYPE_CHECKING:
    from .proxy import Proxy

DEFAULT_CONFIG = "config.yaml"
config_option = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="The configuration file.",
)


class _Commands(click.Group):
    """The commands below, and those of plugins, which are looked for only when they are needed."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return super().get_command(context, name) or plugin_commands().get(name)

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *plugin_commands()})


@functools.cache
def plugin_commands() -> Mapping[str, click.Command]:
    """The commands that plugins bring, by name."""
    host = PluginHost()
    host.discover()
    return host.named("ppap_commands")


def loaded_config(config: Path) -> Config:
    """The core's settings in a file; the defaults if there is none. Raises `ConfigError`."""
    return load(config, {}) if config.exists() else Config()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ppap")
def cli() -> None:
    """A self-hosted proxy for LLM APIs, built as a plugin framework."""


def main() -> None:
    """Entry point of the ``ppap`` script."""
    try:
        cli(standalone_mode=True)
    except ConfigError as error:
        sys.exit(str(error))


@cli.command()
@config_option
@click.option("--init", "init", is_flag=True, help="First write a config with new keys, if there is none.")
def serve(config: Path, init: bool) -> None:
    """Serve until interrupted. Edits to the configuration apply while it runs."""
    load_environment()
    if init and not config.exists():
        _initialise(config)
    run(config)


def run(config: Path) -> None:
    """Serves `config`; shared with the reference-compatible command."""
    from .proxy import Proxy  # the upstream client takes a fifth of a second to import
    from .server import serve as serve_proxy

    _log_to_stderr()
    _need(config)
    proxy = Proxy(config)
    try:
        serve_proxy(proxy, lambda url: click.echo(_greeting(proxy, url)))
    except OSError as error:
        where = f"{proxy.config.core.host or '*'}:{proxy.config.core.port}"
        reason = os.strerror(error.errno) if error.errno else str(error)
        sys.exit(f"cannot listen on {where}: {reason}; free it, or set another host or port in {config}")


@cli.command()
@config_option
def init(config: Path) -> None:
    """Write a configuration with newly generated keys, readable by you alone."""
    if config.exists():
        sys.exit(f"{config} exists; it was left as it is")
    _initialise(config)


def _initialise(config: Path) -> None:
    created = create_config(config)
    click.echo(
        f"Wrote {config} (mode 0600).\n"
        f"  client key      {created.client_key}\n"
        f"  management key  {created.management_key}   (shown once; only its hash is stored)"
    )


class _Echo(logging.Handler):
    """Says what a proxy would log as it starts."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = "note" if record.levelno == logging.INFO else record.levelname.lower()
        click.echo(f"{kind}: {record.getMessage()}")


@cli.command()
@click.argument("config", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_CONFIG)
def check(config: Path) -> None:
    """Check a configuration: every mistake with its line, and what to do."""
    from .proxy import Proxy  # the upstream client takes a fifth of a second to import

    log = logging.getLogger("ppap")
    log.addHandler(handler := _Echo(logging.INFO))
    try:
        Proxy(config)
    finally:
        log.removeHandler(handler)
    click.echo(f"{config}: no errors")


@cli.command()
@config_option
def plugins(config: Path) -> None:
    """List plugins: version, hooks, and why one was left out."""
    from rich.console import Console  # only this command draws tables
    from rich.table import Table

    host = _plugins_for(config)
    table = Table("plugin", "version", "state", "hooks, or the reason", box=None, pad_edge=False)
    for report in host.reports.values():
        told = report.reason or ", ".join(hook.removeprefix("ppap_") for hook in report.hooks)
        table.add_row(report.name, report.version, report.state, told)
    Console(soft_wrap=True).print(table)


@cli.command()
@config_option
def models(config: Path) -> None:
    """List the models that clients can ask for, and who serves each."""
    from .proxy import Proxy  # the upstream client takes a fifth of a second to import

    _need(config)
    proxy = Proxy(config)
    index = proxy.snapshot.index
    for model in index.listed:
        route = index.routes[model.id.casefold()]
        served = ", ".join(
            f"{candidate.credential.label} ({'/'.join(target.model for target in candidate.targets)})"
            for candidate in route.candidates
        )
        click.echo(f"{model.id}\t{served}")


def _plugins_for(config: Path) -> PluginHost:
    from .built_in import register_built_in  # the web framework takes a quarter of a second to import

    host = PluginHost(loaded_config(config).core.plugins.disabled)
    register_built_in(host)
    host.discover()
    return host


def _need(config: Path) -> None:
    if not config.exists():
        sys.exit(f"{config} does not exist; `ppap init --config {config}` writes one with new keys")


def _log_to_stderr() -> None:
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        level=logging.INFO,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _greeting(proxy: Proxy, url: str) -> str:
    """What to paste next."""
    keys = [key for key in proxy.config.core.api_keys if key not in proxy.config.core.sample_keys]
    key = keys[0] if keys else "any-key"
    listed = proxy.snapshot.index.listed
    model = listed[0].id if listed else "MODEL"
    lines = [
        f"PPAP {__version__} listens on {url}",
        f"  client key  {key}",
        f"  models      {len(listed)} (GET {url}/v1/models)",
        "Try:",
        f"  curl {url}/v1/chat/completions -H 'Authorization: Bearer {key}' \\",
        "    -H 'Content-Type: application/json' \\",
        f'    -d \'{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}\'',
        f"Edit {proxy.path} while it runs: the next request uses it.",
    ]
    return "\n".join(lines)
