"""Gemini: a client's request and how it reads an answer; an upstream that reads a request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ppap_core.testing import ReceivedRequest

from .asking import LIMIT, Document, Message, Part, Picture, Request, Result, Words
from .facts import Facts, Told
from .frames import data_of

Json = dict[str, Any]
MODES: Final = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
ENDINGS: Final = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "refusal"}
EFFORTS: Final = {24576: "high"}
"""A budget in tokens that means a level (Gemini spec, 8.1)."""
_TARGET: Final = re.compile(r"/(?:v1beta|v1/publishers/google)/models/([^:?]+):(\w+)")


def path(model: str, stream: bool) -> str:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"/v1beta/models/{model}:{method}"


def ask(request: Request, model: str, stream: bool, replay: Json | None) -> Json:
    """The body; ``replay`` is the answer before, and stands before the last message."""
    contents: list[Json] = [_content(message, replay) for message in request.spoken]
    if replay is not None:
        contents.insert(-1, replay["candidates"][0]["content"])
    settings: Json = {"maxOutputTokens": LIMIT}
    body: Json = {"contents": contents, "generationConfig": settings}
    if request.leading:
        parts = [_part(part, replay) for message in request.leading for part in message.parts]
        body["systemInstruction"] = {"role": "user", "parts": parts}
    if request.tools:
        declared = [
            {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.schema}
            for tool in request.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    if request.choice:
        named = {"mode": "ANY", "allowedFunctionNames": [request.choice]}
        mode = MODES.get(request.choice)
        body["toolConfig"] = {"functionCallingConfig": {"mode": mode} if mode else named}
    if request.stop:
        settings["stopSequences"] = list(request.stop)
    if request.temperature is not None:
        settings["temperature"] = request.temperature
    if request.effort:
        settings["thinkingConfig"] = {"thinkingLevel": request.effort, "includeThoughts": True}
    if request.shape:
        schema = request.shape.schema
        settings |= {"responseMimeType": "application/json", "responseJsonSchema": schema}
    return body


def _content(message: Message, replay: Json | None) -> Json:
    return {"role": "user", "parts": [_part(part, replay) for part in message.parts]}


def _part(part: Part, replay: Json | None) -> Json:
    match part:
        case Words(text):
            return {"text": text}
        case Picture(url=""):
            return {"inlineData": {"mimeType": part.media, "data": part.data}}
        case Picture():
            return {"fileData": {"mimeType": part.media, "fileUri": part.url}}
        case Document():
            return {"inlineData": {"mimeType": part.media, "data": part.data}}
        case Result():
            call = _calls((replay or {})["candidates"][0]["content"]["parts"])[part.call]
            said = "".join(inner.text for inner in part.parts if isinstance(inner, Words))
            shown = [_part(inner, replay) for inner in part.parts if isinstance(inner, Picture)]
            identity = {"id": call["id"]} if "id" in call else {}
            outcome = {"name": call["name"], "response": {"result": said}, **identity}
            return {"functionResponse": {**outcome, "parts": shown} if shown else outcome}


def _calls(parts: list[Json]) -> list[Json]:
    return [part["functionCall"] for part in parts if "functionCall" in part]


def collect(stream: bytes) -> Json:
    """The whole answer of a stream; empty text parts without a signature say nothing."""
    chunks = [json.loads(data) for data in data_of(stream)]
    candidates = [candidate for chunk in chunks for candidate in chunk.get("candidates") or ()]
    assert all(candidate["content"]["role"] == "model" for candidate in candidates)
    assert not any(candidate.get("finishReason") for candidate in candidates[:-1])
    parts = [part for candidate in candidates for part in candidate["content"].get("parts") or ()]
    parts = [part for part in parts if part.get("text") != "" or "thoughtSignature" in part]
    last = {**candidates[-1], "content": {"role": "model", "parts": parts}}
    return {**chunks[-1], "candidates": [last]}


def hear(answer: Json) -> Facts:
    (candidate,) = answer["candidates"]
    usage, parts = answer["usageMetadata"], candidate["content"].get("parts") or []
    read = usage.get("cachedContentTokenCount")
    thinking = usage.get("thoughtsTokenCount")
    output = usage["candidatesTokenCount"] + (thinking or 0)
    assert usage["totalTokenCount"] == usage["promptTokenCount"] + output
    calls = _calls(parts)
    ids = [call["id"] for call in calls if "id" in call]
    assert len(set(ids)) == len(ids)
    ending = "tool calls" if calls else ENDINGS[candidate["finishReason"]]
    said = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    return {
        "model": answer["modelVersion"],
        "ending": ending,
        "uncached": usage["promptTokenCount"] - (read or 0),
        "cache read": read,
        "output": output,
        "reasoning": thinking,
        "text": said,
        "thought": "".join(part["text"] for part in parts if part.get("thought")),
        "signed": any(part.get("thoughtSignature") for part in parts),
        "calls": [(call["name"], call["args"]) for call in calls],
    }


def read(request: ReceivedRequest) -> Facts:
    """What an upstream hears."""
    found = _TARGET.match(request.target)
    assert found is not None, request.target
    body, told = request.json(), Told()
    assert body.get("model", found[1]) == found[1]
    if "systemInstruction" in body:
        told.instructs("system", [part["text"] for part in body["systemInstruction"]["parts"]])
    outcomes = _Outcomes()
    for content in body["contents"]:
        role = {"user": "user", "model": "assistant"}[content["role"]]
        for part in content["parts"]:
            _read_part(told, outcomes, role, part)
        outcomes.told(told)
    for tool in body.get("tools") or ():
        for one in tool["functionDeclarations"]:
            told.offers(one["name"], one.get("description", ""), one["parametersJsonSchema"])
    settings = body["generationConfig"]
    mode = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    thinking = settings.get("thinkingConfig") or {}
    words = {theirs: ours for ours, theirs in MODES.items()}
    told.settles(
        model=found[1],
        limit=settings.get("maxOutputTokens"),
        choice=next(iter(mode.get("allowedFunctionNames") or ()), words.get(mode.get("mode", ""))),
        stop=settings.get("stopSequences"),
        temperature=settings.get("temperature"),
        effort=thinking.get("thinkingLevel") or EFFORTS.get(thinking.get("thinkingBudget")),
        schema=settings.get("responseJsonSchema"),
    )
    return told.facts


class _Outcomes:
    """The tool results of one content: images may stand in them, or behind them."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str, list[str]]] = []
        self._names: list[str] = []

    def called(self, name: str) -> str:
        """An id for a call that has none: its name, and which of that name it is."""
        self._names.append(name)
        return f"{name} {self._names.count(name)}"

    def answered(self, name: str) -> str:
        """The same for the result."""
        return f"{name} {1 + sum(call_id.startswith(f'{name} ') for call_id, _, _ in self._open)}"

    def opens(self, call_id: str, text: str, images: list[str]) -> None:
        self._open.append((call_id, text, images))

    def shows(self, source: str) -> bool:
        """Whether the image belongs to the result before it."""
        if self._open:
            self._open[-1][2].append(source)
        return bool(self._open)

    def told(self, told: Told) -> None:
        for call_id, text, images in self._open:
            told.results(call_id, text, images)
        self._open.clear()


