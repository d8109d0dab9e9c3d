"""Embeddings: passed on as they are, under the upstream's name of the model."""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody, Target

from .request_decoder import MODEL_PREFIX, model_of
from .splice import elements, replaced

EMBEDDINGS: Final = ("embedContent", "batchEmbedContents")
_REQUESTS: Final = "requests"


def renamed(body: JsonBody, target: Target) -> bytes:
    """The body with the target's model wherever it names one; the API wants all of them alike.

    Raises `InvalidRequest`.
    """
    model = msgspec.json.encode(MODEL_PREFIX + model_of(target.model))
    changes: dict[str, bytes | None] = {"model": model} if "model" in body else {}
    requests = body.raw(_REQUESTS)
    if requests is not None:
        if not requests.startswith(b"["):
            raise InvalidRequest(f"Invalid request: `{_REQUESTS}` must be a list", param=_REQUESTS)
        each = (JsonBody(raw) for raw in elements(requests, _REQUESTS))
        named = {place: request.edited({"model": model}) for place, request in enumerate(each)}
        changes[_REQUESTS] = replaced(requests, named, _REQUESTS)
    return body.edited(changes) if changes else body.data
