"""From a flat list of items to what turn-based formats accept (translation spec, A.3 and C.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
import msgspec

from .request import Item, Message, OpaqueItem, Role, Text, ToolCall, ToolResult


class Turn(msgspec.Struct, frozen=True):
    """Neighbouring items of one role, in order. A struct, as long conversations have thousands."""

    role: Role
    items: Sequence[Item]


def turns(items: Iterable[Item]) -> list[Turn]:
    """Same-role neighbours merged. An item without a role joins the turn before it."""
    grouped: list[Turn] = []
    members: list[Item] = []
    speaking: Role | None = None
    for item in items:
        role = role_of(item)
        if role is not None and role != speaking:
            speaking, members = role, [item]
            grouped.append(Turn(role, members))
        elif grouped:
            members.append(item)
    return grouped


def role_of(item: Item) -> Role | None:
    """Who an item speaks for; tool results speak for the user. ``None``: nobody's."""
    if isinstance(item, ToolResult):
        return "user"
    if isinstance(item, ToolCall):
        return "assistant"
    return None if isinstance(item, OpaqueItem) else item.role


def with_reminders(items: Sequence[Item]) -> list[Item]:
    """System text in the middle of a conversation as a user's text that says what it is (A.2.1).

    For formats, or models, that take system text at the beginning only, or would read it as the
    first instruction of the whole conversation. Developer text is left where it is.
    """
    begun = next((index for index, item in enumerate(items) if not _instructs(item)), len(items))
    spoken = (
        _reminder(item) if isinstance(item, Message) and item.role == "system" else item
        for item in items[begun:]
    )
    return [*items[:begun], *spoken]


def _instructs(item: Item) -> bool:
    return isinstance(item, Message) and item.role in ("system", "developer")


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
    if _are_paired(items):
        return list(items)
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


def _are_paired(items: Sequence[Item]) -> bool:
    """A quick yes for the usual case: after a batch of calls come their results and nothing else."""
    open_ids: set[str] = set()
    for item in items:
        if isinstance(item, ToolCall):
            if item.call_id in open_ids:
                return False
            open_ids.add(item.call_id)
        elif isinstance(item, ToolResult):
            if item.call_id not in open_ids:
                return False
            open_ids.remove(item.call_id)
        elif open_ids and role_of(item) != "assistant":
            return False
    return not open_ids


def _results_by_call(items: Sequence[Item]) -> dict[int, list[int]]:
    """Index of each usable call → indexes of its results; ambiguous calls are left out.

    A user's message ends what is open, unless a result is still to come: then it stands inside a
    batch.
    """
    results: dict[int, list[int]] = {}
    last_result = {item.call_id: index for index, item in enumerate(items) if isinstance(item, ToolResult)}
    latest: dict[str, int] = {}
    ambiguous: set[str] = set()
    open_ids: set[str] = set()
    awaited: set[str] = set()
    for index, item in enumerate(items):
        if isinstance(item, ToolCall):
            call_id = item.call_id
            if call_id in open_ids:
                ambiguous.add(call_id)
                results.pop(latest[call_id], None)
                continue
            ambiguous.discard(call_id)
            open_ids.add(call_id)
            latest[call_id] = index
            results[index] = []
            if last_result.get(call_id, -1) > index:
                awaited.add(call_id)
        elif isinstance(item, ToolResult):
            open_ids.discard(item.call_id)
            awaited.discard(item.call_id)
            if item.call_id in latest and item.call_id not in ambiguous:
                results[latest[item.call_id]].append(index)
        elif isinstance(item, Message) and item.role == "user" and not awaited:
            open_ids.clear()
    return results
