"""Which result belongs to which call, where ids are missing (Gemini spec, 5.4)."""

from __future__ import annotations

from collections.abc import Sequence

from .names import minted_id


class OpenCalls:
    """Calls that wait for their result, in the order they were made."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str]] = []

    def opened(self, name: str, call_id: str) -> None:
        self._waiting.append((name, call_id))

    def answered_by(self, results: Sequence[tuple[str, str | None]], turn: int) -> list[str]:
        """The call id of each result (name and own id), given the results of one turn.

        Ids that results have are taken first, so that none is given out twice; a result without one
        goes to the first call of its name, else to the first of all, else nowhere that was called.
        """
        told = {call_id for _, call_id in results if call_id}
        self._waiting = [(name, call_id) for name, call_id in self._waiting if call_id not in told]
        return [
            call_id or self._first(name) or minted_id("result", turn, place, name)
            for place, (name, call_id) in enumerate(results)
        ]

    def _first(self, name: str) -> str | None:
        waiting = next((call for call in self._waiting if call[0] == name), None)
        if waiting is None and self._waiting:
            waiting = self._waiting[0]
        if waiting is None:
            return None
        self._waiting.remove(waiting)
        return waiting[1]
