"""Embeddings: passed on as they are, under the upstream's name of the model."""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonArray, JsonBody, Target

from .request_decoder import MODEL_PREFIX, model_of

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
        listed = JsonArray(requests, _REQUESTS)
        named = {place: JsonBody(raw).edited({"model": model}) for place, raw in enumerate(listed)}
        changes[_REQUESTS] = listed.edited(named)
    return body.edited(changes) if changes else body.data
