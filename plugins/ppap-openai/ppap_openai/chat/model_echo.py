"""The client's own model name in every chunk of a relayed stream (translation spec, C.18)."""

from __future__ import annotations

import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import JsonBody


class ModelEcho:
    """Replaces the top-level ``model`` of chunks.

    The chunks of one stream begin alike, up to and with the model. That beginning is learnt by
    splicing a chunk properly, and exchanged in all that have it: one search per read instead of
    one parse per chunk.
    """

    def __init__(self, client_model: str) -> None:
        self._model = msgspec.json.encode(client_model)
        self._theirs = b""
        self._ours = b""

    def rewritten(self, block: bytes) -> bytes:
        """The same whole frames under the client's name."""
        if self._theirs and block.startswith(self._theirs) and block.endswith(b"\n\n"):
            chunks = block[len(self._theirs) :].split(b"\n\n" + self._theirs)
            if block.count(b"\n") == 2 * len(chunks):
                return self._ours + (b"\n\n" + self._ours).join(chunks)
        return b"".join(map(self._one_by_one, block.splitlines(keepends=True)))

    def _one_by_one(self, line: bytes) -> bytes:
        """One line; every chunk is one ``data:`` line."""
        if self._theirs and line.startswith(self._theirs):
            return self._ours + line[len(self._theirs) :]
        before, found, text = line.partition(b"data:")
        if not found or before.strip(b" \t") or b'"model"' not in text:
            return line
        return before + found + self._spliced(before + found, text)

    def _spliced(self, before: bytes, text: bytes) -> bytes:
        try:
            body = JsonBody(text)
            old = body.raw("model")
            if old is None:
                return text
            new = body.edited({"model": self._model})
        except InvalidRequest:
            return text  # not an object, or one that cannot be spliced: the client reads it as it is
        self._learn(before, text, old, new)
        return new

    def _learn(self, before: bytes, text: bytes, old: bytes, new: bytes) -> None:
        start = text.find(old)
        while start >= 0:
            end = start + len(old)
            if new == text[:start] + self._model + text[end:]:
                self._theirs = before + text[:end]
                self._ours = before + text[:start] + self._model
                return
            start = text.find(old, start + 1)
