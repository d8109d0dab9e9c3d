"""The last event of a relayed stream, made whole: ``output`` and the client's model name.

Some upstreams leave ``response.output`` empty although they told the items one by one (translation
spec, B.3.2 and C.14; client API spec, 11.6). Only what changes is spliced.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody

_EMPTY: Final = (None, b"null", b"[]")


class Items:
    """The items that a stream told as done, as they came."""

    def __init__(self) -> None:
        self._indexed: dict[int, bytes] = {}
        self._others: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self._indexed or self._others)

    def add(self, index: int | None, item: bytes) -> None:
        """Of two with one index the later one counts."""
        if index is None:
            self._others.append(item)
        else:
            self._indexed[index] = item

    def output(self) -> bytes:
        """By index, then those without one in the order of their arrival."""
        indexed = [self._indexed[index] for index in sorted(self._indexed)]
        return b"[%b]" % b",".join([*indexed, *self._others])


def repaired(response: bytes, items: Items, model: bytes | None) -> bytes:
    """The response object with its output filled in if it is empty, and with `model` (JSON text)."""
    try:
        body = JsonBody(response)
        changes: dict[str, bytes | None] = {}
        output = body.raw("output")
        if items and (output in _EMPTY or (output or b"").replace(b" ", b"") == b"[]"):
            changes["output"] = items.output()
        if model is not None and body.raw("model") not in (None, model):
            changes["model"] = model
        return body.edited(changes) if changes else response
    except InvalidRequest:
        return response  # not an object, or one that cannot be spliced: the client reads it as it is


def with_response(data: bytes, response: bytes) -> bytes:
    """An event's data with another ``response``."""
    try:
        return JsonBody(data).edited({"response": response})
    except InvalidRequest:
        return data


def reframed(frame: bytes, data: bytes) -> bytes:
    """The frame with other data; its other lines, and its line ends, stay as they are."""
    end = b"\r\n" if b"\r\n" in frame else b"\n"
    lines: list[bytes] = []
    placed = False
    for line in frame.split(b"\n"):
        if not line.lstrip(b" \t").startswith(b"data:"):
            lines.append(line)
        elif not placed:
            placed = True
            pieces = [b"data: " + piece for piece in data.split(b"\n")]
            lines.append((end.join(pieces)) + end[:-1])
    return b"\n".join(lines)


def model_text(client_model: str, upstream_model: str) -> bytes | None:
    """The JSON text of the client's name; ``None`` where it is the upstream's too."""
    return None if client_model == upstream_model else msgspec.json.encode(client_model)
