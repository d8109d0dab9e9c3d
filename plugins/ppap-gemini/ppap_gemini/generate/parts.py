"""What a part of a content says: the fields of one, typed (Gemini spec, 4.2 and 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ppap_core.conversation import Part, Text
from ppap_core.conversation.kept import Kept, kept, text_of

from .media import Blob, FileData, read_blob, read_file
from .usage import NOTHING

_OUTPUT_KEYS: Final = ("result", "output")
"""Where the value of a result stands, if it stands alone. Google's own clients say ``output``."""


class FunctionCall(msgspec.Struct):
    """``args`` keep the sender's own text."""

    name: str = ""
    args: msgspec.Raw = NOTHING
    id: str | None = None

    @property
    def arguments(self) -> str:
        """JSON text of an object; ``{}`` when there are none."""
        text = bytes(self.args).decode()
        return "{}" if text in ("", "null") else text


class _ResponsePart(msgspec.Struct, rename="camel"):
    inline_data: Blob | None = None


class FunctionResponse(msgspec.Struct):
    """``parts`` are images that the function gave."""

    name: str = ""
    response: msgspec.Raw = NOTHING
    id: str | None = None
    parts: list[_ResponsePart] | None = None


class Code(msgspec.Struct):
    """Code that the model wrote and the provider ran."""

    language: str | None = None
    code: str | None = None


class CodeResult(msgspec.Struct):
    """What came of it."""

    output: str | None = None


class PartFields(msgspec.Struct, rename="camel", gc=False):
    """One of these is set, besides the flags."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: Code | None = None
    code_execution_result: CodeResult | None = None


def visible(fields: PartFields) -> Part | None:
    """What a part shows: text, media, or code as text; ``None`` if it shows nothing."""
    if fields.text:
        return Text(fields.text)
    if fields.inline_data is not None:
        return read_blob(fields.inline_data)
    if fields.file_data is not None:
        return read_file(fields.file_data)
    fenced = code_text(fields)
    return Text(fenced) if fenced else None


def code_text(fields: PartFields) -> str:
    """Code and its output as fenced text, which every format can carry; empty for other parts."""
    if fields.executable_code is not None and fields.executable_code.code:
        language = (fields.executable_code.language or "").lower()
        return f"\n```{language}\n{fields.executable_code.code.rstrip()}\n```\n"
    if fields.code_execution_result is not None and fields.code_execution_result.output:
        return f"\n```\n{fields.code_execution_result.output.rstrip()}\n```\n"
    return ""


def result_content(response: FunctionResponse) -> tuple[Kept | Sequence[Part], bool | None]:
    """The content of a result, and whether it is an error (``None``: not said)."""
    text, failed = _result_text(response.response)
    blobs = [part.inline_data for part in response.parts or () if part.inline_data is not None]
    media = [part for blob in blobs if (part := read_blob(blob)) is not None]
    if not media:
        return text, failed
    return ([Text(text_of(text)), *media] if text else media), failed


def _result_text(raw: msgspec.Raw) -> tuple[Kept, bool | None]:
    if bytes(raw) in (b"", b"null"):
        return "", None
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    if len(fields) == 1:
        for key in (*_OUTPUT_KEYS, "error"):
            if key in fields:
                return _plain(fields[key]), True if key == "error" else None
    if "result" in fields:
        return _plain(fields["result"]), None
    return bytes(raw).decode(), None


def _plain(raw: msgspec.Raw) -> Kept:
    """A string as it reads, any other value as JSON."""
    return kept(raw) if bytes(memoryview(raw)[:1]) == b'"' else bytes(raw).decode()
