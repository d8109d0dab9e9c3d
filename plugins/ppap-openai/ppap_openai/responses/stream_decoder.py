"""An upstream's stream → events (translation spec, B.2.4, B.3.2, C.8, C.10–C.12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from ppap_core.conversation import End, ErrorDetail, Event, Finish, Start, StreamError, UsageUpdate
from ppap_core.errors import MalformedStream
from ppap_core.wire import NameMap
from ppap_core.wire.sse import FrameSplitter, frames, payload

from .errors import read_in_band
from .finish import Told, reason_of
from .heard import (
    Heard,
    HeardCall,
    HeardMessage,
    HeardReasoning,
    HeardServerTool,
    Hearing,
    new_heard,
)
from .name import JsonObject
from .usage import usage_of
from .wire_event import ABSENT, WireEvent, json_object, read_event

DONE: Final = b"[DONE]"
FAILURES: Final = frozenset({"error", "response.failed", "response.error"})
ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.done"})
_Kind = TypeVar("_Kind", bound=Heard)


class ResponsesStreamDecoder:
    """A `StreamDecoder`: the state of one upstream stream. Nothing counts after its last event.

    A dialect of the format may read errors in a way of its own.
    """

    read_error = staticmethod(read_in_band)

    def __init__(self, names: NameMap) -> None:
        self._frames = FrameSplitter()
        self._hearing = Hearing(names)
        self._order: list[Heard] = []
        self._by_index: dict[int, Heard] = {}
        self._by_id: dict[str, Heard] = {}
        self._started = False
        self._over = False

    def feed(self, data: bytes) -> list[Event]:
        """Raises `MalformedStream` for data that is not JSON."""
        events: list[Event] = []
        if not self._over and (block := self._frames.feed(data)):
            for frame in frames(block):
                self._frame(frame, events)
        return events

    def close(self) -> list[Event]:
        """A last event without its blank line counts if it is whole; half of one does not."""
        events: list[Event] = []
        if self._over:
            return events
        for frame in frames(self._frames.close()):
            try:
                self._frame(frame, events)
            except MalformedStream:
                break
        if not self._over:
            self._break_off(events)
        return events

    def whole(self, response: JsonObject) -> list[Event]:
        """All events of a response that came in one piece."""
        events: list[Event] = []
        self._end(response, events)
        return events

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        _, found, data = frame.partition(b"\ndata: ")
        if not found or data.find(b"\n") >= 0:
            data = payload(frame)
        if self._over:
            return
        if not data:
            self._stray(frame, events)
            return
        if data == DONE:
            return
        try:
            self._event(data, events)
        except MalformedStream:
            if b"\n" not in data:
                raise
            for line in filter(None, data.split(b"\n")):  # events that no blank line keeps apart
                self._event(line, events)

    def _event(self, data: bytes, events: list[Event]) -> None:
        event = read_event(data)
        if event is None or self._over:
            return
        if event.type in FAILURES or (event.error is not ABSENT and bytes(event.error) != b"null"):
            self._fail(self.read_error(json_object(msgspec.Raw(data))), events)
        elif (handle := _HANDLERS.get(event.type)) is not None:
            handle(self, event, events)

    def _stray(self, frame: bytes, events: list[Event]) -> None:
        """A frame without data: an error if it is a JSON object that says so (C.11)."""
        value = json_object(msgspec.Raw(frame)) if frame.lstrip().startswith(b"{") else {}
        if value.get("error"):
            self._fail(self.read_error(value), events)

    # --- the response ---------------------------------------------------------------------------

    def _created(self, event: WireEvent, events: list[Event]) -> None:
        self._start(json_object(event.response), events)

    def _start(self, response: JsonObject, events: list[Event]) -> None:
        if self._started or self._order:
            return
        self._started = True
        created = response.get("created_at")
        events.append(
            Start(
                _text(response, "id"),
                _text(response, "model"),
                int(created) if isinstance(created, int | float) else None,
            )
        )

    def _ended(self, event: WireEvent, events: list[Event]) -> None:
        self._end(json_object(event.response), events)

    def _end(self, response: JsonObject, events: list[Event]) -> None:
        self._start(response, events)
        self._hear_rest(response.get("output"), events)
        for heard in self._order:
            heard.end(events)
        if (usage := usage_of(response)) is not None:
            events.append(UsageUpdate(usage))
        calls = [heard for heard in self._order if isinstance(heard, HeardCall) and heard.emitted]
        reason = reason_of(
            _told(response),
            refused=self._hearing.refused,
            last_call=calls[-1].arguments if calls else None,
        )
        events.append(Finish(reason, _text(response, "stop_sequence")))
        events.append(End())
        self._over = True

    def _hear_rest(self, output: Any, events: list[Event]) -> None:
        """Items that only the last event has: any call, and of other kinds those never heard of."""
        known = {type(heard) for heard in self._order}
        for place, item in enumerate(output if isinstance(output, list) else ()):
            if not isinstance(item, dict):
                continue
            heard = self._find(place, item)
            if heard is None and (item.get("type") in _CALLS or _heard_as(item) not in known):
                heard = self._new(str(item.get("type", "")), place, item)
            if heard is not None:
                heard.done(item, events)

    def _find(self, place: int, item: JsonObject) -> Heard | None:
        kind = _heard_as(item)
        heard = self._by_id.get(_text(item, "id") or "")
        if isinstance(heard, kind):
            return heard
        call_id = item.get("call_id")
        if call_id:
            calls = (each for each in self._order if isinstance(each, HeardCall))
            return next((call for call in calls if call.call_id == call_id), None)
        heard = self._by_index.get(place)
        return heard if isinstance(heard, kind) else None

    def _fail(self, error: ErrorDetail, events: list[Event]) -> None:
        """What is open stays open: what is closed looks whole."""
        events += (StreamError(error), End())
        self._over = True

    def _break_off(self, events: list[Event]) -> None:
        for heard in self._order:
            heard.cut(events)
        events.append(End())
        self._over = True

    # --- items ----------------------------------------------------------------------------------

    def _added(self, event: WireEvent, events: list[Event]) -> None:
        item = json_object(event.item)
        kind = str(item.get("type", ""))
        self._end_thoughts(events)
        heard = self._new(kind, event.output_index, item)
        if isinstance(heard, HeardCall):
            heard.begin(item, events)
        elif isinstance(heard, HeardReasoning):
            heard.begin(item)

    def _done(self, event: WireEvent, events: list[Event]) -> None:
        item = json_object(event.item)
        kind = str(item.get("type", ""))
        heard = self._known(event.output_index, _text(item, "id"), _heard_as(item))
        newer = isinstance(heard, HeardServerTool) and heard.ended and heard.shows(item)
        if heard is None or newer:
            if _heard_as(item) is not HeardReasoning:
                self._end_thoughts(events)
            heard = self._new(kind, event.output_index, item)
        heard.done(item, events)

    def _new(self, kind: str, place: int | None, item: JsonObject) -> Heard:
        heard = new_heard(kind, self._hearing, len(self._order) if place is None else place)
        self._order.append(heard)
        if place is not None:
            self._by_index[place] = heard
        if (item_id := _text(item, "id")) is not None:
            self._by_id[item_id] = heard
        return heard

    def _known(self, place: int | None, item_id: str | None, kind: type[_Kind]) -> _Kind | None:
        """The item that an event is about: by its id, which some upstreams change, else by its place."""
        for heard in (
            self._by_id.get(item_id) if item_id else None,
            self._by_index.get(place) if place is not None else None,
        ):
            if isinstance(heard, kind):
                return heard
        return None

    def _of(self, event: WireEvent, kind: type[_Kind], word: str, events: list[Event]) -> _Kind:
        """The same; one that was never announced begins now."""
        named = self._by_id.get(event.item_id) if event.item_id else None
        if isinstance(named, kind):
            return named
        heard = self._known(event.output_index, event.item_id, kind)
        if heard is None:
            if kind is not HeardReasoning:
                self._end_thoughts(events)
            made = self._new(word, event.output_index, {"id": event.item_id} if event.item_id else {})
            assert isinstance(made, kind)
            heard = made
        return heard

    def _end_thoughts(self, events: list[Event]) -> None:
        """Thinking ends where something else begins, if the upstream does not say so before."""
        for heard in self._order:
            if isinstance(heard, HeardReasoning) and not heard.ended:
                heard.end(events)

    # --- what is heard of an item ---------------------------------------------------------------

    def _text_delta(self, event: WireEvent, events: list[Event]) -> None:
        if event.delta:
            heard = self._of(event, HeardMessage, "message", events)
            heard.say(event.content_index or 0, "text", event.delta, events)

    def _text_done(self, event: WireEvent, events: list[Event]) -> None:
        heard = self._of(event, HeardMessage, "message", events)
        heard.told(event.content_index or 0, "text", event.text or "", events)

    def _refusal_delta(self, event: WireEvent, events: list[Event]) -> None:
        if event.delta:
            heard = self._of(event, HeardMessage, "message", events)
            heard.say(event.content_index or 0, "refusal", event.delta, events)

    def _refusal_done(self, event: WireEvent, events: list[Event]) -> None:
        heard = self._of(event, HeardMessage, "message", events)
        heard.told(event.content_index or 0, "refusal", event.refusal or "", events)

    def _annotation(self, event: WireEvent, events: list[Event]) -> None:
        heard = self._of(event, HeardMessage, "message", events)
        heard.note(event.content_index or 0, json_object(event.annotation), events)

    def _part_done(self, event: WireEvent, events: list[Event]) -> None:
        heard = self._known(event.output_index, event.item_id, HeardMessage)
        if heard is not None and not heard.ended:
            heard.part_done(event.content_index or 0, json_object(event.part), events)

    def _summary_delta(self, event: WireEvent, events: list[Event]) -> None:
        if event.delta:
            heard = self._of(event, HeardReasoning, "reasoning", events)
            heard.say("summary", event.summary_index or 0, event.delta, events)

    def _summary_done(self, event: WireEvent, events: list[Event]) -> None:
        heard = self._of(event, HeardReasoning, "reasoning", events)
        heard.told("summary", event.summary_index or 0, event.text or "", events)

    def _thought_delta(self, event: WireEvent, events: list[Event]) -> None:
        if event.delta:
            heard = self._of(event, HeardReasoning, "reasoning", events)
            heard.say("content", event.content_index or 0, event.delta, events)

    def _function_delta(self, event: WireEvent, events: list[Event]) -> None:
        self._of(event, HeardCall, "function_call", events).say(event.delta or "", events)

    def _function_done(self, event: WireEvent, events: list[Event]) -> None:
        self._of(event, HeardCall, "function_call", events).told(event.arguments or "", events)

    def _custom_delta(self, event: WireEvent, events: list[Event]) -> None:
        self._of(event, HeardCall, "custom_tool_call", events).say(event.delta or "", events)

    def _custom_done(self, event: WireEvent, events: list[Event]) -> None:
        self._of(event, HeardCall, "custom_tool_call", events).told(event.input or "", events)

    def _partial_image(self, event: WireEvent, events: list[Event]) -> None:
        heard = self._of(event, HeardServerTool, "image_generation_call", events)
        heard.show(event.partial_image_b64 or "", event.output_format or "", events)


_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_HEARD_AS: Final[Mapping[Any, type[Heard]]] = {
    "message": HeardMessage,
    "reasoning": HeardReasoning,
    **dict.fromkeys(_CALLS, HeardCall),
}


def _heard_as(item: JsonObject) -> type[Heard]:
    return _HEARD_AS.get(str(item.get("type")), HeardServerTool)


def _text(holder: JsonObject, key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) and value else None


def _told(response: JsonObject) -> Told:
    details = response.get("incomplete_details")
    return Told(
        status=_text(response, "status"),
        reason=_text(details, "reason") if isinstance(details, dict) else None,
        stop_reason=_text(response, "stop_reason"),
        stop_sequence=_text(response, "stop_sequence"),
    )


_HANDLERS: Final[Mapping[str, Callable[[ResponsesStreamDecoder, WireEvent, list[Event]], None]]] = {
    "response.created": ResponsesStreamDecoder._created,
    "response.output_item.added": ResponsesStreamDecoder._added,
    "response.output_item.done": ResponsesStreamDecoder._done,
    "response.content_part.done": ResponsesStreamDecoder._part_done,
    "response.output_text.delta": ResponsesStreamDecoder._text_delta,
    "response.output_text.done": ResponsesStreamDecoder._text_done,
    "response.output_text.annotation.added": ResponsesStreamDecoder._annotation,
    "response.refusal.delta": ResponsesStreamDecoder._refusal_delta,
    "response.refusal.done": ResponsesStreamDecoder._refusal_done,
    "response.reasoning_summary_text.delta": ResponsesStreamDecoder._summary_delta,
    "response.reasoning_summary_text.done": ResponsesStreamDecoder._summary_done,
    "response.reasoning_text.delta": ResponsesStreamDecoder._thought_delta,
    "response.function_call_arguments.delta": ResponsesStreamDecoder._function_delta,
    "response.function_call_arguments.done": ResponsesStreamDecoder._function_done,
    "response.custom_tool_call_input.delta": ResponsesStreamDecoder._custom_delta,
    "response.custom_tool_call_input.done": ResponsesStreamDecoder._custom_done,
    "response.image_generation_call.partial_image": ResponsesStreamDecoder._partial_image,
    **dict.fromkeys(ENDS, ResponsesStreamDecoder._ended),
}
"""Events without an entry say nothing that the others do not."""
