"""A client's request passed on in its own format: only what must change is cut out (Gemini spec, 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import EncodedRequest, JsonArray, JsonBody, Target

from .generation import FIELD
from .request_encoder import NOBODY_SPOKE
from .signatures import SKIP_VALIDATION, is_own_signature
from .spelling import camel_case
from .thinking import written
from .tools import FUNCTIONS, in_json_schema, is_json_schema
from .vocabulary import SESSION

_THINKING: Final = "thinkingConfig"

Changes = dict[str, bytes | None]


class _Named(msgspec.Struct, gc=False):
    name: str = ""


class _Part(msgspec.Struct, rename="camel", gc=False):
    function_call: _Named | None = None
    function_response: _Named | None = None
    thought_signature: str | None = None


class _Turn(msgspec.Struct, gc=False):
    role: str | None = None
    parts: list[_Part] | None = None


_turns: Final = msgspec.json.Decoder(list[_Turn]).decode


def patch_request(body: JsonBody, target: Target) -> EncodedRequest:
    """The client's bytes for `target`; the very same object when nothing has to change.

    A ``model`` is only renamed, not added: the URL names it.
    """
    spelt = camel_case(body)
    changes = changes_for(spelt, target)
    if "model" in spelt and spelt.raw("model") != (model := msgspec.json.encode(target.model)):
        changes["model"] = model
    if SESSION in spelt:
        changes[SESSION] = None
    return EncodedRequest(spelt.edited(changes) if changes else spelt.data)


def changes_for(body: JsonBody, target: Target) -> Changes:
    """What must change in a request proper, which is in camelCase."""
    changes = {
        **_changed(body, "contents", _contents),
        **_changed(body, "tools", _tools),
        **_changed(body, FIELD, lambda raw: _generation(raw, target)),
    }
    if FIELD not in body and (config := _thinking_config(target, {})) is not None:
        changes[FIELD] = msgspec.json.encode({_THINKING: config})
    return changes


def _changed(body: JsonBody, field: str, edit: Any) -> Changes:
    """The change of one field, if there is one. What cannot be read is left to the upstream to refuse."""
    raw = body.raw(field)
    if raw is None or raw == b"null":
        return {}
    try:
        edited = edit(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidRequest):
        return {}
    return {} if edited == raw else {field: edited}


# --- generationConfig and tools ---------------------------------------------------------------


def _generation(raw: bytes, target: Target) -> bytes:
    """Thinking as the model's name or its abilities want it, and JSON Schema in its own place."""
    config = JsonBody(raw)
    changes: Changes = {}
    told = config.value(_THINKING)
    thinking = _thinking_config(target, told if isinstance(told, dict) else {})
    if thinking is not None:
        changes[_THINKING] = msgspec.json.encode(thinking)
    elif target.thinking is not None and not target.thinking.thinks and _THINKING in config:
        changes[_THINKING] = None
    schema = config.raw("responseSchema")
    if (
        schema is not None
        and "responseJsonSchema" not in config
        and is_json_schema(msgspec.json.decode(schema))
    ):
        changes |= {"responseSchema": None, "responseJsonSchema": schema}
    return config.edited(changes)


