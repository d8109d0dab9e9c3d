"""Pictures as clients of the images routes get them, whole and streamed (client API spec, 10.7)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    ErrorDetail,
    Event,
    Image,
    ItemEnd,
    ItemKey,
    ItemMeta,
    Message,
    Refusal,
    Reply,
    ServerToolItem,
    Start,
    StreamError,
    Text,
    Usage,
    UsageUpdate,
)
from ppap_core.errors import UpstreamFault
from ppap_core.wire.sse import event_frame

from ..chat.content import url_of_image
from ..chat.errors import error_body
from ..responses.heard import image_of
from .action import Action
from .request import RESPONSE_FORMAT

ECHOES: Final = ("background", "output_format", "quality", "size")
"""What a picture says of itself at the top level of an answer."""
NO_IMAGE: Final = ErrorDetail(
    message="upstream did not return image output", status=502, code="no_image_output"
)
_MOST_WORDS: Final = 500


@attrs.frozen
class Picture:
    """``told`` is what is known of it besides."""

    image: Image
    told: Mapping[str, Any] = attrs.field(factory=dict)

    def shown(self, response_format: object) -> dict[str, Any]:
        """Under the name that the client wants it by: its bytes, or an address that holds them."""
        if response_format == "url" or self.image.data is None:
            return {"url": url_of_image(self.image)}
        return {"b64_json": self.image.data}

    @property
    def echoes(self) -> dict[str, Any]:
        return {key: self.told[key] for key in ECHOES if self.told.get(key) is not None}


def picture_of(native: Mapping[str, Any], image: Image | None) -> Picture | None:
    """The picture that a tool made; ``None`` if it made none."""
    result = native.get("result")
    if isinstance(result, str) and result:
        return Picture(image_of(result, str(native.get("output_format") or "")), native)
    return Picture(image) if image is not None else None


def encode_reply(reply: Reply, conversation: Conversation) -> bytes:
    """Raises `UpstreamFault` for an answer without a picture."""
    pictures = [picture for item in reply.items for picture in _pictures(item)]
    if not pictures:
        raise UpstreamFault(_without_pictures(_said(reply)))
    shape = _response_format(conversation)
    answer: dict[str, Any] = {
        "created": reply.created or int(time.time()),
        "data": [_datum(picture, shape) for picture in pictures],
        **pictures[0].echoes,
    }
    if (told := _told_usage(reply.usage)) is not None:
        answer["usage"] = told
    return msgspec.json.encode(answer)


def _told_usage(usage: Usage | None) -> dict[str, Any] | None:
    """What drawing took, in the upstream's own words."""
    return dict(usage.by_tools[-1].told) if usage is not None and usage.by_tools else None


def _datum(picture: Picture, shape: object) -> dict[str, Any]:
    revised = picture.told.get("revised_prompt")
    return picture.shown(shape) | ({"revised_prompt": revised} if revised else {})


def _pictures(item: object) -> list[Picture]:
    if isinstance(item, ServerToolItem):
        picture = picture_of(item.value, item.image)
        return [picture] if picture is not None else []
    parts = item.parts if isinstance(item, Message) else ()
    return [Picture(part) for part in parts if isinstance(part, Image)]


def _said(reply: Reply) -> str:
    parts = (part for item in reply.items if isinstance(item, Message) for part in item.parts)
    return " ".join(part.text for part in parts if isinstance(part, Text | Refusal)).strip()


def _without_pictures(said: str) -> ErrorDetail:
    """Whoever answers in words instead has reasons that lie in the request."""
    if not said:
        return NO_IMAGE
    return ErrorDetail(
        message=f"{NO_IMAGE.message}: {said[:_MOST_WORDS]}",
        status=400,
        type="image_generation_user_error",
        code="content_policy_violation",
    )


def _response_format(conversation: Conversation) -> object:
    return conversation.extras.get(conversation.format, {}).get(RESPONSE_FORMAT)


def error_frame(error: ErrorDetail) -> bytes:
    return event_frame("error", error_body(error))


def picture_frame(action: Action, kind: str, told: Mapping[str, Any]) -> bytes:
    """One event; `kind` is what follows the dot in its name."""
    name = f"{action.event}.{kind}"
    return event_frame(name, msgspec.json.encode({"type": name, **told}))


class ImagesStreamEncoder:
    """A `StreamEncoder` that `FallsShort` of a picture. Finished ones wait for the usage, which comes
    after them."""

    def __init__(self, action: Action, conversation: Conversation) -> None:
        self._action = action
        self._shape = _response_format(conversation)
        self._created = int(time.time())
        self._partials: dict[ItemKey, int] = {}
        self._last: dict[ItemKey, Image] = {}
        self._finished: dict[ItemKey, Picture] = {}
        self._said: list[str] = []
        self._usage: dict[str, Any] | None = None
        self.shortfall: ErrorDetail | None = None

    def feed(self, events: Sequence[Event]) -> bytes:
        written: list[bytes] = []
        for event in events:
            match event:
                case ItemMeta():
                    self._note(event, written)
                case ItemEnd(key) if key in self._last:
                    self._finished.setdefault(key, Picture(self._last[key]))
                case UsageUpdate(usage):
                    self._usage = _told_usage(usage) or self._usage
                case Start(created=created):
                    self._created = created or self._created
                case StreamError(error):
                    return b"".join((*written, error_frame(error)))
                case End():
                    written += self._ended()
                case Delta(_, "text" | "refusal", text):
                    self._said.append(text)
        return b"".join(written)

    def _note(self, meta: ItemMeta, written: list[bytes]) -> None:
        if meta.native is None:
            if meta.image is not None:
                self._last[meta.key] = meta.image
                written.append(self._partial(meta.key, Picture(meta.image)))
            return
        self._last.pop(meta.key, None)  # what the tool says at its end counts, and no state before it
        picture = picture_of(meta.native, meta.image)
        if picture is not None:
            self._finished[meta.key] = picture

    def _partial(self, key: ItemKey, picture: Picture) -> bytes:
        index = self._partials.get(key, 0)
        self._partials[key] = index + 1
        told = {"partial_image_index": index, "created_at": self._created, **picture.shown(self._shape)}
        return picture_frame(self._action, "partial_image", told)

    def _ended(self) -> list[bytes]:
        if not self._finished:
            self.shortfall = _without_pictures("".join(self._said).strip())
            return [error_frame(self.shortfall)]
        usage = {} if self._usage is None else {"usage": self._usage}
        return [
            picture_frame(
                self._action,
                "completed",
                {"created_at": self._created, **picture.echoes, **picture.shown(self._shape), **usage},
            )
            for picture in self._finished.values()
        ]
