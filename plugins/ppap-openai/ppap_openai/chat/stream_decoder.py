"""An upstream's chat stream → events (translation spec, B.1.5, C.11)."""

from __future__ import annotations

from ppap_core.conversation import End, ErrorDetail, Event, Start, StreamError, UsageUpdate
from ppap_core.errors import MalformedStream
from ppap_core.wire import NameMap
from ppap_core.wire.sse import FrameSplitter, frames, plain_payloads

from .errors import ENDED_IN_ERROR
from .finish import FAILED
from .frames import Done, Failed, content_of, plain_chunk
from .said import WireAnswer, WireChoice
from .stream_choice import ChoiceState
from .usage import read_usage


class ChatStreamDecoder:
    """A `StreamDecoder`: the state of one upstream stream."""

    def __init__(self, names: NameMap) -> None:
        self._frames = FrameSplitter()
        self._names = names
        self._choices: dict[int, ChoiceState] = {}
        self._id: str | None = None
        self._started = False
        self._ended = False

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        if not self._ended and (block := self._frames.feed(data)):
            self._read(block, events)
        return events

    def close(self) -> list[Event]:
        events: list[Event] = []
        if self._ended:
            return events
        try:
            self._read(self._frames.close(), events)
        except MalformedStream:
            pass  # a frame that was cut off says nothing
        self._end(events)
        return events

    def _read(self, block: bytes, events: list[Event]) -> None:
        plain = plain_payloads(block)
        if plain is None:
            for frame in frames(block):
                self._frame(frame, events)
            return
        for data in plain:
            chunk = plain_chunk(data)
            if chunk is None:
                self._frame(b"data: " + data, events)
            elif not self._ended:
                self._chunk(chunk, events)

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        for content in content_of(frame):
            if self._ended:
                return
            if type(content) is WireAnswer:
                self._chunk(content, events)
            elif type(content) is Failed:
                self._fail(content.error, events)
            elif type(content) is Done:
                self._done(events)

    def _chunk(self, chunk: WireAnswer, events: list[Event]) -> None:
        if chunk.choices:
            if not self._started:
                self._started = True
                self._id = chunk.id or None
                events.append(Start(self._id, chunk.model or None, chunk.created or None))
            for choice in chunk.choices:
                self._choice(choice, events)
        if chunk.usage is not None and not self._ended and (usage := read_usage(chunk.usage)) is not None:
            events.append(UsageUpdate(usage))

    def _choice(self, choice: WireChoice, events: list[Event]) -> None:
        number = choice.index or 0
        state = self._choices.get(number)
        if state is None:
            state = self._choices[number] = ChoiceState(number, self._names, self._id)
        if state.finished or self._ended:
            return
        delta = choice.delta
        if delta is not None:
            state.hear(delta, events)
        elif choice.message is not None and not state.spoke:
            state.hear(choice.message, events)  # an upstream that streams in one piece
        if choice.finish_reason:
            if choice.finish_reason == FAILED:
                self._fail(ENDED_IN_ERROR, events)
            else:
                state.finish(choice.finish_reason, events)

    def _done(self, events: list[Event]) -> None:
        """The end, told by the upstream: who said something whole has finished, even without a reason."""
        for state in self._choices.values():
            if not state.finished and state.whole:
                state.finish("", events)
        self._end(events)

    def _fail(self, error: ErrorDetail, events: list[Event]) -> None:
        """What is open stays open: what is closed looks whole."""
        self._silence([])
        events.append(StreamError(error))
        self._end(events)

    def _end(self, events: list[Event]) -> None:
        if not self._ended:
            self._silence(events)
            events.append(End())
            self._ended = True

    def _silence(self, events: list[Event]) -> None:
        for state in self._choices.values():
            state.cut(events)
