"""What changes between formats, and by which rule: the source of docs/translation.md and of the tests.

A cell of the matrix expects the facts of its scenario, less what the client or the upstream has no
words for (`SILENCES`), less what the way between them takes (`LOSSES`). Both are exact: what is lost
without a row fails, and so does a row whose loss does not happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from .facts import Facts

ABSENT: Final = None
Way: TypeAlias = Literal["asked", "replayed", "answered"]
"""Of a request; of one that brings the model's own answer back, besides; of an answer."""


@attrs.frozen
class Without:
    """A list fact that loses all its entries of one kind."""

    entry: str


@attrs.frozen
class Instead:
    """A list fact in which an entry becomes another."""

    entry: str
    other: str


@attrs.frozen(kw_only=True)
class Loss:
    """Facts that arrive changed, and why.

    ``clients`` and ``upstreams`` are those it is true for, empty for all. ``becomes`` is what
    arrives instead of a fact that was there; ``invents``, what arrives where nothing was.
    ``spec`` names the sections of the translation specs that decide it.
    """

    way: Way
    clients: Sequence[str] = ()
    upstreams: Sequence[str] = ()
    scenario: str | None = None
    becomes: Mapping[str, Any] = attrs.field(factory=dict)
    invents: Mapping[str, Any] = attrs.field(factory=dict)
    rule: str
    spec: str

    def holds(self, way: Way, client: str, upstream: str, scenario: str) -> bool:
        ways = ("asked", "replayed") if way == "replayed" else (way,)
        return (
            self.way in ways
            and client in (self.clients or (client,))
            and upstream in (self.upstreams or (upstream,))
            and scenario == (self.scenario or scenario)
        )

    def applied(self, facts: Facts) -> Facts:
        """The facts after this loss."""
        changed = {fact: _left(facts[fact], left) for fact, left in self.becomes.items() if fact in facts}
        invented = {fact: made_up for fact, made_up in self.invents.items() if fact not in facts}
        left = {**facts, **changed, **invented}
        return {fact: value for fact, value in left.items() if value is not ABSENT}


def _left(value: Any, left: Any) -> Any:
    match left:
        case Without(entry):
            return [each for each in value if each != entry] or ABSENT
        case Instead(entry, other):
            return [other if each == entry else each for each in value]
        case _:
            return left


GOOGLE: Final = ("gemini", "vertex")
LATE: Final = "several system messages"
_LATE_TEXT: Final = "The sign is yellow."

SILENCES: Final[Sequence[Loss]] = (
    # What clients cannot ask.
    Loss(
        way="asked",
        clients=["responses"],
        becomes={"stop": ABSENT},
        rule="Responses has no stop sequences.",
        spec="A.2.5",
    ),
    Loss(
        way="asked",
        clients=["messages", "gemini"],
        becomes={"image details": ABSENT},
        rule="Messages and Gemini have no word for the detail of an image.",
        spec="A.2.2",
    ),
    Loss(
        way="asked",
        clients=["gemini"],
        becomes={"document names": ABSENT},
        rule="Gemini's documents have no names.",
        spec="Gemini 4.2",
    ),
    Loss(
        way="asked",
        clients=["messages", "gemini"],
        becomes={"schema name": ABSENT},
        rule="Messages and Gemini do not name the schema of an answer.",
        spec="Gemini 9.2",
    ),
    Loss(
        way="asked",
        clients=["gemini"],
        becomes={"parallel": ABSENT, "strict tools": ABSENT},
        rule="Gemini can neither forbid parallel calls nor ask for strict arguments.",
        spec="Gemini 5.1, 5.5",
    ),
    Loss(
        way="asked",
        clients=["messages", "gemini"],
        becomes={"ranks": Instead("developer", "system")},
        rule="Messages and Gemini know one rank of instructions.",
        spec="A.2.1",
    ),
    Loss(
        way="asked",
        clients=["gemini"],
        scenario=LATE,
        becomes={
            "late instructions": ABSENT,
            "ranks": ["system", "system"],
            "flow": ["user text", "user text", "user text"],
            "texts": ["What does the sign say?", _LATE_TEXT, "Well?"],
        },
        rule="Gemini's instructions all stand at the beginning; later ones are a user's text.",
        spec="Gemini 4.3",
    ),
    # What upstreams cannot answer.
    Loss(
        way="answered",
        upstreams=["chat", "codex", *GOOGLE],
        scenario="stop sequences",
        becomes={"stopped by": ABSENT, "ending": "stop"},
        rule="Only Messages says that a stop sequence ended the answer, and which.",
        spec="C.10",
    ),
    Loss(
        way="answered",
        upstreams=["chat"],
        becomes={"signed": ABSENT},
        rule="Chat's thoughts are not signed.",
        spec="A.2.4",
    ),
    Loss(
        way="answered",
        upstreams=GOOGLE,
        scenario="usage with cache",
        becomes={"cache write": ABSENT, "uncached": 80},
        rule="Gemini does not count what is written into a cache.",
        spec="Gemini 13",
    ),
)

