"""A streamed answer as a list of events (translation spec, A.4).

Contract: `Start` comes at most once, before any item. Every `ItemStart` has exactly one `ItemEnd`,
unless a `StreamError` cuts in; keys are never used again. Deltas carry the key of their item, so
interleaved parallel calls never mix. `Finish` comes at most once per choice, after its items ended;
`UsageUpdate` any number of times, also after `Finish`; `End` comes once, last. An `End` without a
`Finish` means that the upstream stopped in the middle.

Events are msgspec structs, not attrs classes: one is made per token, and these are built in C and
left alone by the garbage collector.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from .reply import ErrorDetail, FinishReason
from .request import Image, ToolKind, WebSearch
from .usage import Usage

ItemKey: TypeAlias = int | str
ItemKind: TypeAlias = Literal["text", "refusal", "reasoning", "tool_call", "server_tool"]


class Start(msgspec.Struct, frozen=True, gc=False):
    """The answer begins. ``created`` is in Unix seconds; ``None``: the upstream did not say."""

    id: str | None = None
    model: str | None = None
    created: int | None = None


class ItemStart(msgspec.Struct, frozen=True, gc=False):
    """An item opens. ``call_id``, ``name`` and ``tool_kind`` belong to ``tool_call``.

    A decoder waits until it knows the name of a call, or makes one up at its end (C.8).
    """

    key: ItemKey
    kind: ItemKind
    call_id: str | None = None
    name: str | None = None
    tool_kind: ToolKind = "function"
    choice: int = 0


class Delta(msgspec.Struct, frozen=True, gc=False):
    """More text of an open item: words, thinking, or raw argument text. Never empty."""

    key: ItemKey
    kind: ItemKind
    text: str


class ItemMeta(msgspec.Struct, frozen=True):
    """What is learnt about an open item besides its text.

    ``origin`` is the wire format that issued ``signature`` or ``redacted_data``.
    ``segment`` is true where a new segment of reasoning begins in the same item.
    ``native`` is a server tool's item as the upstream wrote it, for the same format only; ``image``
    is the picture that it made, or a newer state of it, ``search`` the search that it was, for
    formats that show one.
    """

    key: ItemKey
    signature: str | None = None
    redacted_data: str | None = None
    origin: str | None = None
    annotation: Mapping[str, Any] | None = None
    segment: bool = False
    native: Mapping[str, Any] | None = None
    image: Image | None = None
    search: WebSearch | None = None


class ItemEnd(msgspec.Struct, frozen=True, gc=False):
    key: ItemKey


class UsageUpdate(msgspec.Struct, frozen=True):
    """Usage so far, cumulative: the last one of a stream counts, laid over the earlier ones."""

    usage: Usage


class Finish(msgspec.Struct, frozen=True, gc=False):
    reason: FinishReason
    stop_sequence: str | None = None
    choice: int = 0


class Ping(msgspec.Struct, frozen=True, gc=False):
    """The upstream is alive and has nothing to say."""


class StreamError(msgspec.Struct, frozen=True):
    """The upstream reported a failure inside the stream; nothing but `End` follows."""

    error: ErrorDetail


class End(msgspec.Struct, frozen=True, gc=False):
    """The upstream said that it is done, or closed the stream."""


Event: TypeAlias = (
    Start | ItemStart | Delta | ItemMeta | ItemEnd | UsageUpdate | Finish | Ping | StreamError | End
)
