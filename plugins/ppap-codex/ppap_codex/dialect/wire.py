"""The dialect: a codec by the name of Responses, so that clients which speak that are relayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ppap_openai.responses import RESPONSES, Responses
from ppap_openai.responses.repair import model_text
from ppap_openai.responses.request_relay import target_changes

from ppap_core.conversation import Conversation, ErrorDetail
from ppap_core.wire import EncodedRequest, JsonBody, NameMap, Target

from .asked import asked_of_codex
from .errors import SIGNATURE_INVALID, read_refusal, retells
from .input_items import without_reasoning
from .request import asked_target, enforced_changes, fitted_changes
from .stream import CodexRelay, CodexStreamDecoder
from .tool_names import short_names

SESSION: Final = "session_id"
"""The header that carries what ``prompt_cache_key`` says (translation spec, C.19)."""


class CodexResponses(Responses):
    """What upstreams of this plugin speak. Clients never do: they speak plain Responses."""

    protocol = "codex"

    def encode_request(self, conversation: Conversation, target: Target) -> EncodedRequest:
        target = asked_target(target)
        asked = asked_of_codex(conversation, target)
        body = JsonBody(RESPONSES.encode_request(asked, target).body)
        return _fitted(body, target)

    def patch_request(self, body: JsonBody, target: Target) -> EncodedRequest:
        return _fitted(body, target)

    def enforce(self, body: JsonBody, target: Target, *, stream: bool) -> EncodedRequest:
        """`stream` is what the client wants; the upstream can only stream."""
        changes = enforced_changes(body, asked_target(target))
        return EncodedRequest(body.edited(changes), headers=_session(body))

    def stream_decoder(self, names: NameMap) -> CodexStreamDecoder:
        return CodexStreamDecoder(names)

    def stream_relay(self, body: JsonBody, client_model: str, target: Target) -> CodexRelay:
        return CodexRelay(model_text(client_model, target.model), short_names(body).back)

    def decode_error(self, status: int, body: bytes) -> ErrorDetail:
        return read_refusal(status, body)

    def mended(self, request: bytes, refusal: ErrorDetail) -> bytes | None:
        return without_reasoning(request) if refusal.code == SIGNATURE_INVALID else None

    def retells(self, status: int, body: bytes) -> bool:
        return retells(status, body)


def _fitted(body: JsonBody, target: Target) -> EncodedRequest:
    names = short_names(body)
    changes = target_changes(body, target) | fitted_changes(body, target, names)
    changes |= enforced_changes(body, target)
    return EncodedRequest(body.edited(changes), names.back, _session(body))


def _session(body: JsonBody) -> Mapping[str, str]:
    key = body.value("prompt_cache_key")
    return {SESSION: key} if isinstance(key, str) and key.isascii() and key.isprintable() and key else {}


CODEX: Final = CodexResponses()
