"""The token estimate stays near to what real tokenisers count."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from ppap_openai.tokens import TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE, estimate, tokens_in

from ppap_core.conversation import (
    Conversation,
    Image,
    Message,
    OutputFormat,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from ppap_core.testing.strategies import words


def asked(*items: object, **fields: object) -> Conversation:
    return Conversation(model="m", format="x", items=items, **fields)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(words, words)
def test_more_text_is_never_fewer_tokens(one: str, other: str) -> None:
    """Joining texts with a line end counts about as much as counting them apart."""
    together = tokens_in(f"{one}\n{other}")
    assert together >= max(tokens_in(one), tokens_in(other))
    assert together <= tokens_in(one) + tokens_in(other) + 3


def test_everything_a_model_reads_is_counted() -> None:
    """Messages, calls, results, tools, structured output, and images count."""
    question = Message(role="user", parts=(Text("What is the weather in Paris?"),))
    plain = estimate(asked(question))
    assert plain == tokens_in("What is the weather in Paris?") + 2 * TOKENS_PER_MESSAGE
    call = ToolCall(call_id="a", name="get_weather", arguments='{"city": "Paris"}')
    result = ToolResult(call_id="a", content="18 degrees")
    assert estimate(asked(question, call, result)) > plain
    assert estimate(asked(question, tools=(Tool(name="f", schema={"type": "object"}),))) > plain
    assert estimate(asked(question, output=OutputFormat(name="out", schema={"type": "object"}))) > plain
    pictured = Message(role="user", parts=(*question.parts, Image(url="https://x.example/a.png")))
    assert estimate(asked(pictured)) == plain + TOKENS_PER_IMAGE


PROSE = """A stream decoder turns the bytes of one read into the events they complete; it holds at most \
one unfinished frame."""
PYTHON = '''def feed(self, data: bytes) -> list[Event]:
    """The events that this read completes."""
    return [event for frame in self._frames(data) for event in self._events(frame)]'''
MEASURED = [
    (PROSE, 23),
    (PYTHON, 42),
    ("Die Übersetzung zwischen den Formaten soll verlustfrei sein, soweit das Zielformat es kann.", 21),
    ("代理服务器在收到请求之后,会根据模型名称选择合适的上游账户。", 19),
]
"""Text → tokens in o200k_base, counted with js-tiktoken 1.0 in November 2026."""


@pytest.mark.parametrize(("text", "counted"), MEASURED, ids=["prose", "python", "german", "chinese"])
def test_an_estimate_is_near_the_real_count(text: str, counted: int) -> None:
    """Within a fifth of what a real tokeniser counts."""
    assert tokens_in(text) == pytest.approx(counted, rel=0.2)


def test_nothing_is_no_tokens() -> None:
    """An empty text has none."""
    assert tokens_in("") == 0
