"""``generationConfig``: sampling, limits, output format and thinking (Gemini spec, 3 and 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ppap_core.conversation import Conversation, OutputFormat, Sampling
from ppap_core.wire import Target

from .thinking import ThinkingConfig, written
from .tools import lower_case
from .vocabulary import NAME

JSON_TYPE: Final = "application/json"
FIELD: Final = "generationConfig"


class GenerationConfig(msgspec.Struct, rename="camel"):
    """The fields that other formats have, too."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    candidate_count: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    thinking_config: ThinkingConfig | None = None

    @property
    def sampling(self) -> Sampling:
        return Sampling(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=None if self.top_k is None else int(self.top_k),
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            seed=self.seed,
            n=self.candidate_count,
            logprobs=self.response_logprobs,
            top_logprobs=self.logprobs,
        )

    @property
    def output(self) -> OutputFormat | None:
        if self.response_mime_type != JSON_TYPE:
            return None
        schema = self.response_json_schema or self.response_schema
        if schema is None:
            return OutputFormat(kind="json_object")
        return OutputFormat(kind="json_schema", schema=lower_case(schema))


_KNOWN: Final = frozenset(GenerationConfig.__struct_encode_fields__)


def unknown_fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that no other format knows."""
    return {key: value for key, value in config.items() if key not in _KNOWN}


def generation_config(conversation: Conversation, target: Target) -> dict[str, Any] | None:
    """The object for an upstream; ``None`` if nothing is asked for.

    Clients of other formats may send one of their own, for what their format lacks; the fields that
    it has win over that.
    """
    sampling = conversation.sampling
    fields: dict[str, Any] = {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "maxOutputTokens": _limit(conversation.max_output_tokens, target.max_output_tokens),
        "stopSequences": list(conversation.stop) or None,
        "candidateCount": sampling.n if sampling.n and sampling.n > 1 else None,
        "seed": sampling.seed,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
        "responseLogprobs": sampling.logprobs,
        "logprobs": sampling.top_logprobs,
        **_output(conversation.output),
        "thinkingConfig": written(conversation.thinking, target),
    }
    known = {key: value for key, value in fields.items() if value is not None}
    config = {**_sent_along(conversation), **known}
    if target.thinking is not None and not target.thinking.thinks:
        config.pop("thinkingConfig", None)
    return config or None


def _sent_along(conversation: Conversation) -> dict[str, Any]:
    """The object as it came with the request: what of it no other format knows."""
    given: dict[str, Any] = {}
    for extras in conversation.extras.values():
        config = extras.get(FIELD)
        if isinstance(config, Mapping):
            given |= config
    return given if conversation.format != NAME else unknown_fields(given)


def _limit(asked: int | None, ceiling: int | None) -> int | None:
    """Above the model's own limit the API refuses the request."""
    if asked is None or asked <= 0:
        return None
    return min(asked, ceiling) if ceiling else asked


def _output(output: OutputFormat | None) -> dict[str, Any]:
    """The client's schema as it is: here the API knows JSON Schema."""
    if output is None or output.kind == "text":
        return {}
    return {"responseMimeType": JSON_TYPE, "responseJsonSchema": output.schema}
