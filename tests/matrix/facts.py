"""What is true of a request or of an answer, whatever the format it was written in.

Facts are a flat mapping, so that a loss can name the one that it takes. All readers fill the same
names: what they leave out is not there. A conversation is told by its ``flow``, the kinds of things
in their order, and by one list for each kind of content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from ..dialects import Turn
from .asking import LIMIT, Document, Message, Picture, Request, Result, Words

Facts: TypeAlias = dict[str, Any]
MODEL: Final = "upstream-model"
SENTINELS: Final = ("skip_thought_signature_validator",)
"""Stand where a signature must be and none is (Gemini spec, 6)."""
REMINDER: Final = ("<system-reminder>\n", "\n</system-reminder>")


@attrs.define
class Told:
    """Facts of a conversation, as they are found from its first word to its last."""

    facts: Facts = attrs.field(factory=dict)
    _numbers: dict[str, int] = attrs.field(factory=dict)

    def instructs(self, rank: str, texts: Iterable[str]) -> None:
        """System text: at the beginning, or in the middle of what is spoken."""
        late = "flow" in self.facts
        for text in texts:
            self._add("late instructions" if late else "instructions", text)
            self._add("ranks", rank)
            if late:
                self._add("flow", "late instruction")

    def says(self, role: str, text: str) -> None:
        begin, end = REMINDER
        if text.startswith(begin) and text.endswith(end):
            self._add("late instructions", text[len(begin) : -len(end)])
            self._add("flow", "reminder")
            return
        self._grows(role, "text", text)

    def shows(self, role: str, source: str, detail: str | None = None) -> None:
        self._flows(role, "image")
        self._add("images", source)
        if detail not in (None, "auto"):
            self._add("image details", detail)

    def hands(self, role: str, source: str, name: str | None) -> None:
        self._flows(role, "document")
        self._add("documents", source)
        if name:
            self._add("document names", name)

    def thinks(self, text: str, signature: str | None) -> None:
        if text:
            self._grows("assistant", "thought", text)
        if signature and signature not in SENTINELS:
            self._add("signatures", signature)

    def calls(self, call_id: str, name: str, arguments: Any) -> None:
        self._flows("assistant", "call")
        self._numbers[call_id] = len(self._numbers)
        self._add("calls", (name, arguments))

    def results(self, call_id: str, text: str, images: Sequence[str] = ()) -> None:
        """The outcome of the call with that id; one that stands for no call is number -1."""
        self._flows("user", "result")
        number = self._numbers.get(call_id, -1)
        self._add("results", (number, text))
        for image in images:
            self._add("result images", (number, image))

    def offers(self, name: str, description: str, schema: Any, strict: bool | None = None) -> None:
        self.facts.setdefault("tools", {})[name] = (description, schema)
        if strict:
            self._add("strict tools", name)

    def settles(self, **facts: Any) -> None:
        """Single facts; underscores stand for spaces, ``None`` for absence."""
        self.facts |= {
            name.replace("_", " "): value for name, value in facts.items() if value not in (None, [])
        }

    def _grows(self, role: str, kind: str, text: str) -> None:
        """What the model said in pieces, it said; a user's texts are kept apart."""
        flow = f"{role} {kind}"
        if role == "assistant" and self.facts.get("flow", [""])[-1] == flow:
            self.facts[f"{kind}s"][-1] += text
        else:
            self._add("flow", flow)
            self._add(f"{kind}s", text)

    def _flows(self, role: str, kind: str) -> None:
        self._add("flow", f"{role} {kind}")

    def _add(self, fact: str, value: Any) -> None:
        self.facts.setdefault(fact, []).append(value)


def facts_of_request(request: Request) -> Told:
    """What the upstream must hear of it; a replayed answer is told on top of this."""
    told = Told()
    for message in request.messages:
        tell(told, message)
    for tool in request.tools:
        told.offers(tool.name, tool.description, tool.schema, tool.strict)
    told.settles(
        model=MODEL,
        limit=LIMIT,
        choice=request.choice,
        parallel=request.parallel,
        stop=list(request.stop),
        temperature=request.temperature,
        effort=request.effort,
    )
    if request.shape:
        told.settles(schema=request.shape.schema, schema_name=request.shape.name)
    return told


def tell(told: Told, message: Message) -> None:
    for part in message.parts:
        match part:
            case Words(text) if message.role == "user":
                told.says("user", text)
            case Words(text):
                told.instructs(message.role, [text])
            case Picture():
                told.shows("user", part.source, part.detail)
            case Document():
                told.hands("user", part.source, part.name)
            case Result(call, parts):
                texts = [part.text for part in parts if isinstance(part, Words)]
                images = [part.source for part in parts if isinstance(part, Picture)]
                told.results(f"#{call}", "".join(texts), images)


def tell_answer(told: Told, turn: Turn, signature: str | None) -> None:
    """What a replayed answer tells the upstream that gave it."""
    if turn.thought:
        told.thinks(turn.thought, signature)
    if turn.text:
        told.says("assistant", turn.text)
    for number, call in enumerate(turn.calls):
        told.calls(f"#{number}", call.name, call.arguments)


def facts_of_answer(turn: Turn, model: str) -> Facts:
    """What the client must hear of it under the name it asked for."""
    tokens = turn.tokens
    facts: Facts = {
        "model": model,
        "ending": "tool calls" if turn.calls else turn.ending.replace("_", " "),
        "uncached": tokens.uncached,
        "cache read": tokens.cache_read,
        "cache write": tokens.cache_write,
        "output": tokens.output,
        "reasoning": tokens.reasoning,
    }
    if turn.text:
        facts["text"] = turn.text
    if turn.thought:
        facts |= {"thought": turn.thought, "signed": True}
    if turn.calls:
        facts["calls"] = [(call.name, call.arguments) for call in turn.calls]
    if turn.stopped_by:
        facts["stopped by"] = turn.stopped_by
    return heard_of(facts)


def arguments(text: str) -> Any:
    """A call's arguments, told as JSON text."""
    return json.loads(text)


def heard_of(facts: Mapping[str, Any]) -> Facts:
    """Without what is absent, empty or 0: formats differ in which of these they write."""
    return {name: value for name, value in facts.items() if value}
