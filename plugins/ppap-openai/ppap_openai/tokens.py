"""An estimate of input tokens, for upstreams that cannot be asked (translation spec, C.20).

Method: text is cut the way byte-pair tokenisers cut it before merging (words with the blank before
them, runs of up to three digits, punctuation, line ends), and each piece is given the number of
tokens that pieces of its kind and length have on average in a vocabulary of 200,000 tokens. No
vocabulary is shipped or fetched.

Accuracy: compared with o200k_base on English prose, Markdown tables, Python, JSON, German, Chinese
and Russian (November 2026) it was between 6 % below and 12 % above; with cl100k_base up to 27 %
below for Chinese and Russian. Images count a flat `TOKENS_PER_IMAGE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from ppap_core.conversation import Conversation, Image, Message, Part, Reasoning, Text, ToolCall, ToolResult

TOKENS_PER_MESSAGE: Final = 3
"""What a chat template adds around each item: role and separators."""
TOKENS_PER_IMAGE: Final = 765
"""What OpenAI bills for 1024 × 1024 pixels in high detail; the real size is not looked at."""

_PIECE: Final = re.compile(
    r"(?P<word>[ ]?[A-Za-z]+)"
    r"|(?P<digits>\d{1,3})"
    r"|(?P<dense>[぀-ヿ㐀-鿿가-힣])"
    r"|(?P<letters>[ ]?[^\W\d_]+)"
    r"|(?P<blank>\s+)"
    r"|(?P<mark>[ ]?(?:[^\w\s]|_)+)"
    r"|(?P<other>.)"
)


def estimate(conversation: Conversation) -> int:
    """Input tokens of a request, as its upstream would count them, roughly."""
    texts = list(_texts(conversation))
    images = sum(isinstance(part, Image) for item in conversation.items for part in _parts(item))
    framing = TOKENS_PER_MESSAGE * (len(conversation.items) + 1)
    return sum(map(tokens_in, texts)) + images * TOKENS_PER_IMAGE + framing


def tokens_in(text: str) -> int:
    """Estimated tokens of a text; 0 for an empty one."""
    total = 0.0
    for piece in _PIECE.finditer(text):
        total += _WEIGHT[piece.lastgroup or "other"](piece.end() - piece.start())
    return round(total)


def _word(length: int) -> float:
    return 1.0 if length <= 8 else 1.0 + (length - 8) / 6


def _letters(length: int) -> float:
    return max(1.0, length / 4)


def _mark(length: int) -> float:
    return max(1.0, length / 3.5)


def _blank(length: int) -> float:
    return 0.8 if length > 1 else 0.4


def _digits(length: int) -> float:
    return 1.0


def _dense(length: int) -> float:
    return 0.65


def _other(length: int) -> float:
    return 2.0


_WEIGHT: Final = {
    "word": _word,
    "digits": _digits,
    "dense": _dense,
    "letters": _letters,
    "blank": _blank,
    "mark": _mark,
    "other": _other,
}


def _texts(conversation: Conversation) -> Iterator[str]:
    """Everything of a request that a model reads as text."""
    for item in conversation.items:
        yield from (part.text for part in _parts(item) if isinstance(part, Text))
        if isinstance(item, Reasoning):
            yield item.text
        elif isinstance(item, ToolCall):
            yield from (item.name, item.arguments)
        elif isinstance(item, ToolResult) and isinstance(item.content, str):
            yield item.content
    for tool in conversation.tools:
        yield from (tool.name, tool.description or "", _json(tool.schema))
    if conversation.output is not None:
        yield from (conversation.output.name or "", _json(conversation.output.schema))


def _parts(item: object) -> Sequence[Part]:
    if isinstance(item, Message):
        return item.parts
    if isinstance(item, ToolResult) and not isinstance(item.content, str):
        return item.content
    return ()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode() if value else ""
