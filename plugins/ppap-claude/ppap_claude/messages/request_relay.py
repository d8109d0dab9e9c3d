"""A client's request passed on in its own format: only what must change is cut out (0.4, C.15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from ppap_core.errors import InvalidRequest
from ppap_core.wire import EncodedRequest, JsonArray, JsonBody, Target

from .cache import Sections
from .request_decoder import beta_names
from .signatures import begins_like_own, is_own_signature
from .thinking import (
    MIN_TOP_P_WHEN_THINKING,
    ROOM_TO_ANSWER,
    OutputLimit,
    Thinking,
    ThinkingField,
    written,
)
from .web_search import SEARCH_RESULT, SERVER_TOOL_USE, is_own_id

MAX_TOKENS_OF_UNKNOWN: Final = 1024
"""``max_tokens`` for one of Anthropic's models whose own limit is not known."""

_THINKING_WORDS: Final = re.compile(rb'"(?:thinking"|signature"\s*:\s*"([A-Za-z0-9+/_-]{4}))')
_THINKS_HERE: Final = b'"thinking"'
_SEARCHES: Final = f'"{SERVER_TOOL_USE}"'.encode()
_FOUND: Final = f'"{SEARCH_RESULT}"'.encode()
_THINKS: Final = ("enabled", "adaptive", "auto")
_FORCED: Final = ("any", "tool")
_FINE: Final = (None, b"null", b"1", b"1.0")
"""Temperatures that a thinking model takes."""

Changes = dict[str, bytes | None]


class _Choice(msgspec.Struct):
    type: str = ""


class _MessageFields(msgspec.Struct):
    role: str = ""
    content: msgspec.Raw = msgspec.Raw(b"")


class _BlockFields(msgspec.Struct):
    type: str = ""
    signature: str | None = None
    id: str | None = None
    tool_use_id: str | None = None


_message: Final = msgspec.json.Decoder(_MessageFields).decode
_block: Final = msgspec.json.Decoder(_BlockFields).decode


def patch_request(body: JsonBody, target: Target) -> EncodedRequest:
    """The client's bytes for `target`; the very same object when nothing has to change."""
    changes: Changes = {}
    if body.raw("model") != (model := msgspec.json.encode(target.model)):
        changes["model"] = model
    changes |= _thinking_changes(body, target)
    changes |= _section_changes(body, target)
    headers: Mapping[str, str] = {}
    if "betas" in body:
        changes["betas"] = None
        headers = {"anthropic-beta": ",".join(_betas(body))}
    return EncodedRequest(body.edited(changes) if changes else body.data, headers=headers)


