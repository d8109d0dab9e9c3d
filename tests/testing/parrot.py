"""Parrot Lines, an invented wire format, complete and small: what the kit's own tests run on.

request  {"model": "m", "stream": true, "turns": [{"who": "user", "says": "Hi"}], "limit": 5}
reply    {"model": "m", "says": "Hel", "calls": [{"name": "f", "with": "{}"}], "halt": "stop"}
stream   the same in lines: {"model": "m"}, {"say": "Hel"}, {"call": 0, "name": "f"},
         {"call": 0, "with": "{"}, {"oops": "No", "status": 503}, {"halt": "stop"}
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import attrs
import orjson

from ppap_core.conversation import (
    FINISH_REASONS,
    Conversation,
    Delta,
    End,
    ErrorDetail,
    Event,
    Finish,
    FinishReason,
    Item,
    ItemEnd,
    ItemStart,
    Message,
    Refusal,
    Reply,
    Role,
    Start,
    StreamError,
    Text,
    Tool,
    ToolCall,
    Usage,
    UsageUpdate,
)
from ppap_core.credentials import Credential
from ppap_core.credentials.verdict import Failure, Verdict, by_status
from ppap_core.errors import InvalidRequest, MalformedReply, MalformedStream, UpstreamFault
from ppap_core.testing import Traffic
from ppap_core.wire import EncodedRequest, JsonBody, NameMap, Peek, RelayedReply, Target

NAME = "parrot-lines"
ROLES: Mapping[str, Role] = {"parrot": "assistant", "user": "user"}


def line(**fields: Any) -> bytes:
    return orjson.dumps(fields) + b"\n"


class LinesDecoder:
    """See `ppap_core.wire.StreamDecoder`."""

    def __init__(self) -> None:
        self._rest = b""
        self._open: list[str] = []

    def feed(self, data: bytes) -> list[Event]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [event for raw in lines if raw for event in self._read(raw)]

    def close(self) -> list[Event]:
        events = self.feed(b"\n")
        return [*events, *self._end_items(), End()]

    def _read(self, raw: bytes) -> Iterator[Event]:
        try:
            fields = orjson.loads(raw)
            if not isinstance(fields, dict):
                raise TypeError("not an object")
            yield from self._events(fields)
        except (ValueError, TypeError, KeyError) as error:
            raise MalformedStream(f"{NAME}: a line of {len(raw)} bytes: {type(error).__name__}") from None

    def _events(self, fields: Mapping[str, Any]) -> Iterator[Event]:
        if "oops" in fields:
            yield StreamError(_detail(fields))
        if "model" in fields and not self._open:
            yield Start(model=str(fields["model"]))
        if text := fields.get("say"):
            yield from self._opened("text", ItemStart("text", "text"))
            yield Delta("text", "text", _string(text))
        if "call" in fields:
            yield from self._call(fields)
        if "used" in fields:
            yield UsageUpdate(Usage(output_total=int(fields["used"])))
        if "halt" in fields:
            yield from self._end_items()
            yield Finish(fields["halt"] if fields["halt"] in FINISH_REASONS else "unknown")

    def _call(self, fields: Mapping[str, Any]) -> Iterator[Event]:
        key = f"call{int(fields['call'])}"
        if "name" in fields:
            start = ItemStart(key, "tool_call", call_id=key, name=_string(fields["name"]))
            yield from self._opened(key, start)
        if text := fields.get("with"):
            if key not in self._open:
                raise TypeError("an unknown call")
            yield Delta(key, "tool_call", _string(text))

    def _opened(self, key: str, start: ItemStart) -> Iterator[Event]:
        if key not in self._open:
            self._open.append(key)
            yield start

    def _end_items(self) -> Iterator[Event]:
        yield from (ItemEnd(key) for key in self._open)
        self._open = []


class OnceDecoder(LinesDecoder):
    """What a careful decoder adds: nothing counts after the end, nor after an error."""

    def __init__(self) -> None:
        super().__init__()
        self._over = False
        self._started = False

    def _events(self, fields: Mapping[str, Any]) -> Iterator[Event]:
        if self._over:
            return
        for event in super()._events(fields):
            if isinstance(event, Start):
                if self._started:
                    continue
                self._started = True
            yield event
            if isinstance(event, StreamError | Finish):
                self._over = True
                self._open = []
                return


class LinesEncoder:
    """See `ppap_core.wire.StreamEncoder`."""

    def __init__(self) -> None:
        self._calls: dict[int | str, int] = {}
        self._foreign: set[int | str] = set()

    def feed(self, events: Sequence[Event]) -> bytes:
        return b"".join(filter(None, map(self._line, events)))

    def _line(self, event: Event) -> bytes | None:
        match event:
            case Start(model=model) if model:
                return line(model=model)
            case ItemStart(key=key, choice=choice) if choice:
                self._foreign.add(key)
            case ItemStart(key=key, kind="tool_call", name=name):
                self._calls[key] = len(self._calls)
                return line(call=self._calls[key], name=name)
            case Delta(key=key) if key in self._foreign:
                pass
            case Delta(kind="text" | "refusal", text=text):
                return line(say=text)
            case Delta(key=key, kind="tool_call", text=text):
                return line(call=self._calls[key], **{"with": text})
            case UsageUpdate(usage=usage) if usage.output_total is not None:
                return line(used=usage.output_total)
            case StreamError(error=error):
                return line(oops=error.message, status=error.status)
            case Finish(reason=reason, choice=0):
                return line(halt=reason)
        return None


class LinesRelay:
    """See `ppap_core.wire.StreamPath`."""

    def __init__(self, client_model: str, target: Target) -> None:
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self.usage: Usage | None = None
        self._rest = b""
        self._renamed = (line(model=target.model), line(model=client_model))
        self._decoder = OnceDecoder()

    def feed(self, data: bytes) -> bytes:
        for event in self._decoder.feed(data):
            self.committed = self.committed or isinstance(event, Delta | Finish)
            self.complete = self.complete or isinstance(event, Finish)
            if isinstance(event, StreamError):
                self.error = event.error
            elif isinstance(event, UsageUpdate):
                self.usage = event.usage
        *lines, self._rest = (self._rest + data).split(b"\n")
        return b"".join(self._written(raw + b"\n") for raw in lines)

    def close(self) -> bytes:
        last = self.feed(b"\n") if self._rest else b""
        if self.complete or self.error:
            return last
        return last + self.fail(ErrorDetail(message="cut short", status=502))

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        return line(oops=error.message, status=error.status)

    def _written(self, raw: bytes) -> bytes:
        theirs, ours = self._renamed
        return ours if raw == theirs else raw


class ParrotLines:
    """See `ppap_core.wire.WireFormat`."""

    name = NAME
    stream_media_type = "application/x-parrot-lines"
    keep_alive = b"\n"

    def peek(self, body: JsonBody) -> Peek:
        return Peek(body.text("model"), body.value("stream") is True)

    def decode_request(self, body: JsonBody) -> Conversation:
        fields = body.decoded()
        turns = fields.get("turns") or []
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise InvalidRequest("Invalid request: `turns` must be a list of objects", param="turns")
        items = [
            Message(role=ROLES.get(str(turn.get("who")), "user"), parts=(Text(str(turn.get("says"))),))
            for turn in turns
        ]
        tools = fields.get("tools") or []
        if not isinstance(tools, list):
            raise InvalidRequest("Invalid request: `tools` must be a list of names", param="tools")
        return Conversation(
            model=body.text("model"),
            format=NAME,
            items=items,
            stream=fields.get("stream") is True,
            tools=[Tool(name=str(name)) for name in tools],
        )

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        turns = [
            {"who": "parrot" if item.role == "assistant" else "user", "says": _words(item)}
            for item in conversation.items
            if isinstance(item, Message)
        ]
        fields = {"model": target.model, "stream": conversation.stream, "turns": turns}
        tools = [tool.name for tool in conversation.tools]
        return EncodedRequest(orjson.dumps({**fields, "tools": tools}))

    def encode_reply(self, reply: Reply, conversation: Conversation) -> bytes:
        calls = [
            {"name": item.name, "with": item.arguments} for item in reply.items if isinstance(item, ToolCall)
        ]
        said = "".join(_words(item) for item in reply.items if isinstance(item, Message))
        fields = {"model": conversation.model, "says": said, "calls": calls, "halt": reply.finish}
        return orjson.dumps(fields)

    def decode_reply(self, body: bytes, names: NameMap) -> Reply:
        try:
            fields = orjson.loads(body)
            if "oops" in fields:
                raise UpstreamFault(_detail(fields), body)
            return _reply(fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise MalformedReply(f"{NAME}: {len(body)} bytes are no reply") from None

    def stream_decoder(self, names: NameMap) -> LinesDecoder:
        return OnceDecoder()

    def stream_encoder(self, conversation: Conversation) -> LinesEncoder:
        return LinesEncoder()

    def encode_error(self, error: ErrorDetail) -> bytes:
        return orjson.dumps({"oops": error.message, "status": error.status})

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        try:
            return attrs.evolve(_detail(orjson.loads(body)), status=status)
        except (ValueError, TypeError, KeyError, AttributeError):
            return ErrorDetail(message=f"The upstream answered with status {status}", status=status)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return EncodedRequest(body.edited({"model": orjson.dumps(target.model)}))

    def relay_reply(self, body: bytes, client_model: str, target: Target) -> RelayedReply:
        self.decode_reply(body, NameMap())
        try:
            return RelayedReply(body=JsonBody(body).edited({"model": orjson.dumps(client_model)}))
        except InvalidRequest:
            raise MalformedReply(f"{NAME}: {len(body)} bytes are no reply") from None

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> LinesRelay:
        return LinesRelay(client_model, target)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _words(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text | Refusal))


def _detail(fields: Mapping[str, Any]) -> ErrorDetail:
    status = int(fields.get("status", 500))
    return ErrorDetail(message=str(fields["oops"]) or "?", status=status if 400 <= status < 600 else 500)


def _reply(fields: Mapping[str, Any]) -> Reply:
    items: list[Item] = []
    if says := _string(fields["says"]):
        items.append(Message(role="assistant", parts=(Text(says),)))
    for number, call in enumerate(fields["calls"]):
        name, text = _string(call["name"]), _string(call["with"])
        items.append(ToolCall(call_id=f"call{number}", name=name, arguments=text))
    halt: FinishReason = fields["halt"] if fields["halt"] in FINISH_REASONS else "unknown"
    return Reply(model=str(fields["model"]), items=items, finish=halt)


class Echo:
    """A sound provider that says what it was asked."""

    name = "echo"

    async def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]:
        yield Start(model=target.model)
        yield ItemStart(0, "text")
        yield Delta(0, "text", conversation.model)
        yield ItemEnd(0)
        yield Finish("stop")
        yield End()

    def classify(self, failure: Failure) -> Verdict:
        return by_status(failure)


TRAFFIC = Traffic(
    requests={
        "plain": b'{ "model": "parrot-1", "turns": [{"who": "user", "says": "Hi"}], "limit": 1e2}',
        "streamed": b'{"stream": true, "model": "parrot-1", "turns": [], "tools": ["look_up"]}',
    },
    replies={"plain": b'{"model": "parrot-1", "says": "Hello", "calls": [], "halt": "stop"}'},
    streams={
        "text": line(model="upstream-model") + line(say="Hel") + line(say="lo") + line(halt="stop"),
        "calls": line(call=0, name="a")
        + line(call=1, name="b")
        + line(call=1, **{"with": "{}"})
        + line(call=0, **{"with": "{}"})
        + line(halt="tool_calls"),
    },
    stream_errors={"at once": line(oops="Too busy", status=503)},
    errors={"busy": (503, b'{"oops": "Too busy"}'), "page": (502, b"<html>")},
)
