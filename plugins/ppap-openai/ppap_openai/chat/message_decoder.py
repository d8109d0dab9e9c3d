"""Messages of a chat request → items (translation spec, A.2.1, A.2.4, C.2–C.4)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from ppap_core.conversation import (
    CacheControl,
    Image,
    Item,
    Message,
    OpaquePart,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from ppap_core.conversation.kept import Kept, kept
from ppap_core.errors import InvalidRequest

from .content import cache_of, read_part
from .said import text_of
from .signed_calls import thought_before

_NULL: Final = msgspec.Raw(b"null")


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: Any = None


class _Custom(msgspec.Struct, gc=False):
    name: str | None = None
    input: str | None = None


class _Call(msgspec.Struct, gc=False):
    id: str | None = None
    function: _Function | None = None
    custom: _Custom | None = None
    cache_control: Any = None
    extra_content: Any = None


class WireMessage(msgspec.Struct, gc=False):
    role: str
    content: msgspec.Raw = _NULL
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None
    tool_call_id: str | None = None
    call_id: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    cache_control: Any = None


class _OpenCalls:
    """Calls that wait for a result. The oldest one of an id, of a name, or of all, in no time."""

    def __init__(self) -> None:
        self._open: dict[int, ToolCall] = {}
        self._numbers = count()
        self._all: deque[int] = deque()
        self._by_id: defaultdict[str, deque[int]] = defaultdict(deque)
        self._by_name: defaultdict[str, deque[int]] = defaultdict(deque)

    def add(self, call: ToolCall) -> None:
        number = next(self._numbers)
        self._open[number] = call
        self._all.append(number)
        self._by_id[call.call_id].append(number)
        self._by_name[call.name].append(number)

    def take(self) -> ToolCall | None:
        return self._first(self._all)

    def take_id(self, call_id: str) -> ToolCall | None:
        return self._first(self._by_id.get(call_id))

    def take_name(self, name: str | None) -> ToolCall | None:
        return self._first(None if name is None else self._by_name.get(name))

    def _first(self, numbers: deque[int] | None) -> ToolCall | None:
        """What was taken by another way is still in the queues, and is passed over."""
        while numbers:
            call = self._open.pop(numbers.popleft(), None)
            if call is not None:
                return call
        return None


class MessageReader:
    """Reads one request's messages in order; remembers which calls still wait for a result."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._open = _OpenCalls()

    def read(self, place: int, message: WireMessage) -> list[Item]:
        """The items of the message at `place`. Raises `InvalidRequest`."""
        read = _READERS.get(message.role)
        if read is None:
            raise InvalidRequest(
                f"Invalid request: `messages[{place}].role` must be one of {', '.join(_READERS)}",
                param=f"messages[{place}].role",
            )
        return read(self, place, message)

    def _system(self, place: int, message: WireMessage) -> list[Item]:
        return self._message("system", place, message)

    def _developer(self, place: int, message: WireMessage) -> list[Item]:
        return self._message("developer", place, message)

    def _user(self, place: int, message: WireMessage) -> list[Item]:
        return self._message("user", place, message)

    def _message(self, role: Role, place: int, message: WireMessage) -> list[Item]:
        parts = _parts(message.content, place)
        if not parts:
            return []
        return [
            Message(role=role, parts=parts, name=message.name, cache=cache_of(message.cache_control)),
        ]

    def _assistant(self, place: int, message: WireMessage) -> list[Item]:
        items: list[Item] = []
        if thought := text_of(message.reasoning_content) or text_of(message.reasoning):
            items.append(Reasoning(segments=(thought,)))
        parts = _parts(message.content, place)
        if message.refusal:
            parts = (*parts, Refusal(message.refusal))
        if parts:
            items.append(Message(role="assistant", parts=parts, name=message.name))
        if message.tool_calls or message.function_call:
            items += self._calls(place, message)
        if items and (cache := cache_of(message.cache_control)) is not None:
            items[-1] = _with_cache(items[-1], cache)
        return items

    def _calls(self, place: int, message: WireMessage) -> list[Item]:
        told = message.tool_calls or []
        if not told and message.function_call is not None:
            told = [_Call(function=message.function_call)]
        calls = [self._call(place, number, call) for number, call in enumerate(told)]
        items: list[Item] = []
        for call, fields in zip(calls, told, strict=True):
            self._open.add(call)
            thought = thought_before(fields.extra_content)
            items += [call] if thought is None else [thought, call]
        return items

    def _call(self, place: int, number: int, call: _Call) -> ToolCall:
        """Ids are the client's own; a missing one is made up, as the result's will be (C.2)."""
        call_id = call.id or f"call_missing_{place}_{number}"
        while not call.id and call_id in self._ids:
            call_id += "_"
        self._ids.add(call_id)
        cache = cache_of(call.cache_control)
        if call.custom is not None:
            name, text = call.custom.name or "", call.custom.input or ""
            return ToolCall(call_id=call_id, name=name, arguments=text, kind="custom", cache=cache)
        told = call.function or _Function()
        arguments = told.arguments
        if arguments is None or isinstance(arguments, str):
            text = arguments or ""
        else:
            text = msgspec.json.encode(arguments).decode()
        return ToolCall(call_id=call_id, name=told.name or "", arguments=text, cache=cache)

    def _tool(self, place: int, message: WireMessage) -> list[Item]:
        call_id = message.tool_call_id or message.call_id
        call = self._open.take_id(call_id) if call_id else self._open.take()
        return [self._result(call, call_id or "", place, message)]

    def _function(self, place: int, message: WireMessage) -> list[Item]:
        """The legacy result names its function only."""
        call = self._open.take_name(message.name)
        return [self._result(call, "", place, message)]

    def _result(self, call: ToolCall | None, call_id: str, place: int, message: WireMessage) -> ToolResult:
        return ToolResult(
            call_id=call.call_id if call else call_id,
            content=_result_content(message.content, place),
            kind=call.kind if call else "function",
            cache=cache_of(message.cache_control),
        )


