"""A request for pictures → a conversation whose only tool draws (client API spec, 10.7)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ppap_core.conversation import Conversation, Image, Message, Text, Tool, ToolChoice
from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

from ..chat.content import image_of_url
from ..image_tool import DEFAULT_MODEL, TOOL
from .action import Action
from .form import Field, FormBody

TEXT_OPTIONS: Final = ("size", "quality", "background", "output_format", "moderation")
EDIT_OPTIONS: Final = ("input_fidelity",)
NUMBER_OPTIONS: Final = ("output_compression", "partial_images")
RESPONSE_FORMAT: Final = "response_format"
_SIGNS: Final[Mapping[bytes, str]] = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""What a file of each kind begins with."""


def model_of(body: JsonBody) -> str:
    """Raises `InvalidRequest` for a model that is no text."""
    return body.text("model").strip() or DEFAULT_MODEL


def prompt_of(body: JsonBody) -> str:
    """Raises `InvalidRequest`, also where there is none."""
    prompt = body.text("prompt").strip()
    if not prompt:
        raise InvalidRequest("Invalid request: prompt is required", param="prompt")
    return prompt


def read_request(body: JsonBody, action: Action) -> Conversation:
    """Raises `InvalidRequest`."""
    model = model_of(body)
    prompt = prompt_of(body)
    given = tuple(_images(body)) if action.edits else ()
    tool: dict[str, Any] = {"type": TOOL, "action": action.verb, "model": model.rpartition("/")[2]}
    tool |= _options(body, action)
    if action.edits and (mask := _mask(body)) is not None:
        tool["input_image_mask"] = {"image_url": mask}
    shown = body.value(RESPONSE_FORMAT)
    return Conversation(
        model=model,
        format=action.format,
        stream=body.value("stream") is True,
        items=(Message(role="user", parts=(Text(prompt), *given)),),
        tools=(Tool(kind=TOOL, format=action.format, definition=tool),),
        tool_choice=ToolChoice(mode="native", kind=TOOL, format=action.format, value={"type": TOOL}),
        extras={action.format: {RESPONSE_FORMAT: shown}} if shown else {},
    )


def _options(body: JsonBody, action: Action) -> Iterator[tuple[str, Any]]:
    for name in (*TEXT_OPTIONS, *(EDIT_OPTIONS if action.edits else ())):
        text = body.value(name)
        if isinstance(text, str) and text.strip():
            yield name, text.strip()
    for name in NUMBER_OPTIONS:
        number = body.value(name)
        if isinstance(number, int | float) and not isinstance(number, bool):
            yield name, int(number)


def _images(body: JsonBody) -> Sequence[Image]:
    if isinstance(body, FormBody):
        files = body.form.files("image[]") or body.form.files("image")
        if not files:
            raise InvalidRequest("Invalid request: image is required", param="image")
        return [image_of_url(_data_url(file)) for file in files]
    listed = body.value("images")
    urls = [_url(each) for each in listed] if isinstance(listed, list) else []
    if not any(urls):
        raise InvalidRequest(
            "Invalid request: images[].image_url is required (file_id is not supported)", param="images"
        )
    return [image_of_url(url) for url in urls if url]


def _mask(body: JsonBody) -> str | None:
    if isinstance(body, FormBody):
        return next(map(_data_url, body.form.files("mask")), None)
    mask = body.value("mask")
    if isinstance(mask, dict) and mask.get("file_id"):
        raise InvalidRequest(
            "Invalid request: mask.file_id is not supported (use mask.image_url instead)", param="mask"
        )
    return _url(mask) or None


def _url(value: Any) -> str:
    """``image_url``, which may be a text or hold one under ``url``; empty if it does not."""
    url = value.get("image_url") if isinstance(value, dict) else None
    url = url.get("url") if isinstance(url, dict) else url
    return url.strip() if isinstance(url, str) else ""


def _data_url(file: Field) -> str:
    kinds = (kind for sign, kind in _SIGNS.items() if file.data.startswith(sign))
    own = file.media_type if file.media_type.startswith("image/") else ""
    media_type = own or next(kinds, "application/octet-stream")
    return f"data:{media_type};base64,{base64.b64encode(file.data).decode()}"
