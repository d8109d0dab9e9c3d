"""What this distribution contributes to a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppap_core.config import Config
from ppap_core.credentials import Credential
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model
from ppap_core.proxy import Proxy

from .config import SECTION, SECTIONS
from .provider import NAME, Account, Codex, credentials_of


@hookimpl
def ppap_config_sections() -> Mapping[str, Any]:
    return SECTIONS


@hookimpl
def ppap_providers(proxy: Proxy) -> Sequence[Codex]:
    return [Codex(proxy.upstream)]


@hookimpl
def ppap_credentials(config: Config) -> Sequence[Credential]:
    return credentials_of(config[SECTION])


@hookimpl
def ppap_models(credential: Credential) -> Sequence[Model] | None:
    account = credential.settings
    return account.models if credential.provider == NAME and isinstance(account, Account) else None
