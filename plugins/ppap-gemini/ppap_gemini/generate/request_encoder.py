"""Conversation → request for an upstream (Gemini spec, 3 to 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import attrs
import msgspec
import orjson

from ppap_core.conversation import (
    Conversation,
    Item,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from ppap_core.conversation.kept import Kept, text_of
from ppap_core.conversation.turns import Turn, paired, turns, with_reminders
from ppap_core.wire import EncodedRequest, NameMap, Target

from .arguments import arguments_object
from .generation import FIELD, generation_config
from .media import media_part
from .names import ToolNames
from .signatures import SKIP_VALIDATION, is_own_signature
from .tools import calling_config, names_of, tool_objects
from .vocabulary import NAME

_GENERATION: Final = re.compile(r"gemini-(\d+)")
_FIRST_WITH_IDS: Final = 3
"""Generation of models from which on calls have ids."""
_INSTRUCTING: Final = ("system", "developer")
NOBODY_SPOKE: Final[Mapping[str, Any]] = {"role": "user", "parts": [{"text": ""}]}
"""Goes before a conversation that the model begins; the only empty text that is ever sent."""

Fields = dict[str, Any]


def encode_request(conversation: Conversation, target: Target) -> EncodedRequest:
    """The body for `target`, which is also named in it, and the tool names to map back."""
    fields, names = request_fields(conversation, target)
    return EncodedRequest(msgspec.json.encode({**fields, "model": target.model}), names)


def request_fields(conversation: Conversation, target: Target) -> tuple[Fields, NameMap]:
    """The request proper, without a model."""
    names = names_of(conversation.tools)
    system, spoken = _split(conversation)
    contents = list(_contents(conversation, spoken, names, target))
    if not contents and system:
        contents, system = [{"role": "user", "parts": system}], []
    tools = tool_objects(conversation, names)
    own = {key: value for key, value in (conversation.extras.get(NAME) or {}).items() if key != FIELD}
    fields: Fields = {
        "contents": contents,
        "systemInstruction": {"role": "user", "parts": system} if system else None,
        "tools": tools or None,
        "toolConfig": calling_config(conversation, tools, names),
        "generationConfig": generation_config(conversation, target),
        **own,
    }
    return {key: value for key, value in fields.items() if value is not None}, names.back


def takes_ids(model: str) -> bool:
    """Whether a model's calls and results have ids: Gemini's since its third generation, and others."""
    generation = _GENERATION.search(model)
    return generation is None or int(generation.group(1)) >= _FIRST_WITH_IDS


def _split(conversation: Conversation) -> tuple[list[Fields], list[Item]]:
    """The system parts, one for each text, and what was said."""
    system: list[Fields] = []
    spoken: list[Item] = []
    for item in with_reminders(conversation.items):
        if isinstance(item, Message) and item.role in _INSTRUCTING:
            system += _shown(item.parts)
        else:
            spoken.append(item)
    return system, spoken


def _shown(parts: Sequence[Part]) -> list[Fields]:
    """The Gemini parts of a message; blank ones are left out."""
    return [written for part in parts if (written := _shown_part(part)) is not None]


def _shown_part(part: Part) -> Fields | None:
    if isinstance(part, Text | Refusal):
        return {"text": part.text} if part.text else None
    return media_part(part)


def _contents(
    conversation: Conversation, items: Sequence[Item], names: ToolNames, target: Target
) -> Iterator[Fields]:
    """Turns as the API wants them: the user first, results at once and in the order of their calls.

    A last turn of the model with a call is left out: nobody has answered it, and the API would answer
    nothing. So is a plain one that is not meant as the beginning of the answer, which it would be here.
    """
    complete = paired(items)
    calls = [item for item in complete if isinstance(item, ToolCall)]
    writer = _Writer(calls, names, takes_ids(target.model))
    written = [content for turn in turns(complete) for content in writer.contents(turn)]
    if written and written[-1]["role"] == "model":
        plain = not _calls(written[-1])
        if not plain or (len(written) > 1 and not conversation.prefills):
            written.pop()
    if written and written[0]["role"] == "model":
        yield dict(NOBODY_SPOKE)
    yield from written


def _calls(content: Fields) -> bool:
    return any("functionCall" in part for part in content["parts"])


class _Writer:
    def __init__(self, calls: Sequence[ToolCall], names: ToolNames, ids: bool) -> None:
        self._place = {call.call_id: place for place, call in enumerate(calls)}
        self._name = {call.call_id: call.name for call in calls}
        self._names = names
        self._ids = ids

    def contents(self, turn: Turn) -> Iterator[Fields]:
        if turn.role == "assistant":
            parts = self._model_parts(turn.items)
            if parts:
                yield {"role": "model", "parts": parts}
            return
        results = [item for item in turn.items if isinstance(item, ToolResult)]
        if results:
            ordered = sorted(results, key=lambda result: self._place.get(result.call_id, 0))
            yield {"role": "user", "parts": [part for result in ordered for part in self._response(result)]}
        said = [part for item in turn.items if isinstance(item, Message) for part in _shown(item.parts)]
        if said:
            yield {"role": "user", "parts": said}

    def _model_parts(self, items: Sequence[Item]) -> list[Fields]:
        """Thoughts, words and calls. A signature stands with what it was issued for (6; pain 23)."""
        signed = SignedParts(SKIP_VALIDATION)
        for item, following in zip_longest(items, items[1:]):
            match item:
                case Message():
                    for part in _shown(item.parts):
                        signed.shown(part)
                case Reasoning():
                    signature = item.signature if _is_ours(item) else None
                    signed.thought(item.text, signature, before_call=isinstance(following, ToolCall))
                case ToolCall():
                    signed.called(self._call(item))
                case _:
                    pass
        return signed.parts

    def _call(self, call: ToolCall) -> Fields:
        written: Fields = {"name": self._names.wire(call.name)}
        written["args"] = arguments_object(call.arguments, call.kind)
        return {**written, "id": call.call_id} if self._ids else written

    def _response(self, result: ToolResult) -> Iterator[Fields]:
        """The result, then its images: models take those from parts of their own."""
        name = self._name.get(result.call_id, result.call_id)
        key = "error" if result.is_error else "result"
        value, media = _result(result.kept)
        written: Fields = {"name": self._names.wire(name), "response": {key: value}}
        yield {"functionResponse": {**written, "id": result.call_id} if self._ids else written}
        yield from media


def _is_ours(item: Reasoning) -> bool:
    return item.origin in (NAME, None) and is_own_signature(item.signature)


@attrs.define
class SignedParts:
    """The parts of a model's turn, each signature on its own part.

    ``stand_in`` goes onto the first call of a turn if it has no signature, and onto images; further
    calls of the same turn need none. ``None``: there is no such need.
    """

    stand_in: str | None
    parts: list[Fields] = attrs.field(factory=list)
    _for_call: str | None = None
    _called: bool = False

    def shown(self, part: Fields) -> None:
        images = self.stand_in is not None and "inlineData" in part
        self.parts.append({**part, "thoughtSignature": self.stand_in} if images else part)

    def thought(self, text: str, signature: str | None, *, before_call: bool) -> None:
        """A signature directly before a call belongs to the call; one without text, to the last words."""
        if text:
            self.parts.append({"text": text, "thought": True})
        if signature is None:
            return
        if before_call:
            self._for_call = signature
        elif self.parts and "text" in self.parts[-1]:
            self.parts[-1] = {**self.parts[-1], "thoughtSignature": signature}

    def called(self, call: Fields) -> None:
        signature = self._for_call or (None if self._called else self.stand_in)
        self._for_call, self._called = None, True
        part: Fields = {"functionCall": call}
        self.parts.append({**part, "thoughtSignature": signature} if signature else part)


def _result(content: Kept | Sequence[Part]) -> tuple[Any, list[Fields]]:
    """The value of a result, and its images and documents."""
    if isinstance(content, msgspec.Raw):
        text = text_of(content)
        return (_value(text) if text.startswith(("{", "[")) else content), []
    if isinstance(content, str):
        return _value(content), []
    texts = [part.text for part in content if isinstance(part, Text | Refusal) and part.text]
    media = [part for each in content if not isinstance(each, Text) and (part := media_part(each))]
    if not texts:
        return "", media
    return (_value(texts[0]) if len(texts) == 1 else texts), media


def _value(text: str) -> Any:
    """Text that is a JSON object or list as such, so that it is not encoded twice; else the text."""
    if not text.startswith(("{", "[")):
        return text
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return msgspec.Raw(text.encode())