def enforced(body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
    """An edited request with what the upstream demands (0.3, step 5), and streamed or not as is read."""
    patched = patch_request(body, target)
    if (body.value("stream") is True) == stream:
        return patched
    text = JsonBody(patched.body).edited({"stream": b"true" if stream else b"false"})
    return attrs.evolve(patched, body=text)


def _betas(body: JsonBody) -> list[str]:
    value = body.value("betas")
    listed = value if isinstance(value, list) else [value]
    if not all(beta is None or isinstance(beta, str) for beta in listed):
        raise InvalidRequest("Invalid request: `betas` must be a list of strings", param="betas")
    return beta_names(",".join(beta for beta in listed if beta))


def is_own_model(model: str) -> bool:
    """Whether a model is one of Anthropic's, whoever serves it.

    Other vendors' models behind this format have other limits, and signatures of their own.
    """
    return "claude" in model.casefold()


# --- thinking, temperature, max_tokens --------------------------------------------------------


def _thinking_changes(body: JsonBody, target: Target) -> Changes:
    """Forced tool choice beats thinking; thinking binds the temperature and needs room (C.15)."""
    changes: Changes = {}
    thinking = _read(body, "thinking", ThinkingField)
    asked = target.intent.mode != "unset"
    if asked or thinking is not None or "output_config" in body:
        choice = _read(body, "tool_choice", _Choice)
        cannot = target.thinking is not None and not target.thinking.thinks
        if cannot or (choice is not None and choice.type in _FORCED):
            changes = {"thinking": None, **_with_effort(body, None)}
            thinking = None
        elif asked:
            fields = _asked(body, target)
            changes = _written_over(body, fields)
            thinking = msgspec.convert(fields.field, ThinkingField) if fields.field else None
    if thinking is not None and thinking.type in _THINKS and body.raw("temperature") not in _FINE:
        changes["temperature"] = b"1"
    if "max_tokens" not in body and (limit := _max_tokens(target, thinking)):
        changes["max_tokens"] = str(limit).encode()
    return changes


def _read(body: JsonBody, key: str, kind: type[Any]) -> Any:
    """A top-level object, typed; ``None`` if absent, or of a type that the upstream shall refuse."""
    raw = body.raw(key)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _asked(body: JsonBody, target: Target) -> Thinking:
    """The fields for what the target is to be asked for instead of what the body says."""
    told = body.value("max_tokens")
    limit = OutputLimit(
        asked=told if isinstance(told, int) and told > 0 else None,
        default=_default_limit(target) or 0,
        ceiling=target.max_output_tokens,
    )
    return written(target.intent, target.thinking, limit)


def _written_over(body: JsonBody, thinking: Thinking) -> Changes:
    """Those fields, and without the sampling that a thinking model refuses."""
    changes: Changes = {
        "thinking": msgspec.json.encode(thinking.field) if thinking.field else None,
        **_with_effort(body, thinking.effort),
    }
    if thinking.active:
        changes["top_k"] = None
        top_p = body.value("top_p")
        if isinstance(top_p, int | float) and top_p < MIN_TOP_P_WHEN_THINKING:
            changes["top_p"] = None
    return changes


def _with_effort(body: JsonBody, effort: str | None) -> Changes:
    """``output_config`` with this level, or without any; left out when nothing else is in it."""
    raw = body.raw("output_config") or b"{}"
    if not raw.startswith(b"{"):
        return {}
    config = JsonBody(raw).edited({"effort": msgspec.json.encode(effort) if effort else None})
    return {"output_config": config if any(JsonBody(config)) else None}


def _default_limit(target: Target) -> int | None:
    return target.max_output_tokens or (MAX_TOKENS_OF_UNKNOWN if is_own_model(target.model) else None)


def _max_tokens(target: Target, thinking: ThinkingField | None) -> int | None:
    """The limit to fill in; ``None``: the upstream shall say that it is missing."""
    limit = _default_limit(target)
    budget = (thinking.budget_tokens or 0) if thinking is not None else 0
    return limit if limit is None or budget < limit else budget + ROOM_TO_ANSWER


# --- messages ---------------------------------------------------------------------------------


def _section_changes(body: JsonBody, target: Target) -> Changes:
    """What is foreign removed, then breakpoints: set where there are none, and kept within limits."""
    tools, system, messages = body.raw("tools"), body.raw("system"), body.raw("messages")
    sent = kept = Sections(tools=tools, system=system, messages=messages)
    if messages is not None and is_own_model(target.model):
        own = without_foreign_blocks(messages)
        kept = sent if own is messages else attrs.evolve(sent, messages=own)
    kept = kept.within_limits() if "cache_control" in body else kept.with_breakpoints()
    names = ("tools", "system", "messages")
    pairs = zip(names, sent.texts(), kept.texts(), strict=True)
    return {name: after for name, before, after in pairs if after is not before}


def without_foreign_blocks(messages: bytes) -> bytes:
    """The messages without thinking that another vendor's model signed, or nobody (C.6; pain 23).

    Anthropic refuses the whole request for one such block, which a conversation has after its user
    switched models, and for a search of another vendor (C.16). The same object if there is none.
    """
    if _SEARCHES not in messages and (_THINKS_HERE not in messages or _all_own(messages)):
        return messages
    array = JsonArray(messages, "messages")
    changes = {
        index: kept
        for index, raw in enumerate(array)
        if (_THINKS_HERE in raw or _SEARCHES in raw) and (kept := _own_blocks_only(raw)) is not raw
    }
    return array.edited(changes) if changes else messages


def _all_own(messages: bytes) -> bool:
    """A quick yes for the usual case, in one pass: a block says "thinking" twice and is signed once."""
    said = signed = 0
    for signature in _THINKING_WORDS.findall(messages):
        if not signature:
            said += 1
        elif begins_like_own(signature.decode()):
            signed += 1
        else:
            return False
    return said == 2 * signed


def _own_blocks_only(raw: bytes) -> bytes | None:
    """A message without what is foreign; ``None`` if nothing is left of it, `raw` if nothing goes."""
    try:
        fields = _message(raw)
        if fields.role != "assistant" or not bytes(fields.content).startswith(b"["):
            return raw
        content = JsonArray(bytes(fields.content), "content")
        foreign = [index for index, block in enumerate(content) if _is_foreign(block)]
    except msgspec.MsgspecError:
        return raw  # the upstream says best what is wrong with it
    if not foreign:
        return raw
    if len(foreign) == len(content):
        return None
    return JsonBody(raw).edited({"content": content.edited(dict.fromkeys(foreign))})


def _is_foreign(raw: bytes) -> bool:
    if not raw.startswith(b"{") or not any(word in raw for word in (_THINKS_HERE, _SEARCHES, _FOUND)):
        return False
    block = _block(raw)
    if block.type == "thinking":
        return not is_own_signature(block.signature)
    if block.type == SERVER_TOOL_USE:
        return not is_own_id(block.id)
    return block.type == SEARCH_RESULT and not is_own_id(block.tool_use_id)
