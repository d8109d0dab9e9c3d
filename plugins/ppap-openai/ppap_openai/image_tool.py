"""The built-in tool that makes pictures, and the switch that takes it away (translation spec, C.16).

The tool is OpenAI's, but it may stand in any request that has ``tools``, so it is looked for in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ppap_core.config import Config, InvalidSetting, TopLevel, setting
from ppap_core.exchange import OutgoingRequest, RequestShaper
from ppap_core.wire import JsonArray, JsonBody

TOOL: Final = "image_generation"
DEFAULT_MODEL: Final = "gpt-image-2"
"""What draws where nobody names another."""
IMAGE_FORMATS: Final = ("openai-images", "openai-image-edits")
"""What clients speak that ask for nothing but pictures."""
KEY: Final = "disable-image-generation"
_IN_CHAT: Final = "chat"
_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("", "false", "0", "off", "no", "n"), "false"),
    **dict.fromkeys(("true", "1", "on", "yes", "y"), "true"),
    _IN_CHAT: _IN_CHAT,
}
_MENTION: Final = f'"{TOOL}"'.encode()


def _word(text: str) -> str:
    word = _WORDS.get(text.strip().lower())
    if word is None:
        raise InvalidSetting(f'invalid {KEY} value "{text}" (allowed: true, false, chat)')
    return word


@attrs.frozen(kw_only=True)
class ImageGeneration:
    """Making pictures."""

    disable_image_generation: str = setting(
        "`true`: `image_generation` tools are taken out of requests, and `/v1/images` is not there; `chat`: "
        "the tools only. An override of `payload` can put the tool back.",
        default="false",
        normalise=_word,
    )

    @property
    def tools_removed(self) -> bool:
        return self.disable_image_generation != "false"

    @property
    def routes_closed(self) -> bool:
        return self.disable_image_generation == "true"


SECTIONS: Final[Mapping[str, Any]] = {KEY: TopLevel(ImageGeneration)}


def settings_of(config: Config) -> ImageGeneration:
    settings: ImageGeneration = config[KEY]
    return settings


def request_shapers(config: Config) -> Sequence[RequestShaper]:
    """What takes the tool out, while that is wanted."""
    return [without_image_tool] if settings_of(config).tools_removed else []


def without_image_tool(request: OutgoingRequest) -> Mapping[str, bytes | None]:
    """Without tools of that type, a choice of one, and a choice among none at all."""
    body = request.body
    if request.surface in IMAGE_FORMATS or _MENTION not in body.data:
        return {}
    changes: dict[str, bytes | None] = {}
    tools, kept = body.raw("tools"), None
    if tools is not None and tools.startswith(b"["):
        kept = _without(tools)
        if kept != tools:
            changes["tools"] = kept
    choice = body.raw("tool_choice")
    if choice is not None and "tools" in changes and kept is None:
        changes["tool_choice"] = None
    elif choice is not None and choice.startswith(b"{"):
        changes["tool_choice"] = _chosen_without(choice)
    return changes


def _without(tools: bytes) -> bytes | None:
    """The list without the tool; ``None`` if nothing is left of it."""
    array = JsonArray(tools, "tools")
    named = [index for index, tool in enumerate(array) if _is_it(tool)]
    return None if named and len(named) == len(array) else array.edited(dict.fromkeys(named))


def _chosen_without(choice: bytes) -> bytes | None:
    """A choice that does not name the tool, nor lists it among those allowed."""
    body = JsonBody(choice)
    kind = body.value("type")
    if kind == TOOL or (kind != "function" and body.value("name") == TOOL):
        return None
    allowed = body.raw("tools")
    if allowed is None or not allowed.startswith(b"["):
        return choice
    kept = _without(allowed)
    return None if kept is None else body.edited({"tools": kept})


def _is_it(tool: bytes) -> bool:
    return tool.startswith(b"{") and _MENTION in tool and JsonBody(tool).value("type") == TOOL
