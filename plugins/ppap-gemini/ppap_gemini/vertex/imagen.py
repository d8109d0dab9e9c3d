"""Imagen: models that only draw, asked by ``predict`` instead of ``generateContent`` (Gemini spec, 18.3)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.errors import InvalidRequest, MalformedReply
from ppap_core.upstream import UpstreamReply

from ..generate.media import UNNAMED_IMAGE

PREDICT: Final = "predict"


class _Prediction(msgspec.Struct, rename="camel"):
    bytes_base64_encoded: str = msgspec.field(default="", name="bytesBase64Encoded")
    mime_type: str = UNNAMED_IMAGE


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction] = []


def draws(model: str) -> bool:
    """Whether a model is one of these."""
    return "imagen" in model.lower()


def prediction_request(body: bytes) -> bytes:
    """The question for a request of the format. Raises `InvalidRequest` if nothing says what to draw."""
    asked: Mapping[str, Any] = msgspec.json.decode(body)
    prompt = _prompt(asked)
    if not prompt:
        raise InvalidRequest("imagen: no prompt found in request")
    instance = {"prompt": prompt, "negativePrompt": asked.get("negativePrompt")}
    parameters = {"sampleCount": asked.get("sampleCount") or 1, "aspectRatio": _ratio(asked)}
    return msgspec.json.encode({"instances": [_said(instance)], "parameters": _said(parameters)})


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _prompt(asked: Mapping[str, Any]) -> str:
    """The first words of the request, wherever they stand."""
    contents = _at(asked, "contents", 0, "parts", 0, "text")
    if isinstance(contents, str) and contents:
        return contents
    messages = asked.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(said := _at(message, "content"), str) and said:
            return said
    prompt = asked.get("prompt")
    return prompt if isinstance(prompt, str) else ""


def _ratio(asked: Mapping[str, Any]) -> Any:
    return asked.get("aspectRatio") or _at(asked, "generationConfig", "imageConfig", "aspectRatio")


def _at(value: Any, *path: str | int) -> Any:
    """What stands at a path in JSON; ``None`` if there is no such place."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def answer_of(body: bytes, model: str) -> bytes:
    """The pictures as an answer of the format. Raises `MalformedReply`.

    None at all means that a filter took them.
    """
    try:
        drawn = msgspec.json.decode(body, type=_Predictions).predictions
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MalformedReply("The upstream's answer has no `predictions`") from None
    parts = [
        {"inlineData": {"mimeType": each.mime_type, "data": each.bytes_base64_encoded}}
        for each in drawn
        if each.bytes_base64_encoded
    ]
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": "STOP" if parts else "IMAGE_SAFETY",
        "index": 0,
    }
    nothing = {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}
    return msgspec.json.encode(
        {
            "candidates": [candidate],
            "usageMetadata": nothing,
            "modelVersion": model,
            "responseId": f"imagen-{time.time_ns()}",
        }
    )


class DrawnReply:
    """See `ppap_core.upstream.UpstreamReply`: an upstream's predictions, read as an answer of the format."""

    def __init__(self, reply: UpstreamReply, model: str) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self._reply = reply
        self._model = model
        self._read = False

    async def read(self) -> bytes:
        """All at once; there are no pieces of a picture."""
        if self._read:
            return b""
        self._read = True
        body = await self._reply.body()
        return answer_of(body, self._model) if 200 <= self.status < 300 else body

    async def body(self) -> bytes:
        return await self.read()

    async def close(self) -> None:
        await self._reply.close()
