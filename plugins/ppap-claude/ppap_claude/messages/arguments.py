"""Tool arguments: any upstream's raw text → the JSON object this format wants (C.8)."""

from __future__ import annotations

import msgspec
import orjson


def object_text(arguments: str) -> str | None:
    """`arguments` if they are a JSON object, repaired if single quotes are all that is wrong.

    ``None``: they are empty, or no object.
    """
    if is_object(arguments):
        return arguments
    repaired = _double_quoted(arguments) if "'" in arguments else arguments
    return repaired if is_object(repaired) else None


def input_value(arguments: str, kind: str) -> msgspec.Raw:
    """The ``input`` of a ``tool_use`` block; ``{}`` for arguments that are no object.

    A custom tool takes free text; it travels as the one property of an object (C.16).
    """
    if kind == "custom":
        return msgspec.Raw(msgspec.json.encode({"input": arguments}))
    return msgspec.Raw((object_text(arguments) or "{}").encode())


def is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _double_quoted(text: str) -> str:
    """Strings in single quotes rewritten with double ones; those in double quotes left alone."""
    written: list[str] = []
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\" and quote:
            escaped = next(characters, "")
            written.append(escaped if quote == escaped == "'" else "\\" + escaped)
        elif quote:
            closes = character == quote
            written.append('"' if closes else '\\"' if character == '"' else character)
            quote = "" if closes else quote
        elif character in "'\"":
            quote = character
            written.append('"')
        else:
            written.append(character)
    return "".join(written)
