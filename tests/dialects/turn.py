"""What a stub's model answers, in no format's words, and what every dialect can do with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol, TypeAlias

import attrs

from ppap_core.testing import Answer, ReceivedRequest, streamed, whole

THOUGHT: Final = "The marker must be printed."
INPUT_TOKENS: Final = 120
CACHED_TOKENS: Final = 20
OUTPUT_TOKENS: Final = 30
MODEL: Final = "upstream-model"
CREATED: Final = 1_760_000_000
Ending: TypeAlias = Literal["stop", "length", "refusal", "stop_sequence"]


@attrs.frozen
class Call:
    """A tool call that the model makes."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Tokens:
    """What an answer cost. ``uncached``, ``cache_read`` and ``cache_write`` make up the input.

    ``reasoning`` is a part of ``output``. Formats leave out what they have no word for.
    """

    uncached: int = INPUT_TOKENS - CACHED_TOKENS
    cache_read: int = CACHED_TOKENS
    cache_write: int = 0
    output: int = OUTPUT_TOKENS
    reasoning: int = 0

    @property
    def input(self) -> int:
        return self.uncached + self.cache_read + self.cache_write

    @property
    def total(self) -> int:
        return self.input + self.output


@attrs.frozen(kw_only=True)
class Turn:
    """What the model answers: thinking, words and calls, each of them or none.

    With the ending ``refusal``, ``text`` is what it says for declining; with ``stop_sequence``,
    ``stopped_by`` is the sequence that it would have said next.
    """

    text: str = ""
    calls: Sequence[Call] = ()
    thought: str = ""
    ending: Ending = "stop"
    stopped_by: str = ""
    tokens: Tokens = Tokens()


class Dialect(Protocol):
    """One upstream kind."""

    name: str

    def streams(self, request: ReceivedRequest) -> bool:
        """Whether the request asks for a stream."""
        ...

    def frames(self, turn: Turn) -> list[bytes]:
        """The turn as a stream."""
        ...

    def whole(self, turn: Turn) -> bytes:
        """The turn as the body of a whole answer."""
        ...

    def tools(self, body: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """Names of the tools a request offers → JSON schema of their arguments."""
        ...

    def results(self, body: Mapping[str, Any]) -> list[str]:
        """The tool results that a request brings, as JSON text."""
        ...

    def error(self, status: int, message: str) -> bytes:
        """The body of an error answer."""
        ...

    def in_band_error(self, message: str, after: int = 0) -> bytes:
        """A frame that tells of a failure inside a stream, after so many others."""
        ...


def answer(dialect: Dialect, request: ReceivedRequest, turn: Turn) -> Answer:
    """The turn as a stream, or whole, as the request asks."""
    return streamed(dialect.frames(turn)) if dialect.streams(request) else whole(dialect.whole(turn))


def data_frame(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def event_frame(event: Mapping[str, Any]) -> bytes:
    return b"event: " + event["type"].encode() + b"\n" + data_frame(event)


def halves(text: str) -> list[str]:
    """The text in two pieces, without the empty ones."""
    return [half for half in (text[: len(text) // 2], text[len(text) // 2 :]) if half]
