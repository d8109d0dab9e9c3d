"""Whole answers passed on in their own format (translation spec, 0.4, C.14, C.18)."""

from __future__ import annotations

from ppap_core.wire import RelayedReply, Target

from .repair import Items, model_text, repaired
from .reply import read_response
from .stream_relay import ResponsesRelay
from .usage import read_usage


def relay_reply(body: bytes, client_model: str, target: Target) -> RelayedReply:
    """The upstream's own bytes, under the model name that the client knows. Raises like `read_response`."""
    response = read_response(body)
    model = model_text(client_model, target.model)
    return RelayedReply(body=repaired(body, Items(), model), usage=read_usage(response.get("usage")))


def relay_of(client_model: str, target: Target) -> ResponsesRelay:
    return ResponsesRelay(model_text(client_model, target.model))
