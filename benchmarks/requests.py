"""The requests a load sends: bodies of an exact size in the two client formats, rendered once.

A small body is a plain question. From `AGENT_BYTES` on it looks like a coding agent's: tool
definitions, then many turns of tool calls with source code as results. From `PICTURE_BYTES` on it is
a question about one large picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import attrs
import orjson

from .answers import JSON_MODEL

Surface = Literal["chat", "messages"]

API_KEY: Final = "sk-bench"
AGENT_BYTES: Final = 50_000
PICTURE_BYTES: Final = 10_000_000

PATHS: Final[dict[Surface, str]] = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
HEADERS: Final[dict[Surface, str]] = {
    "chat": f"authorization: Bearer {API_KEY}",
    "messages": f"x-api-key: {API_KEY}\r\nanthropic-version: 2023-06-01",
}

_SYSTEM: Final = "You are a careful programmer. Answer in a few sentences and quote the lines you mean."
_TASK: Final = "The work queue sometimes loses an item under load.\nWhy, and what is the smallest change?"
UNUSUAL: Final = "naïve: no lock — yet"
"""The only characters of a body that are not ASCII."""
_CODE: Final = (
    "class Queue:\n"
    '    """First in, first out; `take` waits."""\n\n'
    "    def __init__(self, name: str) -> None:\n"
    "        self._items: list[str] = []\n"
    '        self._path = "/srv/queue/%s.json" % name\n\n'
    "    def put(self, item: str) -> None:\n"
    '        if item == "":\n'
    '            raise ValueError("an item cannot be empty")\n'
    f"        self._items.append(item)  # {UNUSUAL}\n\n"
) * 4
_PARAMETERS: Final = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "Path of the file, relative to the root of the project."},
        "first": {"type": "integer", "description": "Number of the first line to give, counted from 1."},
        "last": {"type": "integer", "description": "Number of the last line to give; the end when left out."},
    },
    "required": ["path"],
}
_DESCRIPTION: Final = "Gives lines of a text file. Long lines are cut; other files are refused. " * 8
_TOOLS: Final = tuple(f"read_file_{number}" for number in range(16))

Build = Callable[[int, str], dict[str, Any]]
"""Number of tool round trips and a padding text → the body."""


@attrs.frozen
class RoundTrip:
    """One tool call by the assistant and its result; `number` makes it unlike the others."""

    number: int

    @property
    def call_id(self) -> str:
        return f"call_{self.number:08d}"

    @property
    def arguments(self) -> dict[str, object]:
        return {"path": f"src/queue_{self.number:08d}.py", "first": 1}


def render(surface: Surface, model: str, size: int, host: str) -> bytes:
    """A whole HTTP/1.1 request to `host` with a body of exactly `size` bytes.

    Raises ValueError when `size` is smaller than the parts every body has.
    """
    body = body_of(surface, model, size)
    head = (
        f"POST {PATHS[surface]} HTTP/1.1\r\n"
        f"host: {host}\r\n"
        f"{HEADERS[surface]}\r\n"
        "content-type: application/json\r\n"
        "accept: */*\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def body_of(surface: Surface, model: str, size: int) -> bytes:
    """The JSON body alone. Raises ValueError as `render` does."""
    conversation = _PICTURES[surface] if size >= PICTURE_BYTES else _CONVERSATIONS[surface]
    tools = {"tools": _TOOL_LISTS[surface]} if AGENT_BYTES <= size < PICTURE_BYTES else {}
    stream = {} if model == JSON_MODEL else {"stream": True}
    return _fitted(lambda turns, pad: {"model": model, **conversation(turns, pad), **tools, **stream}, size)


def _fitted(build: Build, size: int) -> bytes:
    """As many tool round trips as there is room for, if any are wanted, then padding up to the size."""
    empty = len(orjson.dumps(build(0, "")))
    each = len(orjson.dumps(build(1, ""))) - empty
    turns = (size - empty) // each if each and size >= AGENT_BYTES else 0
    missing = size - len(orjson.dumps(build(turns, "")))
    if missing < 0:
        raise ValueError(f"a body of {size} bytes is {-missing} bytes short of its fixed parts")
    return orjson.dumps(build(turns, "A" * missing))


def _chat(turns: int, padding: str) -> dict[str, Any]:
    system, task = {"role": "system", "content": _SYSTEM}, {"role": "user", "content": _TASK}
    messages: list[dict[str, Any]] = [system, task]
    for turn in map(RoundTrip, range(turns)):
        function = {"name": _TOOLS[0], "arguments": orjson.dumps(turn.arguments).decode()}
        call = {"id": turn.call_id, "type": "function", "function": function}
        messages.append({"role": "assistant", "content": "Reading on.", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": turn.call_id, "content": _CODE})
    messages.append({"role": "user", "content": "Go on. " + padding})
    return {"messages": messages}


def _messages(turns: int, padding: str) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": _TASK}]
    for turn in map(RoundTrip, range(turns)):
        call = {"type": "tool_use", "id": turn.call_id, "name": _TOOLS[0], "input": turn.arguments}
        result = {"type": "tool_result", "tool_use_id": turn.call_id, "content": _CODE}
        messages.append({"role": "assistant", "content": [{"type": "text", "text": "Reading on."}, call]})
        messages.append({"role": "user", "content": [result]})
    messages.append({"role": "user", "content": "Go on. " + padding})
    return {"max_tokens": 1024, "system": _SYSTEM, "messages": messages}


def _chat_picture(turns: int, padding: str) -> dict[str, Any]:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + padding}}
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": _TASK}, picture]}]}


def _messages_picture(turns: int, padding: str) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": padding}
    content = [{"type": "text", "text": _TASK}, {"type": "image", "source": source}]
    return {"max_tokens": 1024, "messages": [{"role": "user", "content": content}]}


_CONVERSATIONS: Final[dict[Surface, Build]] = {"chat": _chat, "messages": _messages}
_PICTURES: Final[dict[Surface, Build]] = {"chat": _chat_picture, "messages": _messages_picture}
_TOOL_LISTS: Final[dict[Surface, list[dict[str, Any]]]] = {
    "chat": [
        {
            "type": "function",
            "function": {"name": name, "description": _DESCRIPTION, "parameters": _PARAMETERS},
        }
        for name in _TOOLS
    ],
    "messages": [{"name": name, "description": _DESCRIPTION, "input_schema": _PARAMETERS} for name in _TOOLS],
}
