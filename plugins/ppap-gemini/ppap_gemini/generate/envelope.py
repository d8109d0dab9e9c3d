"""The envelope of Code Assist, which Gemini CLI speaks after a login (Gemini spec, 1).

    {"model": …, "project": …, "request": {…}}        a request; what the format says stands inside
    {"response": {…}}                                 an answer, and each chunk of a stream

Errors and token counts have none.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody
from ppap_core.wire.sse import FrameSplitter, data_frame, frames, payload

from .usage import NOTHING

NAME: Final = "gemini-cli"
REQUEST: Final = "request"
_ERROR: Final = b'{"error"'


class _Answer(msgspec.Struct):
    response: msgspec.Raw = NOTHING


_answer: Final = msgspec.json.Decoder(_Answer).decode


def inner(body: JsonBody) -> JsonBody:
    """The request proper. Raises `InvalidRequest` if there is none."""
    raw = body.raw(REQUEST)
    if raw is None or not raw.startswith(b"{"):
        raise InvalidRequest(f"Invalid request: `{REQUEST}` must be an object", param=REQUEST)
    return JsonBody(raw)


def enveloped(request: bytes, model: str) -> bytes:
    return b'{"model":%b,"request":%b}' % (msgspec.json.encode(model), request)


def for_project(body: bytes, project: str) -> bytes:
    """An enveloped request for a credential's project, which may be empty."""
    return JsonBody(body).edited({"project": msgspec.json.encode(project)})


def closed(answer: bytes) -> bytes:
    """An answer, or a chunk of one, in its envelope. An error is sent bare."""
    return answer if answer.lstrip().startswith(_ERROR) else b'{"response":%b}' % answer


def opened(answer: bytes) -> bytes:
    """What is in the envelope; what has none, or is no JSON, as it is."""
    try:
        response = _answer(answer).response
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return answer
    return answer if bytes(response) in (b"", b"null") else bytes(response)


def closed_frames(whole: bytes) -> bytes:
    """Whole frames of bare chunks as those of enveloped ones; blank lines between them are kept alive."""
    written = [data_frame(closed(data)) for frame in frames(whole) if (data := payload(frame))]
    return b"".join(written) if written else whole


class Opening:
    """A stream of enveloped chunks as one of bare ones; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._splitter = FrameSplitter()

    def feed(self, data: bytes) -> bytes:
        """Raises `MalformedStream` for a frame without end."""
        whole = self._splitter.feed(data)
        return b"".join(data_frame(opened(told)) for frame in frames(whole) if (told := payload(frame)))

    def close(self) -> bytes:
        """A last frame without its blank line."""
        told = payload(self._splitter.close().replace(b"\r\n", b"\n").strip(b"\n"))
        return b"data: " + opened(told) if told else b""
