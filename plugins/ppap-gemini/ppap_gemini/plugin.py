"""What this distribution contributes to a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from ppap_core.config import Config
from ppap_core.credentials import Credential, CredentialFile
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model, ModelList
from ppap_core.proxy import Proxy
from ppap_core.wire import ClientWire, UpstreamWire

from .catalogue import CATALOGUE
from .config import GEMINI_SECTION, SECTIONS, VERTEX_SECTION
from .generate import CODE_ASSIST, GEMINI
from .model_list import MODEL_LISTS
from .provider import (
    GEMINI_API,
    VERTEX_AI,
    GoogleApi,
    gemini_credentials,
    models_of,
    vertex_credentials,
)
from .routes import routes
from .vertex.account import TYPE as VERTEX_FILE
from .vertex.account import credentials_in
from .vertex.importing import vertex_import


@hookimpl
def ppap_config_sections() -> Mapping[str, Any]:
    return SECTIONS


@hookimpl
def ppap_wire_formats() -> Sequence[ClientWire | UpstreamWire]:
    return [GEMINI, CODE_ASSIST]


@hookimpl
def ppap_routes(proxy: Proxy) -> Sequence[Any]:
    return routes(proxy)


@hookimpl
def ppap_model_lists() -> Sequence[ModelList]:
    return MODEL_LISTS


@hookimpl
def ppap_providers(proxy: Proxy) -> Sequence[GoogleApi]:
    return [GoogleApi(proxy.upstream, GEMINI_API), GoogleApi(proxy.upstream, VERTEX_AI)]


@hookimpl
def ppap_credentials(config: Config) -> Sequence[Credential]:
    return [*gemini_credentials(config[GEMINI_SECTION]), *vertex_credentials(config[VERTEX_SECTION])]


@hookimpl
def ppap_credential_file(file: CredentialFile) -> Sequence[Credential] | None:
    return credentials_in(file) if file.type == VERTEX_FILE else None


@hookimpl
def ppap_commands() -> Sequence[click.Command]:
    return [vertex_import]


@hookimpl
def ppap_models(credential: Credential) -> Sequence[Model] | None:
    return models_of(credential) if credential.provider in CATALOGUE.sections else None
