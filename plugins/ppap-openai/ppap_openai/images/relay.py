"""Requests for pictures passed on to upstreams that have the same routes (client API spec, 10.7)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.errors import MalformedReply, MalformedStream
from ppap_core.wire import EncodedRequest, JsonBody, RelayedReply, Target
from ppap_core.wire.sse import FrameSplitter, frames, payload
from ppap_core.wire.translate import CUT_SHORT

from ..chat.errors import read_in_band
from ..responses.usage import read_usage
from .action import Action
from .answer import ECHOES, error_frame, picture_frame
from .form import FormBody


class _Told(msgspec.Struct):
    """What is looked at in an answer or an event; the pictures themselves are not."""

    type: str = ""
    usage: Any = None
    error: Any = None


class _Answer(msgspec.Struct):
    data: list[dict[str, Any]] = []
    created: Any = None
    usage: Any = None
    background: Any = None
    output_format: Any = None
    quality: Any = None
    size: Any = None


_told: Final = msgspec.json.Decoder(_Told).decode
_answer: Final = msgspec.json.Decoder(_Answer).decode


def patch_request(body: JsonBody, target: Target) -> EncodedRequest:
    """The client's own bytes under the target's model; of a form, its own parts."""
    if isinstance(body, FormBody):
        form = body.form.with_model(target.model)
        return EncodedRequest(form.data, headers={"content-type": form.media_type})
    return EncodedRequest(body.edited({"model": msgspec.json.encode(target.model)}))


def relay_reply(body: bytes) -> RelayedReply:
    """Raises `MalformedReply`."""
    try:
        told = _told(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise MalformedReply("The upstream's answer is not a JSON object") from None
    return RelayedReply(body=body, usage=read_usage(told.usage) if told.usage is not None else None)


class ImagesRelay:
    """A `StreamPath`: frames pass as they are; an answer in one piece becomes the last of them."""

    def __init__(self, action: Action) -> None:
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self.usage: Usage | None = None
        self._action = action
        self._frames = FrameSplitter()
        self._finished = False

    def feed(self, data: bytes) -> bytes:
        block = self._frames.feed(data)
        for frame in frames(block):
            self._note(payload(frame))
        return block

    def close(self) -> bytes:
        rest = self._frames.close().strip()
        written = b""
        if rest.startswith(b"{"):
            written = self._of_whole(rest)
        elif rest:
            self._note(payload(rest))
            written = rest + b"\n\n"
        if self.error is not None:
            return written
        if not self._finished:
            return written + self.fail(CUT_SHORT)
        self.complete = True
        return written

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        return error_frame(error)

    def _note(self, data: bytes) -> None:
        if not data.startswith(b"{"):
            return
        try:
            told = _told(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise MalformedStream("an event of the upstream is not a JSON object") from None
        if told.error is not None or told.type == "error":
            self.error = read_in_band(told.error or msgspec.json.decode(data))
            return
        self.committed = True
        self._finished = self._finished or told.type.endswith(".completed")
        if told.usage is not None:
            self.usage = read_usage(told.usage) or self.usage

    def _of_whole(self, data: bytes) -> bytes:
        try:
            answer = _answer(data)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise MalformedStream("the upstream's answer is not a list of pictures") from None
        self.usage = read_usage(answer.usage) if answer.usage is not None else None
        common = {"created_at": answer.created, "usage": answer.usage}
        common |= {key: getattr(answer, key) for key in ECHOES}
        known = {key: value for key, value in common.items() if value is not None}
        self._finished = self.committed = bool(answer.data)
        return b"".join(picture_frame(self._action, "completed", known | datum) for datum in answer.data)
