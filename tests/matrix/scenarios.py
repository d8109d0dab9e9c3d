"""One conversation for each feature: what the client asks, what the model answers, what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from ppap_core.testing.strategies import PIXEL

from ..dialects import Call, Tokens, Turn
from .asking import Document, Function, Message, Part, Picture, Request, Result, Shape, Words

HELLO: Final = Message("user", [Words("What does the sign say?")])
PICTURE: Final = Picture(data=PIXEL, detail="high")
PDF: Final = "JVBERi0xLjQKJUVPRgo="
"""Base64 of the shortest thing that calls itself a PDF."""
LOOK_UP: Final = Function(
    name="look_up",
    description="Looks a word up",
    schema={"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
)
COUNT: Final = Function(
    name="count",
    description="Counts letters",
    schema={
        "type": "object",
        "properties": {"word": {"type": "string"}, "letters": {"type": "array", "items": {"type": "string"}}},
        "required": ["word", "letters"],
    },
)
STRICT: Final = attrs.evolve(LOOK_UP, strict=True, schema={**LOOK_UP.schema, "additionalProperties": False})
SHAPE: Final = Shape(
    name="sign",
    schema={
        "type": "object",
        "properties": {"words": {"type": "string"}, "lines": {"type": "integer"}},
        "required": ["words", "lines"],
        "additionalProperties": False,
    },
)
ONE_CALL: Final = [Call("call_one", "look_up", {"word": "Grüße"})]
TWO_CALLS: Final = [*ONE_CALL, Call("call_two", "count", {"word": "otto", "letters": ["o", "t"]})]
DONE: Final = Turn(text="It says: mind the gap.")


@attrs.frozen(kw_only=True)
class Scenario:
    """A feature, in one exchange or two.

    ``about``: the facts that the feature consists of, in the request and in the answer. ``then`` is
    what the client says next, after the model's own answer, and ``last`` what it hears to that.
    """

    name: str
    about: Sequence[str]
    request: Request
    turn: Turn = DONE
    then: Sequence[Part] = ()
    last: Turn = DONE


_SCENARIOS: Final = [
    Scenario(
        name="text",
        about=("texts", "text", "temperature", "effort", "built in tools", "ending", "model"),
        request=Request(messages=[HELLO], temperature=0.5),
        turn=Turn(text='It says: "Grüße,\n世界".'),
    ),
    Scenario(
        name="several system messages",
        about=("instructions", "late instructions", "ranks", "flow"),
        request=Request(
            messages=[
                Message("system", [Words("Be brief.")]),
                Message("developer", [Words("Answer in English.")]),
                HELLO,
                Message("system", [Words("The sign is yellow.")]),
                Message("user", [Words("Well?")]),
            ]
        ),
    ),
    Scenario(
        name="images",
        about=("images", "image details", "flow"),
        request=Request(
            messages=[
                Message("user", [Words("Compare:"), PICTURE, Picture(url="https://example.com/sign.png")])
            ]
        ),
    ),
    Scenario(
        name="PDF",
        about=("documents", "document names", "flow"),
        request=Request(
            messages=[Message("user", [Document(name="sign.pdf", data=PDF), Words("Summarise it.")])]
        ),
    ),
    Scenario(
        name="tools",
        about=("tools", "strict tools", "choice", "parallel", "calls", "results"),
        request=Request(messages=[HELLO], tools=[STRICT], choice="look_up", parallel=False),
        turn=Turn(text="I look it up.", calls=ONE_CALL),
        then=[Result(0, [Words("A greeting.")])],
    ),
    Scenario(
        name="parallel tools",
        about=("tools", "choice", "parallel", "calls", "results"),
        request=Request(messages=[HELLO], tools=[LOOK_UP, COUNT], choice="auto"),
        turn=Turn(calls=TWO_CALLS),
        then=[Result(0, [Words("A greeting.")]), Result(1, [Words('{"o": 2, "t": 2}')]), Words("And now?")],
    ),
    Scenario(
        name="tool results with images",
        about=("results", "result images"),
        request=Request(messages=[HELLO], tools=[LOOK_UP, COUNT], choice="required"),
        turn=Turn(calls=TWO_CALLS),
        then=[Result(0, [Words("See the picture."), Picture(data=PIXEL)]), Result(1, [Words("Four.")])],
    ),
    Scenario(
        name="thinking with replay",
        about=("effort", "thoughts", "signatures", "thought", "signed", "reasoning"),
        request=Request(messages=[HELLO], effort="high"),
        turn=Turn(thought="The letters are small.", text="Mind the gap?", tokens=Tokens(reasoning=12)),
        then=[Words("Are you sure?")],
    ),
    Scenario(
        name="thinking between tools",
        about=("effort", "thoughts", "signatures", "signed", "calls", "results"),
        request=Request(messages=[HELLO], tools=[LOOK_UP, COUNT], effort="high"),
        turn=Turn(thought="I need both.", calls=TWO_CALLS, tokens=Tokens(reasoning=12)),
        then=[Result(0, [Words("A greeting.")]), Result(1, [Words("Four.")])],
    ),
    Scenario(
        name="structured output",
        about=("schema", "schema name"),
        request=Request(messages=[HELLO], shape=SHAPE),
        turn=Turn(text='{"words": "Mind the gap", "lines": 1}'),
    ),
    Scenario(
        name="stop sequences",
        about=("stop", "stopped by", "ending"),
        request=Request(messages=[HELLO], stop=["END", "###"]),
        turn=Turn(text="Mind the gap", ending="stop_sequence", stopped_by="END"),
    ),
    Scenario(
        name="refusal",
        about=("text", "ending"),
        request=Request(messages=[HELLO]),
        turn=Turn(text="I will not read that.", ending="refusal"),
    ),
    Scenario(
        name="truncation",
        about=("limit", "ending"),
        request=Request(messages=[HELLO]),
        turn=Turn(text="Mind the", ending="length"),
    ),
    Scenario(
        name="usage with cache",
        about=("uncached", "cache read", "cache write", "output", "reasoning"),
        request=Request(messages=[HELLO]),
        turn=Turn(
            text="Yes.", tokens=Tokens(uncached=70, cache_read=40, cache_write=10, output=9, reasoning=4)
        ),
    ),
]
SCENARIOS: Final[Mapping[str, Scenario]] = {scenario.name: scenario for scenario in _SCENARIOS}
ERRORS: Final = "errors"
"""The feature that needs no conversation: its cells are checked by test_errors."""
