"""A provider that needs no account and no network: it answers at once, from what it was asked.

It is also the whole of a plugin: settings, a credential, a model, and a provider without a wire
format, which is handed the conversation and yields events. Every client format can ask it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ppap_core import hookimpl
from ppap_core.config import Config, setting
from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    Event,
    Finish,
    Item,
    ItemEnd,
    ItemStart,
    Message,
    Start,
    Text,
    Tool,
    ToolResult,
    Usage,
    UsageUpdate,
)
from ppap_core.credentials import Credential
from ppap_core.exchange import CountCall, Failure, Verdict, by_status
from ppap_core.models import Model
from ppap_core.proxy import Proxy
from ppap_core.wire import Target

NAME = "demo"


@attrs.frozen(kw_only=True)
class DemoSettings:
    """An offline model to try clients with."""

    enabled: bool = setting("Whether the model is served.", default=True)
    model: str = setting("What clients call the model.", default="demo")


class Demo:
    """Repeats what the user said, thinks aloud when asked to, and calls a tool that is named first."""

    name = NAME

    async def generate(
        self, conversation: Conversation, credential: Credential, target: Target
    ) -> AsyncIterator[Event]:
        yield Start(model=target.model)
        spoken = 0
        for event in self._answer(conversation):
            spoken += isinstance(event, Delta)
            yield event
        yield UsageUpdate(Usage(input_total=_count(conversation), output_total=spoken))
        yield End()

    async def count_tokens(self, call: CountCall) -> int:
        return _count(call.conversation)

    def classify(self, failure: Failure) -> Verdict:
        return by_status(failure)

    def _answer(self, conversation: Conversation) -> Iterator[Event]:
        if conversation.thinking.mode not in ("unset", "none"):
            yield from _item("thoughts", "reasoning", "I shall repeat what I was told.")
        said = _last_words(conversation)
        wanted = [tool for tool in conversation.tools if _is_wanted(tool, conversation)]
        if not wanted:
            yield from _item("words", "text", said)
            yield Finish("stop")
            return
        for number, tool in enumerate(wanted):
            call_id = f"call_demo_{number}"
            yield ItemStart(call_id, "tool_call", call_id=call_id, name=tool.name)
            yield Delta(call_id, "tool_call", json.dumps(example_of(tool.schema or {})))
            yield ItemEnd(call_id)
        yield Finish("tool_calls")


def _item(key: str, kind: Any, text: str) -> Iterator[Event]:
    yield ItemStart(key, kind)
    for word in _words(text):
        yield Delta(key, kind, word)
    yield ItemEnd(key)


def _words(text: str) -> list[str]:
    """Words with the blank before them, so that joining them gives the text back."""
    return [f" {word}" if index else word for index, word in enumerate(text.split(" "))]


def _count(conversation: Conversation) -> int:
    """Words: good enough for a model that does not exist."""
    return sum(len(_words(text)) for text in _texts(conversation))


def _texts(conversation: Conversation) -> Iterator[str]:
    for item in conversation.items:
        if isinstance(item, Message):
            yield from (part.text for part in item.parts if isinstance(part, Text))
        elif isinstance(item, ToolResult):
            yield item.content if isinstance(item.content, str) else _joined(item.content)


def _joined(parts: Sequence[Any]) -> str:
    return " ".join(part.text for part in parts if isinstance(part, Text))


def _last(conversation: Conversation) -> Item | None:
    return conversation.items[-1] if conversation.items else None


def _last_words(conversation: Conversation) -> str:
    last = _last(conversation)
    if isinstance(last, ToolResult):
        content = last.content if isinstance(last.content, str) else _joined(last.content)
        return f"The tool answered: {content}"
    asked = _asked(conversation)
    return f"You said: {asked}" if asked else "You said nothing."


def _asked(conversation: Conversation) -> str:
    """The user's last words, without what client programs add to them."""
    said = [
        part.text
        for item in conversation.items
        if isinstance(item, Message) and item.role == "user"
        for part in item.parts
        if isinstance(part, Text) and not part.text.lstrip().startswith("<")
    ]
    return said[-1] if said else ""


def _is_wanted(tool: Tool, conversation: Conversation) -> bool:
    """A tool is called when the choice forces it, or the user's last words begin with its name."""
    if tool.kind != "function" or isinstance(_last(conversation), ToolResult):
        return False
    choice = conversation.tool_choice
    forced = choice.mode == "required" or (choice.mode == "named" and choice.name == tool.name)
    named = _asked(conversation).lower().startswith(tool.name.lower())
    return choice.mode != "none" and (forced or named)


EXAMPLES: Mapping[str, Any] = {
    "string": "demo",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "null": None,
}


def example_of(schema: Mapping[str, Any]) -> Any:
    """A value that fits a simple JSON schema: required properties only, first of an enum."""
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind != "object":
        return EXAMPLES.get(kind if isinstance(kind, str) else kind[0])
    properties = schema.get("properties", {})
    return {name: example_of(properties.get(name, {})) for name in schema.get("required", ())}


@hookimpl
def ppap_config_sections() -> Mapping[str, Any]:
    return {"demo": DemoSettings}


@hookimpl
def ppap_providers(proxy: Proxy) -> Sequence[Demo]:
    return [Demo()]


@hookimpl
def ppap_credentials(config: Config) -> Sequence[Credential]:
    settings: DemoSettings = config["demo"]
    if not settings.enabled:
        return []
    return [Credential(id=NAME, provider=NAME, label=NAME, settings=settings)]


@hookimpl
def ppap_models(credential: Credential) -> Sequence[Model] | None:
    if credential.provider != NAME:
        return None
    model = credential.settings.model
    return [Model(id=model, upstream=[NAME], owner="ppap", display_name="Offline demo")]
