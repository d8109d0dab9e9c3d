"""The rules that conformance suites check, and what it means to break one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import attrs

from ..conversation import (
    FINISH_REASONS,
    Delta,
    End,
    Event,
    Finish,
    ItemEnd,
    ItemKey,
    ItemKind,
    ItemMeta,
    ItemStart,
    Start,
    StreamError,
)

Outcome_co = TypeVar("Outcome_co", covariant=True)


class ContractBroken(AssertionError):
    """The object under test does not keep a rule; the message says which one, and how."""


def require(kept: bool, broken: str) -> None:
    """Raises `ContractBroken` with the message `broken` unless `kept`."""
    if not kept:
        raise ContractBroken(broken)


@attrs.frozen
class Check(Generic[Outcome_co]):
    """One rule for one sample. Called, it raises `ContractBroken` or returns; its `str` is its name."""

    name: str
    run: Callable[[], Outcome_co] = attrs.field(repr=False)

    def __call__(self) -> Outcome_co:
        return self.run()

    def __str__(self) -> str:
        return self.name


@attrs.define
class _Stream:
    """What was seen of a stream so far."""

    open: dict[ItemKey, ItemStart] = attrs.field(factory=dict)
    ended: set[ItemKey] = attrs.field(factory=set)
    finished: set[int] = attrs.field(factory=set)
    started: bool = False
    failed: bool = False
    over: bool = False


def check_events(events: Iterable[Event]) -> None:
    """The order that every stream of events keeps. Raises `ContractBroken`.

    One `Start` at most, before the first item; each item is started once and ended once, and its
    deltas and metas lie between; a choice has one `Finish` at most, after the end of its items;
    nothing but `End` follows a `StreamError`, which may leave items open; `End` comes once, last.
    """
    seen = _Stream()
    for number, event in enumerate(events):
        where = f"event {number}, {event!r}: "
        require(not seen.over, where + "comes after End")
        require(not seen.failed or isinstance(event, End), where + "comes after StreamError")
        _check_event(event, seen, where)
    require(seen.over, "the events do not end with End")


def _check_event(event: Event, seen: _Stream, where: str) -> None:
    match event:
        case Start():
            require(not seen.started, where + "a second Start")
            require(not seen.open and not seen.ended, where + "Start comes after an item")
            seen.started = True
        case ItemStart(key=key):
            require(key not in seen.open and key not in seen.ended, where + "this key was used before")
            require(event.choice not in seen.finished, where + "its choice has finished")
            if event.kind == "tool_call":
                require(bool(event.name), where + "a tool call starts without its name")
                require(bool(event.call_id), where + "a tool call starts without its id")
            seen.open[key] = event
        case Delta(key=key):
            require(key in seen.open, where + "its item is not open")
            require(bool(event.text), where + "an empty delta")
            require(seen.open[key].kind == event.kind, where + "its item is of another kind")
        case ItemMeta(key=key):
            require(key in seen.open, where + "its item is not open")
        case ItemEnd(key=key):
            require(key in seen.open, where + "its item is not open")
            del seen.open[key]
            seen.ended.add(key)
        case Finish():
            _check_finish(event, seen, where)
        case StreamError():
            seen.failed = True
        case End():
            require(not seen.open or seen.failed, where + f"items are open: {sorted(map(str, seen.open))}")
            seen.over = True


def _check_finish(event: Finish, seen: _Stream, where: str) -> None:
    require(event.reason in FINISH_REASONS, where + "no canonical finish reason")
    require(event.choice not in seen.finished, where + "a second Finish of this choice")
    still = [key for key, item in seen.open.items() if item.choice == event.choice]
    require(not still, where + f"items of its choice are open: {still}")
    seen.finished.add(event.choice)


@attrs.define
class SpokenCall:
    """A tool call as it was told; ``arguments`` is the raw text."""

    name: str
    arguments: str = ""


@attrs.define
class Spoken:
    """What the first choice of an answer says, however it is cut into events."""

    text: str = ""
    """Text and refusals, in the order they were told."""
    reasoning: str = ""
    calls: dict[ItemKey, SpokenCall] = attrs.field(factory=dict)
    finish: Finish | None = None
    error: StreamError | None = None


_SAID: tuple[ItemKind, ...] = ("text", "refusal")


def spoken(events: Sequence[Event]) -> Spoken:
    """The words, calls and end of the first choice."""
    told = Spoken()
    mine: set[ItemKey] = set()
    for event in events:
        match event:
            case ItemStart(choice=0, key=key, name=name):
                mine.add(key)
                if event.kind == "tool_call":
                    told.calls[key] = SpokenCall(name or "")
            case Delta(key=key, kind=kind, text=text) if key in mine:
                if kind in _SAID:
                    told.text += text
                elif kind == "reasoning":
                    told.reasoning += text
                elif kind == "tool_call":
                    told.calls[key].arguments += text
            case Finish(choice=0):
                told.finish = event
            case StreamError():
                told.error = event
    return told
