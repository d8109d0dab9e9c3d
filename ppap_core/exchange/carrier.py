"""One attempt: a request carried to one upstream, and its answer taken in as far as is safe.

A carrier returns when the client may be answered: with a whole answer, or with a stream whose
first real event has arrived. Everything that goes wrong before that is an `AttemptFailed`, and
another upstream may be tried without the client noticing (pains 11–14, 18).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import attrs

from ..conversation import Conversation, Event, Reply
from ..conversation.collect import ReplyCollector, events_of
from ..credentials import Candidate
from ..errors import InvalidRequest, UpstreamError, UpstreamFault
from ..upstream import UpstreamReply
from ..wire.abilities import Mends, RelaysSiblings, ToldWhole, ability
from ..wire.format import NameMap, RelayWire, StreamPath, Target
from ..wire.translate import CUT_SHORT, Translation
from .answer import (
    Answer,
    Ended,
    EventPath,
    EventSource,
    OpenStream,
    ReplySource,
    WholeAnswer,
    until_committed,
    until_complete,
)
from .exchange import Exchange
from .failure import attempt_failed, refusal
from .provider import AnyProvider, Call, EventProvider, Provider, SpeaksMore
from .shaping import shaped
from .thinking import for_relay, for_translation


class Carrier(Protocol):
    """How one provider's upstreams are used."""

    @property
    def provider(self) -> AnyProvider: ...

    async def carry(self, exchange: Exchange, candidate: Candidate, target: Target) -> Answer:
        """Raises `AttemptFailed`, and `RequestError` for what its format cannot say."""
        ...


class WireCarrier:
    """For a provider whose upstream speaks a wire format: relay if the client does too, else translate."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.also = {wire.name: wire for wire in provider.also} if isinstance(provider, SpeaksMore) else {}

    async def carry(self, exchange: Exchange, candidate: Candidate, target: Target) -> Answer:
        wire = self.provider.wire
        relay = self._relay_for(exchange.wire.name)
        if relay is not None:
            target = for_relay(exchange, target)
            encoded = relay.patch_request(exchange.body, target)
        else:
            conversation, target = for_translation(exchange, target, wire)
            refuse_reference(conversation)
            encoded = wire.encode_request(conversation, target)
        if exchange.snapshot.shapers and exchange.wire.name not in self.also:
            encoded = shaped(exchange, candidate.credential, target, wire, encoded)
        deadlines = exchange.snapshot.stream_deadlines if exchange.stream else exchange.snapshot.deadlines
        call = Call(
            credential=candidate.credential,
            target=target,
            body=encoded.body,
            stream=exchange.stream,
            deadlines=deadlines,
            headers=encoded.headers,
            client_headers=exchange.arrival.client_headers,
            wire=exchange.wire.name if exchange.wire.name in self.also else wire.name,
        )
        reply: UpstreamReply | None = None
        try:
            reply = await self._accepted(call)
            taken = _Taken(exchange, target, reply, encoded.names, relay)
            answer = await (self._stream(taken) if exchange.stream else self._whole(taken))
        except (UpstreamError, UpstreamFault) as error:
            if reply is not None:
                await reply.close()
            raise attempt_failed(self.provider, candidate, error, relay is not None) from error
        except BaseException:
            if reply is not None:
                await reply.close()
            raise
        return answer

    async def _accepted(self, call: Call) -> UpstreamReply:
        """The head of a success. Raises `UpstreamFault` for a refusal, and `UpstreamError`."""
        reply = await self.provider.send(call)
        if 200 <= reply.status < 300:
            return reply
        wire = self.provider.wire
        fault = await refusal(wire, reply)
        mends = ability(wire, Mends)
        mended = mends.mended(call.body, fault.detail) if mends else None
        if mended is None:
            raise fault
        reply = await self.provider.send(attrs.evolve(call, body=mended))
        if not 200 <= reply.status < 300:
            raise await refusal(wire, reply)
        return reply

    def _relay_for(self, client: str) -> RelayWire | None:
        """What passes on a client's bytes; ``None``: they have to be translated."""
        wire = self.provider.wire
        if wire.name == client:
            return ability(wire, RelayWire)
        if client in self.also:
            return self.also[client]
        siblings = ability(wire, RelaysSiblings)
        return siblings.relay_from(client) if siblings else None

    def _reads(self, taken: _Taken) -> bool:
        """Whether an answer can be taken in any way: only one in the provider's main format."""
        return taken.exchange.wire.name not in self.also

    async def _whole(self, taken: _Taken) -> WholeAnswer:
        reply = taken.reply
        streamed = _is_event_stream(reply) and self._reads(taken)
        if streamed and taken.relay is not None and (told := ability(self.provider.wire, ToldWhole)):
            return await self._whole_of_stream(taken, told)
        body = await reply.body()
        await reply.close()
        if streamed:
            return taken.encoded(self._collected(body, taken.names))
        if taken.relay is not None:
            relayed = taken.relay.relay_reply(body, taken.exchange.model, taken.target)
            return WholeAnswer(body=relayed.body, usage=relayed.usage, headers=taken.headers)
        return taken.encoded(self.provider.wire.decode_reply(body, taken.names))

    async def _whole_of_stream(self, taken: _Taken, relay: ToldWhole) -> WholeAnswer:
        """What the relayed stream would have ended with."""
        path = self._path(taken)
        stream = await until_complete(path, ReplySource(taken.reply))
        await taken.reply.close()
        return WholeAnswer(body=relay.whole_of(stream), usage=path.usage, headers=taken.headers)

    async def _stream(self, taken: _Taken) -> OpenStream:
        if _is_json(taken.reply) and self._reads(taken):
            return await self._stream_of_whole(taken)
        path = self._path(taken)
        source = ReplySource(taken.reply)
        head = await until_committed(path, source, taken.exchange.snapshot.first_event_timeout)
        return OpenStream(head=head, path=path, source=source, headers=taken.headers)

    def _path(self, taken: _Taken) -> StreamPath:
        exchange = taken.exchange
        if taken.relay is not None:
            return taken.relay.stream_relay(exchange.body, exchange.model, taken.target)
        decoder = self.provider.wire.stream_decoder(taken.names)
        return Translation(decoder, exchange.wire.stream_encoder(exchange.conversation))

    async def _stream_of_whole(self, taken: _Taken) -> OpenStream:
        """The upstream answered a request for a stream with one JSON body; some do."""
        body = await taken.reply.body()
        await taken.reply.close()
        events = events_of(self.provider.wire.decode_reply(body, taken.names))
        encoder = taken.exchange.wire.stream_encoder(taken.exchange.conversation)
        path = EventPath(encoder)
        head = path.feed_events(events)
        if path.error is not None:
            raise UpstreamFault(path.error)
        return OpenStream(head=head, path=path, source=Ended(), headers=taken.headers)

    def _collected(self, body: bytes, names: NameMap) -> Reply:
        """The upstream answered a request for one body with a stream; some only can."""
        decoder = self.provider.wire.stream_decoder(names)
        collector = ReplyCollector()
        collector.add(decoder.feed(body))
        collector.add(decoder.close())
        return finished_reply(collector)


