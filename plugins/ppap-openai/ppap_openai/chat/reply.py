"""A whole chat reply, read and written (translation spec, B.1.2, B.1.5, A.2.6)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from ppap_core.conversation import (
    Conversation,
    Image,
    Item,
    Message,
    Part,
    Reasoning,
    Refusal,
    Reply,
    ServerToolItem,
    Text,
    ToolCall,
)
from ppap_core.errors import MalformedReply, UpstreamFault
from ppap_core.wire import NameMap

from .annotations import read_annotation, write_annotation
from .call_ids import made_up_id
from .content import image_of_url, url_of_image
from .errors import ENDED_IN_ERROR, read_in_band
from .finish import FAILED, WORDS, reason_of, settled
from .name import FORMAT
from .said import (
    Said,
    WireAnswer,
    WireCall,
    WireChoice,
    content_calls,
    content_pieces,
    decode_answer,
    text_of,
)
from .signed_calls import calls_with_signatures, extra_content, thought_before
from .tool_names import free_text_names, free_text_of, unwrapped
from .usage import read_usage, write_usage


def read_answer(body: bytes) -> WireAnswer:
    """The body of a 200. Raises `UpstreamFault` if it tells an error, `MalformedReply` if it is no reply."""
    try:
        answer = decode_answer(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = None
    if answer is None:
        raise MalformedReply(f"openai-chat: the upstream's answer of {len(body)} bytes is not a JSON object")
    if answer.error or (answer.object == "error" and not answer.choices):
        raise UpstreamFault(read_in_band(msgspec.json.decode(body)), body)
    if not answer.choices:
        raise MalformedReply("openai-chat: the upstream's answer holds no choices")
    return answer


def read_reply(body: bytes, names: NameMap) -> Reply:
    """The canonical reply. Raises like `read_answer`."""
    answer = read_answer(body)
    choices = answer.choices or []
    if any(choice.finish_reason == FAILED for choice in choices):
        raise UpstreamFault(ENDED_IN_ERROR, body)
    first, *others = (_read_choice(choice, answer.id, names) for choice in choices)
    extras = {"system_fingerprint": answer.system_fingerprint} if answer.system_fingerprint else {}
    return attrs.evolve(
        first,
        id=answer.id or None,
        model=answer.model or None,
        created=answer.created or None,
        usage=read_usage(answer.usage) if answer.usage is not None else None,
        service_tier=answer.service_tier,
        alternatives=tuple(others),
        extras={FORMAT: extras} if extras else {},
    )


def _read_choice(choice: WireChoice, answer_id: str | None, names: NameMap) -> Reply:
    said = choice.message or choice.delta or Said()
    items: list[Item] = _read_words(said)
    calls: list[ToolCall] = []
    for place, call in enumerate(_calls_in(said)):
        call_id = call.id or made_up_id(answer_id, choice.index or 0, place)
        calls.append(_read_call(call, call_id, place, names))
        thought = thought_before(call.extra_content)
        items += [calls[-1]] if thought is None else [thought, calls[-1]]
    told = reason_of(choice.finish_reason or "", refused=bool(said.refusal))
    reason = settled(told, calls[-1].arguments if calls else None)
    return Reply(items=tuple(items), finish=reason)


def _read_words(said: Said) -> list[Item]:
    """Reasoning and one message per run of text; refusal and images belong to the message."""
    items: list[Item] = []
    if thought := said.thought():
        items.append(Reasoning(segments=(thought,)))
    parts: list[Part] = []
    for kind, text in _pieces(said):
        if kind == "reasoning":
            items += _message(parts)
            parts = []
            items.append(Reasoning(segments=(text,)))
        else:
            parts.append(_text(text, said) if kind == "text" else Refusal(text))
    parts += filter(None, map(read_image, said.images or ()))
    return [*items, *_message(parts)]


def _pieces(said: Said) -> list[tuple[str, str]]:
    content = said.content
    pieces = list(content_pieces(content)) if isinstance(content, list) else [("text", text_of(content))]
    return [(kind, text) for kind, text in [*pieces, ("refusal", said.refusal or "")] if text]


def _message(parts: Sequence[Part]) -> list[Item]:
    return [Message(role="assistant", parts=tuple(parts))] if parts else []


def _text(text: str, said: Said) -> Text:
    notes = (read_annotation(each) for each in said.annotations or ())
    return Text(text, annotations=tuple(note for note in notes if note is not None))


def read_image(value: Any) -> Image | None:
    """One of the pictures that an answer shows; ``None`` for what is none."""
    url = text_of((value.get("image_url") or {}).get("url")) if _is_image(value) else ""
    return image_of_url(url) if url else None


def _is_image(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("image_url"), dict)


def _calls_in(said: Said) -> list[WireCall]:
    among_parts = list(content_calls(said.content)) if isinstance(said.content, list) else []
    return [call for call in [*among_parts, *said.calls()] if call.id or call.function or call.custom]


def _read_call(call: WireCall, call_id: str, place: int, names: NameMap) -> ToolCall:
    """A call without a name gets one made up, as in a stream (C.8)."""
    if call.custom is not None:
        name = names.client_name(call.custom.name or f"tool_{place}")
        return ToolCall(call_id=call_id, name=name, arguments=call.custom.input or "", kind="custom")
    told = call.function
    name = names.client_name((told.name if told else None) or f"tool_{place}")
    arguments = (told.arguments if told else None) or ""
    if name in free_text_of(names):
        return ToolCall(call_id=call_id, name=name, arguments=unwrapped(arguments), kind="custom")
    return ToolCall(call_id=call_id, name=name, arguments=arguments)


# --- writing ------------------------------------------------------------------------------------


def write_reply(reply: Reply, conversation: Conversation) -> bytes:
    """A ``chat.completion``; its model is the one the client asked for (C.18)."""
    answers = (reply, *reply.alternatives)
    if free_text := free_text_names(conversation.tools):
        answers = tuple(
            attrs.evolve(answer, items=[_as_declared(item, free_text) for item in answer.items])
            for answer in answers
        )
    written: dict[str, Any] = {
        "id": reply.id or f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": reply.created or int(time.time()),
        "model": conversation.model,
        "choices": [_write_choice(answer, number) for number, answer in enumerate(answers)],
    }
    if reply.usage is not None:
        written["usage"] = write_usage(reply.usage)
    if reply.service_tier is not None:
        written["service_tier"] = reply.service_tier
    return msgspec.json.encode(written | dict(reply.extras.get(FORMAT, {})))


def _as_declared(item: Item, free_text: frozenset[str]) -> Item:
    """A call of a free-text tool by a model that knows functions only is a call of free text (C.16)."""
    if not isinstance(item, ToolCall) or item.kind == "custom" or item.name not in free_text:
        return item
    return attrs.evolve(item, kind="custom", arguments=unwrapped(item.arguments))


def _write_choice(answer: Reply, number: int) -> dict[str, Any]:
    return {
        "index": number,
        "message": write_message(answer.items),
        "logprobs": None,
        "finish_reason": WORDS[answer.finish],
    }


def write_message(items: Sequence[Item]) -> dict[str, Any]:
    """One assistant message; several texts are joined without a separator, thoughts by a blank line."""
    parts = [part for item in items if isinstance(item, Message) for part in item.parts]
    calls = [item for item in items if isinstance(item, ToolCall)]
    text = "".join(part.text for part in parts if isinstance(part, Text))
    refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
    thoughts = [item.text for item in items if isinstance(item, Reasoning) and item.text]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text or (None if calls or refusal else ""),
        "refusal": refusal or None,
    }
    if thoughts:
        message["reasoning_content"] = "\n\n".join(thoughts)
    if notes := [note for part in parts if isinstance(part, Text) for note in _notes(part)]:
        message["annotations"] = notes
    if calls:
        signed = calls_with_signatures(items)
        message["tool_calls"] = [write_call(call) | extra_content(signature) for call, signature in signed]
    pictures = [picture for item in items for picture in _pictures(item)]
    if images := [url for picture in pictures if (url := url_of_image(picture))]:
        message["images"] = [write_image(url, index) for index, url in enumerate(images)]
    return message


def _pictures(item: Item) -> list[Image]:
    """What the model drew itself, and what a tool of the provider's made for it (C.12)."""
    if isinstance(item, ServerToolItem):
        return [item.image] if item.image is not None else []
    parts = item.parts if isinstance(item, Message) else ()
    return [part for part in parts if isinstance(part, Image)]


def write_image(url: str, index: int) -> dict[str, Any]:
    return {"type": "image_url", "index": index, "image_url": {"url": url}}


def _notes(text: Text) -> list[dict[str, Any]]:
    return [note for each in text.annotations if (note := write_annotation(each)) is not None]


def write_call(call: ToolCall) -> dict[str, Any]:
    """A call as it stands in a message; no arguments at all are an empty object (C.8)."""
    if call.kind == "custom":
        told = {"name": call.name, "input": call.arguments}
        return {"id": call.call_id, "type": "custom", "custom": told}
    told = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.call_id, "type": "function", "function": told}
