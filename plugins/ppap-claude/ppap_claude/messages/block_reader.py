"""Content blocks as their senders wrote them → typed structs."""

from __future__ import annotations

from typing import Any, Final, Union

import msgspec


class _Kind(msgspec.Struct):
    type: str = "text"


_kind: Final = msgspec.json.Decoder(_Kind).decode
_object: Final = msgspec.json.Decoder(dict[str, Any]).decode


def kind_of(raw: bytes) -> str:
    """The ``type`` of a block. Raises `msgspec.MsgspecError`."""
    return _kind(raw).type


def native(raw: bytes) -> dict[str, Any]:
    """A block as the sender wrote it."""
    return _object(raw)


class BlockReader:
    """Reads blocks of the known kinds, which are structs tagged with their ``type``.

    All kinds are tried at once, in one pass over the text of the block.
    """

    def __init__(self, *known: type[msgspec.Struct]) -> None:
        self._known = msgspec.json.Decoder(Union[(str, *known)]).decode
        self._alone = {kind.__struct_config__.tag: _decoder(kind) for kind in known}

    def read(self, raw: bytes) -> Any:
        """A string, or a struct of the block's kind; ``None`` for a kind that is not known.

        Raises `msgspec.MsgspecError` for wrong types.
        """
        try:
            return self._known(raw)
        except msgspec.ValidationError:
            alone = self._alone.get(kind_of(raw))
        return alone(raw) if alone else None


def _decoder(kind: type[msgspec.Struct]) -> Any:
    return msgspec.json.Decoder(kind).decode