@attrs.frozen
class _Taken:
    """An answer that has been accepted, and what is needed to pass it on."""

    exchange: Exchange
    target: Target
    reply: UpstreamReply
    names: NameMap
    relay: RelayWire | None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Upstream headers to pass on, as ``passthrough-headers`` wants it."""
        return self.exchange.snapshot.passed_through(self.reply.headers)

    def encoded(self, reply: Reply) -> WholeAnswer:
        exchange = self.exchange
        body = exchange.wire.encode_reply(reply, exchange.conversation)
        return WholeAnswer(body=body, usage=reply.usage, headers=self.headers)


class EventCarrier:
    """For a provider without a wire: it is handed the conversation and yields events."""

    def __init__(self, provider: EventProvider) -> None:
        self.provider = provider

    async def carry(self, exchange: Exchange, candidate: Candidate, target: Target) -> Answer:
        conversation, target = for_translation(exchange, target, None)
        refuse_reference(conversation)
        events = self.provider.generate(conversation, candidate.credential, target)
        try:
            if exchange.stream:
                return await self._stream(exchange, conversation, events)
            return await self._whole(exchange, conversation, events)
        except (UpstreamError, UpstreamFault) as error:
            raise attempt_failed(self.provider, candidate, error, same_dialect=False) from error

    async def _stream(
        self, exchange: Exchange, conversation: Conversation, events: AsyncIterator[Event]
    ) -> OpenStream:
        path = EventPath(exchange.wire.stream_encoder(conversation))
        source = EventSource(events)
        try:
            head = await until_committed(path, source, exchange.snapshot.first_event_timeout)
        except BaseException:
            await source.close()
            raise
        return OpenStream(head=head, path=path, source=source)

    async def _whole(
        self, exchange: Exchange, conversation: Conversation, events: AsyncIterator[Event]
    ) -> WholeAnswer:
        collector = ReplyCollector()
        async for event in events:
            collector.add((event,))
        reply = finished_reply(collector)
        body = exchange.wire.encode_reply(reply, conversation)
        return WholeAnswer(body=body, usage=reply.usage)


def refuse_reference(conversation: Conversation) -> None:
    """Raises `InvalidRequest` for a request that goes on from an answer which only its own kind of
    upstream keeps: without what was said before, the model would answer something else (A.2.5)."""
    if conversation.continues is not None:
        raise InvalidRequest(
            f"Invalid request: `{conversation.continues}` points to an earlier answer, which this model's "
            "upstream does not keep; send the whole conversation instead",
            param=conversation.continues,
        )


def finished_reply(collector: ReplyCollector) -> Reply:
    """What was collected. Raises `UpstreamFault` if it is an error, or was cut short."""
    if collector.error is not None:
        raise UpstreamFault(collector.error)
    if not collector.finished:
        raise UpstreamFault(CUT_SHORT)
    return collector.reply()


def _is_event_stream(reply: UpstreamReply) -> bool:
    return reply.headers.get("content-type", "").startswith("text/event-stream")


def _is_json(reply: UpstreamReply) -> bool:
    return reply.headers.get("content-type", "").startswith("application/json")
