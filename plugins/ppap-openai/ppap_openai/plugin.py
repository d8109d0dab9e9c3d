"""What this distribution contributes to a proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppap_core.config import Config
from ppap_core.credentials import Credential
from ppap_core.exchange import RequestShaper, endpoint, forwarding, relayed_only
from ppap_core.hookspecs import hookimpl
from ppap_core.models import Model, ModelList
from ppap_core.proxy import Proxy
from ppap_core.wire import ClientWire, UpstreamWire

from . import image_tool, images
from .chat import CHAT
from .completions import COMPLETIONS
from .config import SECTION, SECTIONS
from .embeddings import EMBEDDINGS, NOT_SUPPORTED
from .model_list import MODELS
from .provider import OpenAICompatible, credentials_of, models_of
from .responses import COMPACT, OPERATION, RESPONSES, read_client


@hookimpl
def ppap_config_sections() -> Mapping[str, Any]:
    return SECTIONS


@hookimpl
def ppap_wire_formats() -> Sequence[ClientWire | UpstreamWire]:
    return [CHAT, COMPLETIONS, RESPONSES]


@hookimpl
def ppap_routes(proxy: Proxy) -> Sequence[Any]:
    return [
        endpoint(proxy, ["/v1/chat/completions"], CHAT),
        endpoint(proxy, ["/v1/completions"], COMPLETIONS),
        endpoint(proxy, ["/v1/responses"], RESPONSES, read_address=read_client),
        endpoint(proxy, ["/v1/responses/compact"], COMPACT, forwarding(OPERATION, shaping=True)),
        endpoint(proxy, ["/v1/embeddings"], EMBEDDINGS, relayed_only(NOT_SUPPORTED)),
        *images.routes(proxy),
    ]


@hookimpl
def ppap_request_shapers(config: Config) -> Sequence[RequestShaper]:
    return image_tool.request_shapers(config)


@hookimpl
def ppap_model_lists() -> Sequence[ModelList]:
    return [MODELS]


@hookimpl
def ppap_providers(proxy: Proxy) -> Sequence[OpenAICompatible]:
    return [OpenAICompatible(proxy.upstream)]


@hookimpl
def ppap_credentials(config: Config) -> Sequence[Credential]:
    return credentials_of(config[SECTION])


@hookimpl
def ppap_models(credential: Credential) -> Sequence[Model] | None:
    return models_of(credential) if credential.provider == SECTION else None
