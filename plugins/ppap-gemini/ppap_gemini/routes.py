"""``POST …/models/{model}:{method}``: what each method does (client API spec, 10.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ppap_core.exchange import (
    Addressed,
    Arrival,
    ReadAddress,
    Work,
    addressed_endpoint,
    counting,
    forwarding,
    generate,
)
from ppap_core.proxy import Proxy

from .cli_endpoint import cli_endpoint
from .generate import GEMINI
from .generate.addressed import COUNT, GENERATE, STREAM, MethodNotFound, addressed, read_address
from .generate.counting import count_body
from .generate.embedding import EMBEDDINGS
from .model_list import PATHS

WORKS: Final[Mapping[str, Work]] = {
    GENERATE: generate,
    STREAM: generate,
    COUNT: counting(count_body),
    **{operation: forwarding(operation) for operation in EMBEDDINGS},
}


def reader(below: str) -> ReadAddress:
    """What a URL below that path asks for."""

    def read(arrival: Arrival) -> Addressed:
        """Raises `MethodNotFound`."""
        address = read_address(arrival.path, arrival.query, below)
        work = WORKS.get(address.method)
        if work is None:
            known = ", ".join(WORKS)
            raise MethodNotFound(f"The method {address.method!r} is not supported; use one of {known}")
        return Addressed(addressed(address), work)

    return read


def routes(proxy: Proxy) -> Sequence[Any]:
    return [*(addressed_endpoint(proxy, path, GEMINI, reader(path)) for path in PATHS), cli_endpoint(proxy)]
