"""Requests that come as ``multipart/form-data``: read, and written again under another model's name."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import attrs
import msgspec
import multipart  # type: ignore[import-untyped]

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

MEDIA_TYPE: Final = "multipart/form-data"
_TRUE: Final = ("1", "true", "yes", "on")
_NUMBERS: Final = ("output_compression", "partial_images")


@attrs.frozen(kw_only=True)
class Field:
    """One part. ``filename`` is ``None`` for a text."""

    name: str
    filename: str | None = None
    media_type: str = ""
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Form:
    """A form as it came: ``data`` is the whole of it, in the framing that ``media_type`` names."""

    fields: Sequence[Field]
    data: bytes = attrs.field(repr=False)
    media_type: str

    def files(self, name: str) -> list[Field]:
        return [field for field in self.fields if field.name == name and field.filename is not None]

    def with_model(self, model: str) -> Form:
        """The same, with another ``model``."""
        told = [field.data for field in self.fields if field.name == "model"]
        if told == [model.encode()]:
            return self
        others = [field for field in self.fields if field.name != "model"]
        return written([Field(name="model", data=model.encode()), *others])


class FormBody(JsonBody):
    """A form whose texts are looked at like a JSON object; its files stay where they are."""

    __slots__ = ("form",)

    def __init__(self, form: Form) -> None:
        self.form = form
        texts = {field.name: _value(field) for field in form.fields if field.filename is None}
        super().__init__(msgspec.json.encode(texts))


def read_form(data: bytes, media_type: str) -> FormBody:
    """Raises `InvalidRequest`."""
    _, options = multipart.parse_options_header(media_type)
    room = len(data) + 1
    try:
        parser = multipart.MultipartParser(
            BytesIO(data), options.get("boundary", ""), spool_limit=room, memory_limit=room
        )
        fields = [_field(part) for part in parser.parts()]
    except (multipart.MultipartError, UnicodeError, ValueError) as error:
        raise InvalidRequest(f"Invalid request: the body is not a whole form: {error}") from None
    return FormBody(Form(fields, data, media_type))


def _field(part: Any) -> Field:
    return Field(
        name=part.name,
        filename=part.filename,
        media_type=part.content_type if part.filename is not None else "",
        data=part.raw,
    )


def _value(field: Field) -> Any:
    """A text as JSON clients would have written it. Raises `InvalidRequest`."""
    try:
        text = field.data.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"Invalid request: `{field.name}` is not UTF-8", param=field.name) from None
    if field.name == "stream":
        return text.strip().lower() in _TRUE
    if field.name in _NUMBERS:
        return int(text) if text.strip().isdecimal() else 0
    return text


def written(fields: Sequence[Field]) -> Form:
    """A form in a framing of its own."""
    boundary = secrets.token_hex(16)
    parts = [b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), _head(field), field.data) for field in fields]
    return Form(
        fields, b"%b--%b--\r\n" % (b"".join(parts), boundary.encode()), f"{MEDIA_TYPE}; boundary={boundary}"
    )


def _head(field: Field) -> bytes:
    named = f'Content-Disposition: form-data; name="{_quoted(field.name)}"'
    if field.filename is None:
        return named.encode()
    return f'{named}; filename="{_quoted(field.filename)}"\r\nContent-Type: {field.media_type}'.encode()


_ESCAPES: Final[Mapping[int, str]] = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


def _quoted(text: str) -> str:
    return text.translate(_ESCAPES)
