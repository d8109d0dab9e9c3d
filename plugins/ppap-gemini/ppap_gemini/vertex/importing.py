"""``ppap vertex-import``: a service account's JSON, as Google gives it, becomes a credential file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
import orjson

from ppap_core.cli import config_option, loaded_config
from ppap_core.config import normalise
from ppap_core.credentials import write_credential_file

from .account import DEFAULT_LOCATION, TYPE, service_account
from .private_key import mended

_SEPARATORS: Final = re.compile(r"[/\\:]")


@click.command("vertex-import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--prefix", default="", help="Serve its models as PREFIX/model, too.")
@click.option("--location", default=DEFAULT_LOCATION, show_default=True, help="Region, or `global`.")
@config_option
def vertex_import(file: Path, prefix: str, location: str, config: Path) -> None:
    """Import a Google service account (its JSON key file) for Vertex AI."""
    directory = loaded_config(config).core.auth_directory
    try:
        fields = imported(file.read_bytes(), prefix=prefix, location=location)
        path = write_credential_file(directory, file_name(fields), fields)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise click.ClickException(f"{file}: {error}") from None
    if not fields["email"]:
        click.echo(f"warning: {file} has no client_email", err=True)
    click.echo(f"Wrote {path} (mode 0600)")


def imported(data: bytes, *, prefix: str, location: str) -> dict[str, Any]:
    """The credential file for the bytes of a key file. Raises ``ValueError`` with what is wrong."""
    try:
        # Bytes that are no UTF-8 come from copying, and are not part of any key.
        told = orjson.loads(data.decode("utf-8", "ignore"))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON (line {error.lineno}, column {error.colno})") from None
    project = told.get("project_id") if isinstance(told, dict) else None
    if not isinstance(project, str) or not project.strip():
        raise ValueError("project_id is missing; is this the JSON key of a service account?")
    segment = normalise.prefix(prefix)
    if prefix.strip(" /") and not segment:
        raise ValueError("the prefix must be one path segment, without a slash inside")
    account = service_account({"client_email": "", **told})
    fields: dict[str, Any] = {
        "type": TYPE,
        "project_id": project.strip(),
        "email": account.email,
        "label": f"{project.strip()} ({account.email})" if account.email else project.strip(),
        "location": location.strip() or DEFAULT_LOCATION,
        "service_account": {**told, "private_key": mended(account.private_key)},
    }
    return {**fields, "prefix": segment} if segment else fields


def file_name(fields: Mapping[str, Any]) -> str:
    """``vertex-[<prefix>-]<project>.json``."""
    parts = [TYPE, fields.get("prefix", ""), fields["project_id"]]
    name = "-".join(filter(None, parts))
    return f"{_SEPARATORS.sub('_', name).replace(' ', '-')}.json"
