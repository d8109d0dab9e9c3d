"""Chat on both sides: bytes pass through, and only what must change is spliced.

Translation spec, 0.4, B.1.4, C.11, C.18.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ppap_core.conversation import ErrorDetail, Usage
from ppap_core.errors import InvalidRequest, MalformedStream
from ppap_core.wire import EncodedRequest, JsonBody, RelayedReply, Target
from ppap_core.wire.sse import FrameSplitter, data_frame, payload
from ppap_core.wire.translate import CUT_SHORT

from .effort import write_effort
from .errors import ENDED_IN_ERROR, error_body
from .finish import FAILED
from .frames import Content, Done, Failed, content_of
from .model_echo import ModelEcho
from .reply import read_answer
from .responses_shape import as_chat_body, is_responses_shaped
from .said import Said, WireAnswer
from .stream_encoder import DONE_FRAME
from .usage import read_usage

_FRAME: Final = re.compile(rb".*?\n\r?\n", re.DOTALL)
_USED: Final = re.compile(rb'"usage"(?!:null)').search
_FINISHED: Final = re.compile(rb'"finish_reason"(?!:null)\s*:\s*"[^"]').search
_IRREGULAR: Final = re.compile(rb"\n(?!\n(?:data: ?\{|\Z))(?<!\n\n)").search
"""A line end other than the blank line between two frames of one JSON object each."""
_INCLUDE_USAGE: Final = b'{"include_usage":true}'


def patch_request(body: JsonBody, target: Target) -> EncodedRequest:
    """The client's own bytes with the target's model, and usage asked for in streams."""
    if is_responses_shaped(body):
        body = as_chat_body(body)
    same = body.text("model") == target.model
    # Named also when it stays: that a body has one model only is checked where it would be changed.
    changes = {"model": body.raw("model") if same else msgspec.json.encode(target.model)}
    if body.value("stream") is True and (options := _with_usage(body)) is not None:
        changes["stream_options"] = options
    changes |= _effort_changes(body, target)
    return EncodedRequest(body.edited(changes))


def enforced(body: JsonBody, *, stream: bool) -> EncodedRequest:
    """An edited request, streamed or not as its answer is read, and with usage in its stream (0.3)."""
    changes: dict[str, bytes | None] = {}
    if (body.value("stream") is True) != stream:
        changes["stream"] = b"true" if stream else b"false"
    if stream and (options := _with_usage(body)) is not None:
        changes["stream_options"] = options
    return EncodedRequest(body.edited(changes))


def _effort_changes(body: JsonBody, target: Target) -> Mapping[str, bytes | None]:
    """What the target is to be asked for instead of the body's own; nothing of a model that cannot think."""
    if target.intent.mode != "unset":
        return {"reasoning_effort": msgspec.json.encode(write_effort(target.intent, target.thinking))}
    cannot = target.thinking is not None and not target.thinking.thinks
    return {"reasoning_effort": None} if cannot and "reasoning_effort" in body else {}


def _with_usage(body: JsonBody) -> bytes | None:
    """``stream_options`` that ask for usage; ``None`` to leave them as they are."""
    options = body.value("stream_options")
    if options is None:
        return _INCLUDE_USAGE
    if not isinstance(options, dict) or options.get("include_usage") is True:
        return None
    return JsonBody(body.raw("stream_options") or b"{}").edited({"include_usage": b"true"})