def _thinking_config(target: Target, told: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is written over the client's own; ``None``: nothing. Whether thoughts show is its own choice."""
    if target.intent.mode == "unset":
        return None
    config = written(target.intent, target)
    shown = told.get("includeThoughts")
    if config is not None and isinstance(shown, bool) and config.get("includeThoughts"):
        config["includeThoughts"] = shown
    return config


def _tools(raw: bytes) -> bytes:
    """Parameters in JSON Schema move to the place where the API takes all of it (5.1)."""
    if b'"parameters"' not in raw:
        return raw
    changes: dict[int, bytes] = {}
    tools = JsonArray(raw, "tools")
    for index, tool in enumerate(tools):
        fields = JsonBody(tool)
        declared = fields.raw(FUNCTIONS)
        if declared is None:
            continue
        functions = JsonArray(declared, FUNCTIONS)
        moved = {
            place: msgspec.json.encode(renamed)
            for place, declaration in enumerate(functions)
            if (renamed := _renamed(declaration)) is not None
        }
        if moved:
            changes[index] = fields.edited({FUNCTIONS: functions.edited(moved)})
    return tools.edited(changes)


def _renamed(declaration: bytes) -> dict[str, msgspec.Raw] | None:
    """A declaration with its parameters under the other name; ``None`` if they are fine where they are."""
    fields = msgspec.json.decode(declaration, type=dict[str, msgspec.Raw])
    if "parameters" not in fields or "parametersJsonSchema" in fields:
        return None
    if not is_json_schema(msgspec.json.decode(fields["parameters"])):
        return None
    shown = in_json_schema({**fields, "parameters": {}})
    return {**shown, "parametersJsonSchema": fields["parameters"]}


# --- contents ---------------------------------------------------------------------------------


def _contents(raw: bytes) -> bytes:
    """Roles as the API knows them, signatures that it can check, results with their function's name.

    Turns without parts go: the API would refuse them all. All is looked at in one typed pass; only
    turns that need it are cut out and edited.
    """
    turns = _turns(raw)
    said = [index for index, turn in enumerate(turns) if turn.parts]
    edits = {
        index: edit
        for index, edit in zip(said, _edits([turns[index] for index in said]), strict=True)
        if edit
    }
    model_begins = bool(said) and (edits.get(said[0]) or _Edit()).role_of(turns[said[0]]) == "model"
    if not edits and not model_begins and len(said) == len(turns):
        return raw
    texts = JsonArray(raw, "contents")
    changes: dict[int, bytes | None] = {index: None for index in range(len(turns)) if not turns[index].parts}
    changes |= {index: _edited(texts[index], edit) for index, edit in edits.items()}
    if model_begins:
        first = changes.get(said[0]) or texts[said[0]]
        changes[said[0]] = msgspec.json.encode(NOBODY_SPOKE) + b"," + first
    return texts.edited(changes)


@attrs.define
class _Edit:
    """What must change in one turn; ``None``, or nothing: it is fine.

    ``signatures`` and ``names`` are keyed by the index of a part. A signature of ``None`` is removed.
    """

    role: str | None = None
    signatures: dict[int, str | None] = attrs.field(factory=dict)
    names: dict[int, str] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.role or self.signatures or self.names)

    def role_of(self, turn: _Turn) -> str | None:
        return self.role or turn.role


def _edits(turns: Sequence[_Turn]) -> Iterator[_Edit]:
    role, called = "model", list[str]()
    for turn in turns:
        edit = _Edit()
        if turn.role in ("user", "model"):
            role = turn.role
        else:
            role = edit.role = _repaired(turn.role, role)
        parts = turn.parts or ()
        if role == "model":
            called = [part.function_call.name for part in parts if part.function_call is not None]
            _note_signatures(parts, edit)
        else:
            _note_names(parts, called, edit)
        yield edit


def _repaired(role: str | None, before: str) -> str:
    """Results speak for the user; an unknown role is the one whose turn it is (4.1)."""
    if role in ("function", "tool"):
        return "user"
    return "user" if before == "model" else "model"


def _note_signatures(parts: Sequence[_Part], edit: _Edit) -> None:
    """The model's turn: its first call needs a signature; what cannot be checked is taken away (6)."""
    called = False
    for index, part in enumerate(parts):
        signature = part.thought_signature
        first_call = part.function_call is not None and not called
        called = called or first_call
        if is_own_signature(signature):
            continue
        if first_call and signature != SKIP_VALIDATION:
            edit.signatures[index] = SKIP_VALIDATION
        elif signature is not None and not first_call:
            edit.signatures[index] = None


def _note_names(parts: Sequence[_Part], called: Sequence[str], edit: _Edit) -> None:
    """The user's turn: results without a name get that of the call in their place (10)."""
    results = [(index, part) for index, part in enumerate(parts) if part.function_response is not None]
    for place, (index, part) in enumerate(results):
        told = part.function_response.name if part.function_response is not None else ""
        if not told and place < len(called) and called[place]:
            edit.names[index] = called[place]
        if part.thought_signature is not None:
            edit.signatures[index] = None


def _edited(turn: bytes, edit: _Edit) -> bytes:
    fields = JsonBody(turn)
    changes: Changes = {"role": msgspec.json.encode(edit.role)} if edit.role else {}
    parts = fields.raw("parts")
    if parts is not None and (edit.signatures or edit.names):
        texts = JsonArray(parts, "parts")
        touched = {
            index: _edited_part(texts[index], index, edit) for index in {*edit.signatures, *edit.names}
        }
        changes["parts"] = texts.edited(touched)
    return fields.edited(changes)


def _edited_part(part: bytes, index: int, edit: _Edit) -> bytes:
    fields = JsonBody(part)
    changes: Changes = {}
    if index in edit.signatures:
        signature = edit.signatures[index]
        changes["thoughtSignature"] = None if signature is None else msgspec.json.encode(signature)
    if index in edit.names:
        response = JsonBody(fields.raw("functionResponse") or b"{}")
        changes["functionResponse"] = response.edited({"name": msgspec.json.encode(edit.names[index])})
    return fields.edited(changes)