_CLEANED: Final = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
    "description": "No extra properties allowed",
}

LOSSES: Final[Sequence[Loss]] = (
    # Instructions.
    Loss(
        way="asked",
        clients=["chat", "responses"],
        upstreams=["messages"],
        scenario=LATE,
        becomes={
            "instructions": ["Be brief.", "Answer in English.", _LATE_TEXT],
            "late instructions": ABSENT,
            "flow": Without("late instruction"),
        },
        rule="A system message in the middle is lifted to the other instructions, in order.",
        spec="A.2.1, C.5",
    ),
    Loss(
        way="asked",
        clients=["messages"],
        upstreams=["chat", "codex"],
        scenario=LATE,
        becomes={"flow": Instead("late instruction", "reminder"), "ranks": ["system", "system"]},
        rule="A system message in the middle is a user's text in `<system-reminder>` at its place.",
        spec="A.2.1",
    ),
    Loss(
        way="asked",
        clients=["chat", "responses", "messages"],
        upstreams=GOOGLE,
        scenario=LATE,
        becomes={"flow": Instead("late instruction", "reminder"), "ranks": ["system", "system"]},
        rule="A system message in the middle is a user's text in `<system-reminder>` at its place.",
        spec="A.2.1, Gemini 4.1",
    ),
    Loss(
        way="asked",
        upstreams=["messages", *GOOGLE],
        becomes={"ranks": Instead("developer", "system")},
        rule="A developer's text is system text: there is one rank of instructions.",
        spec="A.2.1",
    ),
    Loss(
        way="asked",
        clients=["responses"],
        upstreams=["chat"],
        becomes={"ranks": Instead("developer", "system")},
        rule="A developer's text is system text: few upstreams of Chat know the role.",
        spec="C.5",
    ),
    Loss(
        way="asked",
        clients=["chat", "messages", "gemini"],
        upstreams=["codex"],
        becomes={"ranks": Instead("system", "developer")},
        rule="System text is a developer's text: Codex's backend takes no system messages.",
        spec="B.3.1, C.5",
    ),
    Loss(
        way="asked",
        clients=["responses"],
        upstreams=["codex"],
        scenario=LATE,
        becomes={"ranks": ["system", "developer", "developer"]},
        rule="System text is a developer's text: Codex's backend takes no system messages.",
        spec="B.3.1",
    ),
    # Content.
    Loss(
        way="asked",
        upstreams=["messages", *GOOGLE],
        becomes={"image details": ABSENT},
        rule="The detail of an image is dropped: there is no word for it.",
        spec="A.2.2",
    ),
    Loss(
        way="asked",
        upstreams=GOOGLE,
        becomes={"document names": ABSENT},
        rule="The name of a document is dropped: there is no place for it.",
        spec="Gemini 4.2",
    ),
    Loss(
        way="asked",
        clients=["gemini"],
        upstreams=["chat", "codex"],
        scenario="PDF",
        invents={"document names": ["document.pdf"]},
        rule="A document without a name gets one: it is demanded.",
        spec="A.2.2",
    ),
    # Tools.
    Loss(
        way="asked",
        clients=["chat", "responses"],
        upstreams=["messages"],
        becomes={"strict tools": ABSENT},
        rule="Strict arguments are not asked for: only some models take the word.",
        spec="A.2.3",
    ),
    Loss(
        way="asked",
        clients=["chat", "responses", "messages"],
        upstreams=GOOGLE,
        scenario="tools",
        becomes={"strict tools": ABSENT, "tools": {"look_up": ("Looks a word up", _CLEANED)}},
        rule="Schemas of tools are cleaned of what Gemini refuses, which is told in words instead; "
        "strict arguments cannot be asked for.",
        spec="Gemini 5.1, 7",
    ),
    Loss(
        way="asked",
        clients=["chat", "responses", "messages"],
        upstreams=GOOGLE,
        becomes={"parallel": ABSENT},
        rule="Parallel calls cannot be forbidden.",
        spec="Gemini 5.5",
    ),
    Loss(
        way="asked",
        upstreams=["codex"],
        invents={"parallel": True},
        rule="Parallel calls are allowed unless the client forbids them.",
        spec="A.2.3, B.3.1",
    ),
    Loss(
        way="asked",
        upstreams=["codex"],
        invents={"built in tools": ["image_generation"]},
        rule="The model may draw: the tool for it is offered unless `disable-image-generation` says no.",
        spec="C.16",
    ),
    # Thinking.
    Loss(
        way="asked",
        clients=["chat", "messages", "gemini"],
        upstreams=["codex"],
        invents={"effort": "medium"},
        rule="Who says nothing of thinking gets the effort `medium`.",
        spec="D.6",
    ),
    Loss(
        way="answered",
        clients=["chat"],
        upstreams=["codex", "messages"],
        becomes={"signed": ABSENT},
        rule="Chat has no place for the signature of a thought.",
        spec="A.2.4",
    ),
    Loss(
        way="answered",
        clients=["chat"],
        upstreams=GOOGLE,
        scenario="thinking with replay",
        becomes={"signed": ABSENT},
        rule="Chat has a place for Gemini's signatures on tool calls only.",
        spec="Gemini 6",
    ),
    Loss(
        way="replayed",
        clients=["chat"],
        upstreams=GOOGLE,
        scenario="thinking with replay",
        becomes={"signatures": ABSENT},
        rule="A thought comes back without its signature, which a Chat client never got.",
        spec="Gemini 6",
    ),
    Loss(
        way="replayed",
        clients=["chat"],
        upstreams=["codex", "messages"],
        becomes={"thoughts": ABSENT, "signatures": ABSENT, "flow": Without("assistant thought")},
        rule="A thought without a signature is not sent back: the upstream would refuse it.",
        spec="C.6",
    ),
    Loss(
        way="replayed",
        clients=["messages", "gemini"],
        upstreams=["codex"],
        becomes={"thoughts": ABSENT, "flow": Without("assistant thought")},
        rule="Of a thought only its encrypted form goes back; the text was a summary.",
        spec="C.6",
    ),
    Loss(
        way="replayed",
        clients=["chat"],
        upstreams=["messages"],
        scenario="thinking between tools",
        becomes={"effort": ABSENT},
        rule="Thinking pauses while tool results come back without the thought that called the tools.",
        spec="C.6, C.15",
    ),
    # Form and length of the answer.
    Loss(
        way="asked",
        upstreams=["messages", *GOOGLE],
        becomes={"schema name": ABSENT},
        rule="The schema of an answer has no name.",
        spec="Gemini 9.2, F",
    ),
    Loss(
        way="asked",
        clients=["messages", "gemini"],
        upstreams=["chat", "codex"],
        scenario="structured output",
        invents={"schema name": "response"},
        rule="The schema of an answer gets a name: it is demanded.",
        spec="A.2.5",
    ),
    Loss(
        way="asked",
        upstreams=["codex"],
        becomes={"stop": ABSENT},
        rule="Stop sequences are dropped: Responses has none.",
        spec="A.2.5",
    ),
    Loss(
        way="answered",
        clients=["chat", "responses", "gemini"],
        upstreams=["messages"],
        scenario="stop sequences",
        becomes={"stopped by": ABSENT, "ending": "stop"},
        rule="That a stop sequence ended the answer, and which, has no word.",
        spec="C.10",
    ),
    Loss(
        way="asked",
        upstreams=["codex"],
        becomes={"limit": ABSENT, "temperature": ABSENT},
        rule="A limit of the answer and a temperature are dropped: Codex's backend refuses them.",
        spec="A.2.5, B.3.1",
    ),
    # Usage and names.
    Loss(
        way="answered",
        clients=["gemini"],
        upstreams=["chat", "codex", "messages"],
        scenario="usage with cache",
        becomes={"cache write": ABSENT, "uncached": 80},
        rule="Tokens written into a cache are counted as uncached input: there is no word for them.",
        spec="Gemini 13",
    ),
    Loss(
        way="answered",
        clients=["gemini"],
        upstreams=GOOGLE,
        becomes={"model": "upstream-model"},
        rule="`modelVersion` is the upstream's own: it names a version, not what was asked for.",
        spec="Gemini 11.1",
    ),
)


@attrs.frozen
class Cell:
    """A client, an upstream kind, and a scenario."""

    client: str
    upstream: str
    scenario: str

    def expected(self, way: Way, facts: Facts) -> Facts:
        """What is left of the facts on that way."""
        for loss in (*SILENCES, *LOSSES):
            if loss.holds(way, self.client, self.upstream, self.scenario):
                facts = loss.applied(facts)
        return facts

    def lost(self, way: Way, facts: Facts, about: Sequence[str] | None = None) -> list[Loss]:
        """The rows that change one of those facts, ``None`` for any, in the order of the tables."""
        found = []
        for loss in (*SILENCES, *LOSSES):
            if loss.holds(way, self.client, self.upstream, self.scenario):
                left = loss.applied(facts)
                if any(left.get(fact) != facts.get(fact) for fact in about or facts.keys() | left.keys()):
                    found.append(loss)
                facts = left
        return found
