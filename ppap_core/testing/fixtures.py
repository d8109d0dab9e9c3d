"""Cases of codecs as data: JSON files, with a notation for the objects of the canonical model.

    CASES = fixture_cases(Path(__file__).parent / "fixtures" / "stream_decode")

    @pytest.mark.parametrize("case", CASES.values(), ids=CASES)
    def test_a_stream_is_read(case):
        assert noted(PARROT_LINES.stream_decoder(NO_NAMES).feed(case["stream"].encode())) == case["events"]

An object is written as ``{"ClassName": {field: value, …}}``; a field left out has its default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from .. import conversation as canonical
from ..conversation import Conversation, Event, Reply
from ..wire import StreamDecoder, StreamEncoder
from .contract import ContractBroken

Case = dict[str, Any]
CLASSES: Final = {name: getattr(canonical, name) for name in canonical.__all__ if name[0].isupper()}


def fixture_cases(path: Path) -> dict[str, Case]:
    """The cases below `path`, by name: a folder of one file each, or the list in ``<path>.json``.

    In a list each case has its ``name``. Every case has a ``source``, which says where the fact that
    it states comes from. Raises `ValueError` for cases without one, for two of one name, and when
    there are none.
    """
    if path.is_dir():
        found = {file.stem: _loaded(file) for file in sorted(path.glob("*.json"))}
    else:
        listed = _loaded(path.with_suffix(".json"))
        found = {case["name"]: case for case in listed}
        if len(found) < len(listed):
            raise ValueError(f"{path}: two cases of one name")
    if not found:
        raise ValueError(f"no fixtures in {path}")
    if sourceless := [name for name, case in found.items() if not case.get("source")]:
        raise ValueError(f"{path}: no source: {', '.join(sourceless)}")
    return found


def _loaded(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def built(value: Any) -> Any:
    """The canonical object that a notation stands for."""
    if isinstance(value, list):
        return tuple(map(built, value))
    if not isinstance(value, dict):
        return value
    name = next(iter(value), None)
    if len(value) == 1 and name in CLASSES and isinstance(value[name], dict):
        return CLASSES[name](**{field: built(told) for field, told in value[name].items()})
    return {key: _plain(told) for key, told in value.items()}


def _plain(value: Any) -> Any:
    """A part of something's own JSON, such as a schema: lists stay lists."""
    return [_plain(each) for each in value] if isinstance(value, list) else built(value)


def noted(value: Any) -> Any:
    """The notation of a canonical object."""
    if isinstance(value, msgspec.Struct):
        fields = {field.name: field.default for field in msgspec.structs.fields(value)}
    elif attrs.has(type(value)):
        fields = {field.alias: _default(field) for field in attrs.fields(type(value))}
    elif isinstance(value, Mapping):
        return {key: noted(told) for key, told in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, str):
        return [noted(each) for each in value]
    else:
        return value
    told = {name: noted(getattr(value, name)) for name in fields}
    return {type(value).__name__: {k: v for k, v in told.items() if v != noted(fields[k])}}


def _default(field: attrs.Attribute[Any]) -> Any:
    factory = getattr(field.default, "factory", None)
    return field.default if factory is None else factory()


ABSENT: Final = "(absent)"
"""Stands in what is expected for a member that must not be there."""


def agrees(told: Any, expected: Any) -> bool:
    """Whether JSON has every member that is expected of it, and perhaps others besides; lists are whole."""
    if isinstance(expected, dict):
        return isinstance(told, dict) and all(
            key not in told if each == ABSENT else key in told and agrees(told[key], each)
            for key, each in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(told, list) and len(told) == len(expected) and all(map(agrees, told, expected))
    return bool(told == expected)


def conversation_of(fields: Mapping[str, Any]) -> Conversation:
    """A conversation with these fields, in the notation; asked in a format that no codec speaks."""
    asked: Conversation = built({"Conversation": {"model": "client-model", "format": "elsewhere", **fields}})
    return asked


def reply_of(fields: Mapping[str, Any], answer_id: str) -> Reply:
    """An answer with these fields, in the notation, as given in the first second of 1970."""
    reply: Reply = built({"Reply": {"id": answer_id, "created": 1, **fields}})
    return reply


def cuts(stream: bytes) -> Iterator[list[bytes]]:
    """The reads in which a stream may come: all at once, byte by byte, and in sevens."""
    for size in (len(stream) or 1, 1, 7):
        yield [stream[place : place + size] for place in range(0, len(stream), size)]


def events_however_cut(decoder: Callable[[], StreamDecoder], stream: bytes) -> Any:
    """What a stream says, in the notation; `ContractBroken` if that depends on where it is cut."""
    told = []
    for pieces in cuts(stream):
        reading = decoder()
        events: list[Event] = [event for piece in pieces for event in reading.feed(piece)]
        told.append(noted([*events, *reading.close()]))
    return _the_same(told, "cut into pieces, the stream means something else")


def stream_however_batched(encoder: Callable[[], StreamEncoder], events: Sequence[Event]) -> bytes:
    """The stream for some events; `ContractBroken` if that depends on how many come at a time."""
    written = []
    for size in (len(events), 1):
        writing = encoder()
        batches = [events[place : place + size] for place in range(0, len(events), size)]
        written.append(b"".join(map(writing.feed, batches)))
    stream: bytes = _the_same(written, "one by one, the events become another stream")
    return stream


def _the_same(results: Sequence[Any], broken: str) -> Any:
    first, *others = results
    for other in others:
        if other != first:
            raise ContractBroken(f"{broken}: {other!r} for {first!r}")
    return first