def _read_part(told: Told, outcomes: _Outcomes, role: str, part: Json) -> None:
    signature = part.get("thoughtSignature")
    match part:
        case {"functionCall": call}:
            told.thinks("", signature)
            told.calls(call.get("id") or outcomes.called(call["name"]), call["name"], call["args"])
        case {"functionResponse": outcome}:
            said = outcome["response"]["result"]
            text = said if isinstance(said, str) else json.dumps(said)
            images = [_inline(inner) for inner in outcome.get("parts") or ()]
            outcomes.opens(outcome.get("id") or outcomes.answered(outcome["name"]), text, images)
        case {"inlineData": {"mimeType": "application/pdf"}}:
            told.hands(role, _inline(part), part["inlineData"].get("displayName"))
        case {"inlineData": _}:
            if not outcomes.shows(_inline(part)):
                told.shows(role, _inline(part))
        case {"fileData": data}:
            told.shows(role, data["fileUri"])
        case {"thought": True}:
            told.thinks(part["text"], signature)
        case {"text": text}:
            outcomes.told(told)
            told.thinks("", signature)
            if text:
                told.says(role, text)


def _inline(part: Mapping[str, Any]) -> str:
    blob = part["inlineData"]
    return f"data:{blob['mimeType']};base64,{blob['data']}"
