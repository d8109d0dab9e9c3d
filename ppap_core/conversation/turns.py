"""From a flat list of items to what turn-based formats accept (translation spec, A.3 and C.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from .request import Item, Message, Reasoning, Role, ServerToolItem, Text, ToolCall, ToolResult


@attrs.frozen
class Turn:
    """Neighbouring items of one role, in order."""

    role: Role
    items: Sequence[Item]


def turns(items: Iterable[Item]) -> list[Turn]:
    """Same-role neighbours merged. An item without a role joins the turn before it."""
    grouped: list[tuple[Role, list[Item]]] = []
    for item in items:
        role = role_of(item)
        if grouped and role in (None, grouped[-1][0]):
            grouped[-1][1].append(item)
        elif role is not None:
            grouped.append((role, [item]))
    return [Turn(role, members) for role, members in grouped]


def role_of(item: Item) -> Role | None:
    """Who an item speaks for; tool results speak for the user. ``None``: nobody's."""
    if isinstance(item, Message | Reasoning | ServerToolItem):
        return item.role
    if isinstance(item, ToolCall):
        return "assistant"
    if isinstance(item, ToolResult):
        return "user"
    return None


def with_reminders(items: Sequence[Item]) -> list[Item]:
    """System text in the middle of a conversation as a user's text that says what it is (A.2.1).

    For formats, or models, that take system text at the beginning only, or would read it as the
    first instruction of the whole conversation. Developer text is left where it is.
    """
    begun = False
    placed: list[Item] = []
    for item in items:
        speaks = isinstance(item, Message) and item.role in ("system", "developer")
        begun = begun or not speaks
        if begun and isinstance(item, Message) and item.role == "system":
            placed.append(_reminder(item))
        else:
            placed.append(item)
    return placed


def _reminder(message: Message) -> Message:
    parts = tuple(
        attrs.evolve(part, text=f"<system-reminder>\n{part.text}\n</system-reminder>")
        for part in message.parts
        if isinstance(part, Text) and part.text.strip()
    )
    return attrs.evolve(message, role="user", parts=parts)


def paired(items: Sequence[Item]) -> list[Item]:
    """The items with every tool call answered and every result asked for, as upstreams demand.

    Results without a call are dropped, and calls without a result unless they end the
    conversation. Of several results for one call the last content counts, at the first one's
    place. An id that stands for two open calls at once is ambiguous: those calls and their results
    are dropped. What would stand between a call and its result is moved behind the result.
    """
    results = _results_by_call(items)
    last_word = max((i for i, item in enumerate(items) if role_of(item) != "assistant"), default=-1)
    first_result_of = {indexes[0]: call for call, indexes in results.items() if indexes}
    emitted: list[Item] = []
    deferred: list[Item] = []
    awaited: set[int] = set()
    for index, item in enumerate(items):
        if isinstance(item, ToolCall):
            if results.get(index):
                awaited.add(index)
                emitted.append(item)
            elif index in results and index > last_word:
                emitted.append(item)
        elif isinstance(item, ToolResult):
            call = first_result_of.get(index)
            if call is None:
                continue
            content = items[results[call][-1]]
            emitted.append(content)
            awaited.discard(call)
        elif awaited and role_of(item) != "assistant":
            deferred.append(item)
        else:
            emitted.append(item)
        if not awaited and deferred:
            emitted += deferred
            deferred.clear()
    return emitted + deferred


def _results_by_call(items: Sequence[Item]) -> dict[int, list[int]]:
    """Index of each usable call → indexes of its results; ambiguous calls are left out."""
    results: dict[int, list[int]] = {}
    latest: dict[str, int] = {}
    ambiguous: set[str] = set()
    open_ids: set[str] = set()
    for index, item in enumerate(items):
        if isinstance(item, ToolCall):
            if item.call_id in open_ids:
                ambiguous.add(item.call_id)
                results.pop(latest[item.call_id], None)
                continue
            ambiguous.discard(item.call_id)
            open_ids.add(item.call_id)
            latest[item.call_id] = index
            results[index] = []
        elif isinstance(item, ToolResult):
            open_ids.discard(item.call_id)
            if item.call_id in latest and item.call_id not in ambiguous:
                results[latest[item.call_id]].append(index)
        elif (
            isinstance(item, Message) and item.role == "user" and not _answered_later(items, index, open_ids)
        ):
            open_ids.clear()
    return results


def _answered_later(items: Sequence[Item], index: int, ids: set[str]) -> bool:
    """Whether a result for one of `ids` still comes, so that the message stands inside a batch."""
    return bool(ids) and any(
        isinstance(item, ToolResult) and item.call_id in ids for item in items[index + 1 :]
    )
