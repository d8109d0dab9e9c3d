"""A request in no format's words: what a client of the matrix asks, and what an upstream must hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

LIMIT: Final = 30_000
"""Tokens that every request of the matrix allows for the answer; Messages demands a limit."""
Role: TypeAlias = Literal["system", "developer", "user"]


@attrs.frozen
class Words:
    text: str


@attrs.frozen(kw_only=True)
class Picture:
    """Either ``data`` (base64 text) or ``url``."""

    data: str = ""
    url: str = ""
    media: str = "image/png"
    detail: str | None = None

    @property
    def source(self) -> str:
        """As a data URL, or the URL itself."""
        return self.url or f"data:{self.media};base64,{self.data}"


@attrs.frozen(kw_only=True)
class Document:
    """``data`` is base64 text."""

    name: str
    data: str
    media: str = "application/pdf"

    @property
    def source(self) -> str:
        return f"data:{self.media};base64,{self.data}"


@attrs.frozen
class Result:
    """The outcome of the model's call of that number, in the order of the calls."""

    call: int
    parts: Sequence[Words | Picture]


Part: TypeAlias = Words | Picture | Document | Result


@attrs.frozen
class Message:
    role: Role
    parts: Sequence[Part]


@attrs.frozen(kw_only=True)
class Function:
    name: str
    description: str
    schema: Mapping[str, Any]
    strict: bool = False


@attrs.frozen(kw_only=True)
class Shape:
    """The JSON schema that the answer must have."""

    name: str
    schema: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Request:
    """``None`` and empty: the client says nothing of it.

    ``choice`` is ``auto``, ``none``, ``required`` or the name of a tool; ``effort`` a thinking level.
    """

    messages: Sequence[Message]
    tools: Sequence[Function] = ()
    choice: str | None = None
    parallel: bool | None = None
    stop: Sequence[str] = ()
    temperature: float | None = None
    shape: Shape | None = None
    effort: str | None = None

    @property
    def leading(self) -> Sequence[Message]:
        """The instructions that stand before all else."""
        spoken = next((n for n, message in enumerate(self.messages) if message.role == "user"), 0)
        return self.messages[:spoken]

    @property
    def spoken(self) -> Sequence[Message]:
        """What follows them; later instructions stand among it."""
        return self.messages[len(self.leading) :]
