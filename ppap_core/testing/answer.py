"""What a stub upstream answers: a healthy reply in bytes, or one that goes wrong in a chosen way."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypeAlias

import attrs

Frame: TypeAlias = bytes | asyncio.Event
"""Bytes that leave in a write of their own, or an event that is waited for at this place."""


class Opening(enum.Enum):
    """How an answer begins."""

    NORMAL = "normal"
    SILENT = "silent"
    """Nothing is ever sent."""
    HALF_HEAD = "half_head"
    """The head begins, and never ends."""
    GARBAGE = "garbage"
    """Bytes that are not HTTP, then the connection is closed."""
    CLOSED = "closed"
    """The connection is closed in good order, without a byte."""
    RESET = "reset"
    """The connection is reset, without a byte."""


class Ending(enum.Enum):
    """How an answer ends once all its frames are out."""

    COMPLETE = "complete"
    CLOSED = "closed"
    """The connection is closed in good order in the middle of the body."""
    RESET = "reset"
    """The connection is reset in the middle of the body."""
    STALLED = "stalled"
    """Nothing more is sent, and the connection stays open."""
    MALFORMED_CHUNK = "malformed_chunk"
    """A chunk that is none, then the connection is closed."""


class Framing(enum.Enum):
    """How a client learns where the body ends."""

    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"
    """The body ends with the connection."""


@attrs.frozen(kw_only=True)
class Answer:
    """One HTTP answer. Header names are sent as they are written here.

    ``frames`` is the body in pieces. With `Framing.LENGTH` all events of it are waited for all the
    same, after the head has left.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    frames: Sequence[Frame] = ()
    framing: Framing = Framing.LENGTH
    opening: Opening = Opening.NORMAL
    ending: Ending = Ending.COMPLETE
    before_head: asyncio.Event | None = None
    """The head leaves once this is set; ``None``: at once."""

    @property
    def size(self) -> int:
        """Of the body, in bytes."""
        return sum(len(frame) for frame in self.frames if isinstance(frame, bytes))

    def head(self) -> bytes:
        """Status line and headers, with those that `framing` calls for."""
        reason = HTTPStatus(self.status).phrase if self.status in _KNOWN_STATUSES else "Unnamed"
        lines = [f"HTTP/1.1 {self.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [line for line in (self._framing_header(),) if line]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _framing_header(self) -> str:
        return {
            Framing.LENGTH: f"Content-Length: {self.size}",
            Framing.CHUNKED: "Transfer-Encoding: chunked",
            Framing.CLOSE: "Connection: close",
        }[self.framing]


_KNOWN_STATUSES = frozenset(HTTPStatus)


def whole(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in one piece; JSON unless ``headers`` say otherwise."""
    return Answer(
        status=status, headers={"Content-Type": "application/json", **(headers or {})}, frames=(body,)
    )


def streamed(frames: Sequence[Frame], *, headers: Mapping[str, str] | None = None) -> Answer:
    """A chunked answer, one write for each frame; server-sent events unless ``headers`` say otherwise."""
    return Answer(
        headers={"Content-Type": "text/event-stream", **(headers or {})},
        frames=tuple(frames),
        framing=Framing.CHUNKED,
    )
