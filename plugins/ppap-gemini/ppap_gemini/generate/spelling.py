"""Both spellings of every field, read as one (Gemini spec, 1).

Google takes ``inlineData`` and ``inline_data`` alike. Here snake_case is turned into camelCase where
the format has fields, and nowhere else: arguments, results and schemas have keys of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec
import orjson

from ppap_core.wire import JsonBody

from .usage import NOTHING

Shape: TypeAlias = Mapping[str, Any]
"""camelCase field → the shape of its value; a list stands for the shape of each element."""

_BLOB: Final[Shape] = {"mimeType": {}}
_PART: Final[Shape] = {
    "thoughtSignature": {},
    "inlineData": _BLOB,
    "fileData": {"mimeType": {}, "fileUri": {}},
    "functionCall": {},
    "functionResponse": {"parts": [{"inlineData": _BLOB}]},
    "executableCode": {},
    "codeExecutionResult": {},
}
_CONTENT: Final[Shape] = {"parts": [_PART]}
_TOOL: Final[Shape] = {
    "functionDeclarations": [{"parametersJsonSchema": {}, "responseJsonSchema": {}}],
    "googleSearch": {},
    "googleSearchRetrieval": {},
    "codeExecution": {},
    "urlContext": {},
}
_GENERATION: Final[Shape] = {
    "topP": {},
    "topK": {},
    "maxOutputTokens": {},
    "stopSequences": {},
    "candidateCount": {},
    "presencePenalty": {},
    "frequencyPenalty": {},
    "responseLogprobs": {},
    "responseMimeType": {},
    "responseSchema": {},
    "responseJsonSchema": {},
    "responseModalities": {},
    "imageConfig": {"aspectRatio": {}, "imageSize": {}},
    "thinkingConfig": {"thinkingBudget": {}, "thinkingLevel": {}, "includeThoughts": {}},
}
_ANSWER: Final[Shape] = {
    "candidates": [{"content": _CONTENT, "finishReason": {}, "groundingMetadata": {}}],
    "promptFeedback": {"blockReason": {}},
    "usageMetadata": {
        "promptTokenCount": {},
        "candidatesTokenCount": {},
        "thoughtsTokenCount": {},
        "cachedContentTokenCount": {},
        "toolUsePromptTokenCount": {},
        "totalTokenCount": {},
    },
    "modelVersion": {},
    "responseId": {},
    "createTime": {},
}
ANSWER: Final[Shape] = {**_ANSWER, "response": _ANSWER}
REQUEST: Final[Shape] = {
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "tools": [_TOOL],
    "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": {}}},
    "generationConfig": _GENERATION,
    "safetySettings": {},
    "cachedContent": {},
}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _names(shape: Any) -> set[str]:
    if isinstance(shape, list):
        return _names(shape[0])
    return {_snake(name) for name in shape} | {name for inner in shape.values() for name in _names(inner)}


def _quoted(names: set[str]) -> tuple[bytes, ...]:
    return tuple(f'"{name}"'.encode() for name in sorted(names) if "_" in name)


_MARKS: Final[Mapping[str, tuple[bytes, ...]]] = {
    field: _quoted(_names(shape)) for field, shape in REQUEST.items() if field != "contents"
}


_SNAKE_KEY: Final = re.compile(rb'_[a-z_]+"\s*:')
_IN_ANSWERS: Final = re.compile(b"|".join(re.escape(mark) for mark in _quoted(_names(_ANSWER))))


def has_snake_case(data: bytes) -> bool:
    """Whether an upstream's answers may have. Nearly none do, and that is quickly seen."""
    return b"_" in data and _SNAKE_KEY.search(data) is not None and _IN_ANSWERS.search(data) is not None


def answer_in_camel_case(data: bytes) -> bytes:
    """An answer with the format's own fields in camelCase."""
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data  # refused where it is read
    spelt = _spelt(told, ANSWER)
    return data if spelt is told else orjson.dumps(spelt)


class _Media(msgspec.Struct, frozen=True):
    mime_type: msgspec.Raw = NOTHING
    file_uri: msgspec.Raw = NOTHING


class _Part(msgspec.Struct, frozen=True):
    """A part without what is spelt in camelCase: equal to an empty one if nothing else is in it."""

    thought_signature: msgspec.Raw = NOTHING
    inline_data: msgspec.Raw = NOTHING
    file_data: msgspec.Raw = NOTHING
    function_call: msgspec.Raw = NOTHING
    function_response: msgspec.Raw = NOTHING
    executable_code: msgspec.Raw = NOTHING
    code_execution_result: msgspec.Raw = NOTHING
    inlineData: _Media = _Media()  # noqa: N815
    fileData: _Media = _Media()  # noqa: N815


class _Turn(msgspec.Struct):
    parts: list[_Part] = []


_turns: Final = msgspec.json.Decoder(list[_Turn]).decode
_EMPTY: Final = _Part()


def camel_case(body: JsonBody) -> JsonBody:
    """The request with all of its own fields in camelCase: the same object if they are already."""
    if not _has_snake_case(body):
        return body
    told = body.decoded()
    spelt = _spelt(told, REQUEST)
    return body if spelt is told else JsonBody(orjson.dumps(spelt))


def _has_snake_case(body: JsonBody) -> bool:
    """Whether it may have. Contents, which can be megabytes, are read in one typed pass."""
    for name in body:
        if name not in REQUEST:
            if any(_snake(field) == name for field in REQUEST):
                return True
        elif (marks := _MARKS.get(name)) and (raw := body.raw(name)) and any(mark in raw for mark in marks):
            return True
    contents = body.raw("contents")
    try:
        turns = _turns(contents) if contents is not None else []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return True  # not a list, or odd: looked at as a whole
    return any(part != _EMPTY for turn in turns for part in turn.parts)


def _spelt(value: Any, shape: Any) -> Any:
    """The value with its fields renamed; the same object where nothing is."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return value
        elements = [_spelt(element, shape[0]) for element in value]
        return elements if any(new is not old for new, old in zip(elements, value, strict=True)) else value
    if not isinstance(value, dict) or not shape:
        return value
    camel = {_snake(name): name for name in shape}
    fields: dict[str, Any] = value
    renamed: dict[str, Any] = {}
    for key, inner in fields.items():
        name = camel.get(key, key)
        if name != key and name in value:
            continue  # said twice: the format's own spelling counts
        renamed[name] = _spelt(inner, shape[name]) if name in shape else inner
    same = renamed.keys() == fields.keys() and all(renamed[key] is inner for key, inner in fields.items())
    return value if same else renamed
