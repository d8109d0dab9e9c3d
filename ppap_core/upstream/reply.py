"""What an upstream answered, as providers and the dispatch loop see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class Deadlines:
    """In seconds; ``None``: wait for ever. ``between`` is the longest silence within an answer."""

    connect: float | None = 15.0
    first_byte: float | None = 600.0
    """From the request being sent to the answer's head."""
    between: float | None = 300.0


class UpstreamReply(Protocol):
    """An answer whose head has arrived. Must be closed, also after an error."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names; repeated ones joined with a comma."""

    async def read(self) -> bytes:
        """All body bytes that have arrived since the last call; waits if there are none yet.

        ``b""`` is the end. Content encodings are already undone. Raises `UpstreamError`.
        """
        ...

    async def body(self) -> bytes:
        """The whole rest. Raises `UpstreamError`."""
        ...

    async def close(self) -> None:
        """Gives the connection back if the body was read to its end, else closes it. Idempotent."""
        ...
