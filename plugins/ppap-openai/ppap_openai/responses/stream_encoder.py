"""Events → a client's stream (translation spec, B.2.3; pains 13, 21, 22, 24)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from ppap_core.conversation import (
    Conversation,
    Delta,
    End,
    Event,
    Finish,
    Image,
    ItemEnd,
    ItemKey,
    ItemMeta,
    ItemStart,
    Start,
    StreamError,
    Usage,
    UsageUpdate,
)

from .echo import brief_echo, whole_echo
from .errors import error_frame
from .finish import COMPLETED, Ending, ending_of
from .identifiers import ItemIds, new_call_id, new_response_id
from .name import JsonObject
from .output_items import ID_PREFIXES, ItemStatus
from .stream_items import (
    CallItem,
    FreeTextCallItem,
    Item,
    MessageItem,
    Outgoing,
    ReasoningItem,
    ServerToolItem,
    server_tool_item,
)
from .tool_names import client_tools
from .usage import write_usage

_Said: TypeAlias = MessageItem | ReasoningItem


@attrs.define(eq=False)
class _Lane:
    """A canonical item, and the item of the stream that tells it, once there is one."""

    start: ItemStart
    item: MessageItem | ReasoningItem | CallItem | None = None
    meta: ItemMeta | None = None
    image: Image | None = None


class ResponsesStreamEncoder:
    """A `StreamEncoder`: the state of one client stream.

    Each choice has at most one message or reasoning item open, and whatever begins next closes it.
    Calls run side by side. The last call that ended is told as done when it is known whether the
    answer went on after it, or was cut off in it.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._tools = client_tools(conversation.tools)
        self._outgoing = Outgoing()
        self._base: JsonObject = {}
        self._ids = ItemIds("")
        self._lanes: dict[ItemKey, _Lane] = {}
        self._said: dict[int, _Said] = {}
        self._ended_call: tuple[int, CallItem] | None = None
        self._items = 0
        self._output: dict[int, JsonObject] = {}
        self._finish: Finish | None = None
        self._declined = False
        self._usage: Usage | None = None
        self._over = False

    def feed(self, events: Sequence[Event]) -> bytes:
        for event in events:
            if type(event) is Delta:
                lane = self._lanes[event.key]
                item = lane.item
                if item is None or not item.open:
                    item = self._open_said(lane)
                item.say(event.key, event.kind, event.text)
            elif not self._over and (handle := _HANDLERS.get(type(event))) is not None:
                handle(self, event)
        out = self._outgoing.out
        if not out:
            return b""
        written = b"".join(out)
        out.clear()
        return written

    def response(self) -> JsonObject:
        """The whole response, as told so far."""
        ending = self._ending(self._finish)
        stop_sequence = self._finish.stop_sequence if self._finish is not None else None
        return {
            **self._base,
            "status": ending.status,
            "background": False,
            "error": None,
            "incomplete_details": ending.details,
            **whole_echo(self._conversation),
            "output": [self._output[index] for index in sorted(self._output)],
            **({"stop_sequence": stop_sequence} if stop_sequence is not None else {}),
            "usage": write_usage(self._usage),
        }

    # --- the response ---------------------------------------------------------------------------

    def _start(self, event: Start) -> None:
        if not self._base:
            self._begin(event)

    def _begin(self, start: Start) -> None:
        self._base = {
            "id": start.id or new_response_id(),
            "object": "response",
            "created_at": start.created or int(time.time()),
        }
        self._ids = ItemIds(self._base["id"])
        response = {
            **self._base,
            "status": "in_progress",
            "background": False,
            "error": None,
            "incomplete_details": None,
            **brief_echo(self._conversation),
            "output": [],
            "usage": None,
        }
        self._outgoing.event("response.created", response=response)
        self._outgoing.event("response.in_progress", response=response)

    def _usage_update(self, event: UsageUpdate) -> None:
        self._usage = self._usage.updated(event.usage) if self._usage else event.usage

    def _finish_choice(self, event: Finish) -> None:
        """What was said last is incomplete if the answer is."""
        if not self._base:
            self._begin(Start())
        ending = self._ending(event)
        if self._ended_call is not None:
            choice, _ = self._ended_call
            self._tell_ended_call(ending.status if choice == event.choice else "completed")
        self._close_said(event.choice, ending.status)
        if self._finish is None or event.choice == 0:
            self._finish = event

    def _error(self, event: StreamError) -> None:
        """Nothing that is open is told as done: it would look whole (pain 13)."""
        self._outgoing.out.append(error_frame(event.error, self._outgoing.number))
        self._over = True

    def _end(self, event: End) -> None:
        self._over = True
        if self._finish is None:
            return
        for choice in list(self._said):
            self._close_said(choice, "completed")
        ending = self._ending(self._finish)
        self._outgoing.event(f"response.{ending.status}", response=self.response())

    def _ending(self, finish: Finish | None) -> Ending:
        return ending_of(finish.reason, declined=self._declined) if finish is not None else COMPLETED

    # --- items ----------------------------------------------------------------------------------

    def _item_start(self, event: ItemStart) -> None:
        if not self._base:
            self._begin(Start())
        self._tell_ended_call("completed")
        lane = self._lanes[event.key] = _Lane(event)
        if event.kind == "tool_call":
            self._close_said(event.choice, "completed")
            lane.item = self._new_call(event)
        elif event.kind == "refusal":
            self._declined = True

    def _new_call(self, event: ItemStart) -> CallItem:
        call_id = event.call_id or new_call_id()
        name = event.name or ""
        tool = self._tools.called_as(name)
        wrapped = name in self._tools.free_text and event.tool_kind == "function"
        kind = "custom" if wrapped else event.tool_kind
        item_id = self._ids.of_call(ID_PREFIXES[kind], call_id)
        make = FreeTextCallItem if wrapped else CallItem
        return make(self._outgoing, self._next_index(), item_id, call_id, tool, kind)

    def _open_said(self, lane: _Lane) -> _Said:
        """The item to tell a text or a thought in: the open message goes on, thoughts begin anew."""
        self._tell_ended_call("completed")
        choice = lane.start.choice
        said = self._said.get(choice)
        thinks = lane.start.kind == "reasoning"
        if said is None or thinks or isinstance(said, ReasoningItem):
            self._close_said(choice, "completed")
            make, prefix = (ReasoningItem, "rs") if thinks else (MessageItem, "msg")
            said = make(self._outgoing, self._next_index(), self._ids.numbered(prefix))
            self._said[choice] = said
        lane.item = said
        return said

    def _item_meta(self, event: ItemMeta) -> None:
        lane = self._lanes[event.key]
        kind = lane.start.kind
        if kind == "server_tool":
            lane.meta = lane.meta if event.native is None and event.search is None else event
            lane.image = event.image or lane.image
        elif kind == "reasoning":
            if event.segment and lane.item is None:
                return
            item = lane.item if lane.item is not None and lane.item.open else self._open_said(lane)
            if isinstance(item, ReasoningItem):
                item.sign(event)
        elif kind == "text" and event.annotation is not None:
            item = lane.item if lane.item is not None and lane.item.open else self._open_said(lane)
            if isinstance(item, MessageItem):
                item.note(event.key, kind, event.annotation)

    def _item_end(self, event: ItemEnd) -> None:
        lane = self._lanes.pop(event.key)
        if isinstance(lane.item, CallItem):
            self._tell_ended_call("completed")
            self._ended_call = (lane.start.choice, lane.item)
        elif isinstance(lane.item, ReasoningItem) and lane.item.open:
            self._close_said(lane.start.choice, "completed")
        elif lane.start.kind == "server_tool":
            self._server_tool(lane)

    def _server_tool(self, lane: _Lane) -> None:
        told = server_tool_item(self._ids.numbered("ig"), lane.meta, lane.image)
        if told is not None:
            self._close_said(lane.start.choice, "completed")
            item = ServerToolItem(self._outgoing, self._next_index(), told)
            self._finished(item, "completed")

    def _tell_ended_call(self, status: ItemStatus) -> None:
        if self._ended_call is not None:
            _, item = self._ended_call
            self._ended_call = None
            self._finished(item, status)

    def _close_said(self, choice: int, status: ItemStatus) -> None:
        said = self._said.pop(choice, None)
        if said is not None:
            self._finished(said, status)

    def _finished(self, item: Item, status: ItemStatus) -> None:
        self._output[item.index] = item.end(status)

    def _next_index(self) -> int:
        index = self._items
        self._items += 1
        return index


_HANDLERS: Final[Mapping[type, Callable[[ResponsesStreamEncoder, Any], None]]] = {
    Start: ResponsesStreamEncoder._start,
    ItemStart: ResponsesStreamEncoder._item_start,
    ItemMeta: ResponsesStreamEncoder._item_meta,
    ItemEnd: ResponsesStreamEncoder._item_end,
    UsageUpdate: ResponsesStreamEncoder._usage_update,
    Finish: ResponsesStreamEncoder._finish_choice,
    StreamError: ResponsesStreamEncoder._error,
    End: ResponsesStreamEncoder._end,
}
"""`Ping` says nothing here: a keep-alive is the server's to send."""