_Reader: TypeAlias = Callable[[MessageReader, int, WireMessage], list[Item]]
_READERS: Final[Mapping[str, _Reader]] = {
    "system": MessageReader._system,
    "developer": MessageReader._developer,
    "user": MessageReader._user,
    "assistant": MessageReader._assistant,
    "tool": MessageReader._tool,
    "function": MessageReader._function,
}


def _parts(raw: msgspec.Raw, place: int) -> tuple[Part, ...]:
    """Empty texts say nothing, and some upstreams refuse them."""
    return _parts_of(msgspec.json.decode(raw), place)


def _parts_of(content: Any, place: int) -> tuple[Part, ...]:
    if content is None or content == "":
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if isinstance(content, list):
        parts = map(read_part, content)
        return tuple(part for part in parts if not (isinstance(part, Text) and not part.text))
    raise InvalidRequest(
        f"Invalid request: `messages[{place}].content` must be a string, a list of parts, or null",
        param=f"messages[{place}].content",
    )


def _result_content(raw: msgspec.Raw, place: int) -> Kept | tuple[Part, ...]:
    """A result's text or parts; a list in which nothing is known to us stays JSON text (C.3).

    Some clients send a list of parts as JSON text; that is unwrapped if an image is among them.
    """
    if bytes(memoryview(raw)[:1]) == b'"':
        return _unwrapped(raw, place) or kept(raw)
    content = msgspec.json.decode(raw)
    if isinstance(content, dict):
        return msgspec.json.encode(content).decode()
    parts = _parts_of(content, place)
    if content is None:
        return ""
    if parts and all(isinstance(part, OpaquePart) for part in parts):
        return msgspec.json.encode(content).decode()
    return parts


def _unwrapped(raw: msgspec.Raw, place: int) -> tuple[Part, ...]:
    """The parts that a text lists; none if it is any other text, or shows no image."""
    if bytes(memoryview(raw)[:2]) != b'"[' or b"image_url" not in bytes(raw):
        return ()
    try:
        parts = _parts_of(msgspec.json.decode(msgspec.json.decode(raw)), place)
    except (msgspec.DecodeError, InvalidRequest, UnicodeDecodeError, RecursionError):
        return ()
    return parts if any(isinstance(part, Image) for part in parts) else ()


def _with_cache(item: Item, cache: CacheControl) -> Item:
    """A breakpoint on the message belongs to what it ends with, unless that has its own."""
    if isinstance(item, Message | ToolCall) and item.cache is None:
        return attrs.evolve(item, cache=cache)
    return item
