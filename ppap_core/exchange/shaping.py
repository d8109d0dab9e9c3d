"""The last look at a request before it is sent: request shapers may edit it (translation spec, 0.3).

It is encoded by then, and how much to think is written. Without a shaper, nothing here runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from ..conversation.thinking import UNSET
from ..credentials import Credential
from ..wire.abilities import Enforces, Enveloped, ability, protocol_of
from ..wire.body import JsonBody
from ..wire.format import (
    ClientWire,
    EncodedRequest,
    Target,
    UpstreamWire,
)
from .exchange import Exchange


@attrs.frozen(kw_only=True)
class OutgoingRequest:
    """A request on its way to one upstream.

    ``wire`` is the name of the format that ``body`` is in, and ``protocol`` what operators' rules
    call that format; ``surface`` is the format of the client. ``models`` are the names by which a
    rule may know the model: the upstream's own, the client's, and the client's without what it says
    about thinking. ``original`` is the body before any shaper.
    """

    wire: str
    protocol: str
    surface: str
    models: frozenset[str]
    credential: Credential
    stream: bool
    original: JsonBody
    body: JsonBody


RequestShaper: TypeAlias = Callable[[OutgoingRequest], Mapping[str, bytes | None]]
"""What to change in the body, as `JsonBody.edited` takes it; nothing: leave it as it is.

Raises `InvalidRequest` to refuse the request.
"""


def shaped(
    exchange: Exchange, credential: Credential, target: Target, wire: UpstreamWire, encoded: EncodedRequest
) -> EncodedRequest:
    """The request as the shapers want it, with what its format demands. Raises `InvalidRequest`."""
    body = exchange.body if encoded.body is exchange.body.data else JsonBody(encoded.body)
    enveloped = ability(wire, Enveloped)
    envelope = enveloped.envelope if enveloped else ""
    inner = JsonBody(body.raw(envelope) or b"{}") if envelope else body
    edited = shaped_body(exchange, credential, target, wire, inner)
    if edited is inner:
        return encoded
    body = JsonBody(body.edited({envelope: edited.data})) if envelope else edited
    enforces = ability(wire, Enforces)
    if enforces is None:
        return attrs.evolve(encoded, body=body.data)
    bare = attrs.evolve(target, intent=UNSET, thinking=None)
    held = enforces.enforce(body, bare, stream=exchange.stream)
    return attrs.evolve(encoded, body=held.body, headers={**encoded.headers, **held.headers})


def shaped_body(
    exchange: Exchange,
    credential: Credential,
    target: Target,
    wire: ClientWire | UpstreamWire,
    body: JsonBody,
) -> JsonBody:
    """`body`, which is in the format `wire`, as the shapers want it; the same object if they all do."""
    request = OutgoingRequest(
        wire=wire.name,
        protocol=protocol_of(wire),
        surface=exchange.wire.name,
        models=frozenset((target.model, exchange.model, *exchange.model_names)),
        credential=credential,
        stream=exchange.stream,
        original=body,
        body=body,
    )
    for shaper in exchange.snapshot.shapers:
        changes = shaper(request)
        if changes and (data := request.body.edited(changes)) is not request.body.data:
            request = attrs.evolve(request, body=JsonBody(data))
    return request.body
