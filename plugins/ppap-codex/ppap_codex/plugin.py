"""What this distribution contributes to a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppap_openai.responses import COMPACT, FAILING, OPERATION

from ppap_core.config import Config
from ppap_core.credentials import Credential
from ppap_core.exchange import endpoint, forwarding
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model, ModelList
from ppap_core.proxy import Proxy

from .config import SECTION, SECTIONS
from .model_list import BACKEND_PATH, MODEL_LISTS
from .provider import NAME, Account, Codex, credentials_of


@hookimpl
def ppap_config_sections() -> Mapping[str, Any]:
    return SECTIONS


@hookimpl
def ppap_routes(proxy: Proxy) -> Sequence[Any]:
    """Those that Codex asks where it takes us for its own backend."""
    return [
        endpoint(proxy, [f"{BACKEND_PATH}/responses"], FAILING),
        endpoint(proxy, [f"{BACKEND_PATH}{OPERATION}"], COMPACT, forwarding(OPERATION, shaping=True)),
    ]


@hookimpl
def ppap_model_lists() -> Sequence[ModelList]:
    return MODEL_LISTS


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
