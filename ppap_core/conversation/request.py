"""A request in no format's words (translation spec, section A.1).

A conversation is a flat, ordered list of items, not nested turns: that keeps the interleaving of
reasoning, text and tool calls. Encoders that need turns group them (`grouping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
from msgspec import Raw

from .kept import Kept, text_of
from .thinking import ThinkingIntent

Role: TypeAlias = Literal["system", "developer", "user", "assistant"]
ToolKind: TypeAlias = Literal["function", "custom"]
Extras: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What only one format knows: format name → JSON object. Given back to that format only."""
CacheControl: TypeAlias = Mapping[str, Any]
"""A prompt-cache breakpoint as the client wrote it, e.g. ``{"type": "ephemeral", "ttl": "1h"}``."""


@attrs.frozen(kw_only=True)
class Text:
    text: str = attrs.field(kw_only=False)
    annotations: Sequence[Mapping[str, Any]] = ()
    cache: CacheControl | None = None


@attrs.frozen
class Refusal:
    """The model's own words for declining."""

    text: str


@attrs.frozen(kw_only=True)
class Image:
    """One of ``url`` (http or https), ``data`` (base64 text) or ``file_id`` is set."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    file_id: str | None = None
    detail: str | None = None
    cache: CacheControl | None = None


@attrs.frozen(kw_only=True)
class File:
    """A document: one of ``data`` (base64 text), ``text``, ``url`` or ``file_id`` is set."""

    data: str | None = None
    text: str | None = None
    url: str | None = None
    file_id: str | None = None
    media_type: str | None = None
    filename: str | None = None
    title: str | None = None
    context: str | None = None
    citations: bool | None = None
    cache: CacheControl | None = None


@attrs.frozen
class Audio:
    format: str
    data: str
    """Base64 text."""


@attrs.frozen
class OpaquePart:
    """A content part no other format can express; only ``format`` gets it back."""

    format: str
    value: Mapping[str, Any]


Part: TypeAlias = Text | Refusal | Image | File | Audio | OpaquePart


@attrs.frozen(kw_only=True)
class Message:
    role: Role
    parts: Sequence[Part] = ()
    name: str | None = None
    id: str | None = None
    cache: CacheControl | None = None
    """A breakpoint set on the whole message; a part's own one wins."""
    extras: Extras = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Reasoning:
    """Thinking that the model showed, or an opaque token that lets it continue.

    ``signature`` is verified by whoever issued it; ``origin`` says which wire format that was
    (``None``: unknown), so that an encoder never sends it to somebody else (C.6).
    """

    segments: Sequence[str] = ()
    signature: str | None = None
    redacted_data: str | None = None
    origin: str | None = None
    id: str | None = None
    role: Role = "assistant"

    @property
    def text(self) -> str:
        """All segments, a blank line between them."""
        return "\n\n".join(segment for segment in self.segments if segment)


@attrs.frozen(kw_only=True)
class ToolCall:
    """``name`` is the client's own name for the tool; ``arguments`` is always the raw text."""

    call_id: str
    name: str
    arguments: str = ""
    kind: ToolKind = "function"
    namespace: str | None = None
    item_id: str | None = None
    cache: CacheControl | None = None


def _read(content: Kept | Sequence[Part]) -> str | Sequence[Part]:
    return text_of(content) if isinstance(content, Raw) else content


def _shown(content: Kept | Sequence[Part]) -> str:
    return repr(_read(content))


@attrs.frozen(kw_only=True)
class ToolResult:
    """``kept`` is its content as an encoder writes it: a long text as the client's JSON (`kept`)."""

    call_id: str
    kept: Kept | Sequence[Part] = attrs.field(default="", alias="content", eq=_read, repr=_shown)
    kind: ToolKind = "function"
    is_error: bool | None = None
    cache: CacheControl | None = None

    @property
    def content(self) -> str | Sequence[Part]:
        """Its text, read anew each time if it is long, or its parts."""
        return _read(self.kept)


@attrs.frozen(kw_only=True)
class WebSource:
    """A page that a search found; ``title`` is empty where it tells none."""

    url: str
    title: str = ""


@attrs.frozen(kw_only=True)
class WebSearch:
    """A search of the web that the provider ran. ``id`` and ``query`` are empty where it tells none."""

    id: str = ""
    query: str = ""
    sources: Sequence[WebSource] = ()


@attrs.frozen(kw_only=True)
class ServerToolItem:
    """A tool that the provider itself ran. ``value`` is the item as ``format`` wrote it.

    ``image`` is the picture that it made, ``search`` what it looked for: for formats that show one
    without knowing the tool.
    """

    format: str
    value: Mapping[str, Any]
    role: Role = "assistant"
    image: Image | None = None
    search: WebSearch | None = None


@attrs.frozen(kw_only=True)
class OpaqueItem:
    """An item no other format can express; only ``format`` gets it back."""

    format: str
    value: Mapping[str, Any]


Item: TypeAlias = Message | Reasoning | ToolCall | ToolResult | ServerToolItem | OpaqueItem


@attrs.frozen(kw_only=True)
class Tool:
    """``kind`` is ``function``, ``custom`` (free text in), or a built-in's name such as ``web_search``.

    ``schema`` is the JSON schema of a function's arguments, ``None`` when none was given;
    ``definition`` is the whole tool as ``format`` wrote it, for built-ins and unknown fields.
    ``namespace`` is what the client declared it in; ``name`` tells it from all other tools without that.
    """

    kind: str = "function"
    name: str = ""
    description: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None
    namespace: str | None = None
    cache: CacheControl | None = None
    format: str = ""
    definition: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ToolChoice:
    """``named`` uses ``name``; ``allowed`` uses ``names``; ``native`` is ``format``'s own ``value``."""

    mode: Literal["unset", "auto", "none", "required", "named", "allowed", "native"] = "unset"
    name: str | None = None
    kind: str = "function"
    names: Sequence[str] = ()
    required: bool = False
    """For ``allowed``: whether one of the names must be called."""
    format: str = ""
    value: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True)
class Sampling:
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    logit_bias: Mapping[str, float] | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


@attrs.frozen(kw_only=True)
class OutputFormat:
    kind: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None
    verbosity: str | None = None


@attrs.frozen(kw_only=True)
class Identity:
    """Who the client says its own end user is; opaque, never made up by us."""

    user: str | None = None
    metadata: Mapping[str, Any] = attrs.field(factory=dict)
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None


@attrs.frozen(kw_only=True)
class Conversation:
    """One request. ``format`` names the wire format it was read from; ``model`` is as sent."""

    model: str
    format: str
    items: Sequence[Item] = ()
    stream: bool = False
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice = ToolChoice()
    parallel_tool_calls: bool | None = None
    sampling: Sampling = Sampling()
    max_output_tokens: int | None = None
    stop: Sequence[str] = ()
    output: OutputFormat | None = None
    thinking: ThinkingIntent = ThinkingIntent()
    identity: Identity = attrs.field(factory=Identity)
    service_tier: str | None = None
    store: bool | None = None
    include_usage: bool = False
    """The client asked for usage in the stream."""
    continues: str | None = None
    """The field that points to an earlier answer, which some upstream keeps; ``None``: all is in here."""
    prefills: bool = False
    """Clients of the format mean a last assistant message as the beginning of the answer; to others it is
    what was said before."""
    betas: Sequence[str] = ()
    extras: Extras = attrs.field(factory=dict)