def asks_for_usage(body: JsonBody) -> bool:
    """Whether the client itself wants usage in its stream."""
    options = body.value("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def relay_reply(body: bytes, client_model: str, target: Target) -> RelayedReply:
    """The upstream's own bytes, under the model name that the client knows."""
    answer = read_answer(body)
    usage = read_usage(answer.usage) if answer.usage is not None else None
    if client_model != target.model and answer.model is not None:
        try:
            body = JsonBody(body).edited({"model": msgspec.json.encode(client_model)})
        except InvalidRequest:
            pass  # a body with a key that stands twice cannot be spliced; the client reads it as it is
    return RelayedReply(body=body, usage=usage)


class ChatRelay:
    """A `StreamPath`: one chat stream on its way to a client that speaks chat too.

    Until the first real content every frame is read; from then on only those that a search of the
    bytes marks as notable.
    """

    def __init__(self, *, keep_usage: bool, echo: ModelEcho | None) -> None:
        """``keep_usage``: the client asked for the chunk that brings nothing else."""
        self.committed = False
        self.complete = False
        self.error: ErrorDetail | None = None
        self.usage: Usage | None = None
        self._frames = FrameSplitter()
        self._keep_usage = keep_usage
        self._echo = echo
        self._finished = False
        self._over = False

    def feed(self, data: bytes) -> bytes:
        if self._over or not (block := self._frames.feed(data)):
            return b""
        self._finished = self._finished or _FINISHED(block) is not None
        if self.committed and not _notable(block):
            return self._echo.rewritten(block) if self._echo else block
        return b"".join(self._passed_on(_FRAME.findall(block)))

    def close(self) -> bytes:
        if self._over:
            return b""
        rest = self._frames.close()
        written = self._last_frame(rest) if rest.strip() else b""
        return written + self._ending()

    def _ending(self) -> bytes:
        """What is missing when the upstream closes: a told end, or an error (pain 13)."""
        if self._over:
            return b""
        self._over = True
        if self._finished:
            self.complete = True
            return DONE_FRAME
        return self.fail(CUT_SHORT)

    def fail(self, error: ErrorDetail) -> bytes:
        self.error = error
        self._over = True
        return data_frame(error_body(error))

    def _last_frame(self, rest: bytes) -> bytes:
        """What came without its blank line: passed on with one, unless it was cut off inside."""
        frame = rest.rstrip(b"\r\n") + b"\n\n"
        try:
            content = content_of(_without_ends(frame))
        except MalformedStream:
            return b""
        if not payload(_without_ends(frame)) and not isinstance(content[0], Failed):
            return b""
        self._finished = self._finished or _FINISHED(frame) is not None
        return self._judged(frame, content)

    def _passed_on(self, frames: Sequence[bytes]) -> list[bytes]:
        written: list[bytes] = []
        for frame in frames:
            if self._over:
                break  # nothing comes after the end, whatever the upstream says
            if self.committed and not _notable(frame):
                written.append(self._echo.rewritten(frame) if self._echo else frame)
            else:
                written.append(self._judged(frame, content_of(_without_ends(frame))))
        return written

    def _judged(self, frame: bytes, contents: Sequence[Content]) -> bytes:
        """The frame as the client gets it; ``b""`` if it gets nothing of it."""
        dropped = False
        for content in contents:
            if type(content) is WireAnswer:
                dropped = self._note(content)
            elif type(content) is Failed:
                return self.fail(content.error)
            elif type(content) is Done:
                return self._done(frame)
            if self.error is not None:
                return self.fail(self.error)
        if dropped:
            return b""
        return self._echo.rewritten(frame) if self._echo else frame

    def _done(self, frame: bytes) -> bytes:
        self.complete = self._over = True
        return frame

    def _note(self, chunk: WireAnswer) -> bool:
        """Takes in what a chunk tells; whether it is one that only we asked for."""
        if chunk.usage is not None and (usage := read_usage(chunk.usage)) is not None:
            self.usage = self.usage.updated(usage) if self.usage else usage
        for choice in chunk.choices or ():
            if choice.finish_reason == FAILED:
                self.error = ENDED_IN_ERROR
            said = choice.delta or choice.message
            if choice.finish_reason or (said is not None and _says_something(said)):
                self.committed = True
        return not chunk.choices and chunk.usage is not None and not self._keep_usage


def _notable(block: bytes) -> bool:
    """Whether whole frames hold anything but chunks of content. They pass unread if not."""
    return (
        not block.startswith((b"data: {", b"data:{"))
        or b'"error"' in block
        or _USED(block) is not None
        or _IRREGULAR(block) is not None
    )


def _says_something(said: Said) -> bool:
    return bool(said.content or said.refusal or said.calls() or said.images or said.thought())


def _without_ends(frame: bytes) -> bytes:
    return frame.replace(b"\r\n", b"\n").strip(b"\n")


def relay_of(body: JsonBody, client_model: str, target: Target) -> ChatRelay:
    """The relay for the answer to `body`."""
    echo = ModelEcho(client_model) if client_model != target.model else None
    return ChatRelay(keep_usage=asks_for_usage(body), echo=echo)
